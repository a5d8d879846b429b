"""How an agent takes, gives up and remembers tasks: the functions that protocols consist of."""

from sandbox.core.speech import KIND_BITS, Act
from sandbox.core.teamwork import AgentStatus, OpenTask
from sandbox.engine.coordination.team import FAR, Assignment, Message, Note, claim_done, messages_of, way
from sandbox.engine.kernel import kernel

ARGUMENT = (1 << KIND_BITS) - 1  # of a task's code


@kernel
def is_free(team, lane, agent):
    """Whether an agent can take a task now."""
    return team.own[lane, agent, AgentStatus.FREE] == 1 and team.task[lane, agent, Assignment.KIND] == 0


@kernel
def take(team, lane, agent, code, cell, tick):
    """Set the agent's task."""
    job = team.task[lane, agent]
    job[Assignment.KIND], job[Assignment.ARGUMENT] = code >> KIND_BITS, code & ARGUMENT
    job[Assignment.ROW], job[Assignment.COL] = -1, -1
    if cell >= 0:
        job[Assignment.ROW], job[Assignment.COL] = cell // team.width, cell % team.width
    job[Assignment.CODE], job[Assignment.COST] = code, way(team, team.own[lane, agent, AgentStatus.CELL], cell)


@kernel
def take_offer(team, lane, agent, k, tick):
    """The agent takes the task of its offer ``k``."""
    take(
        team,
        lane,
        agent,
        team.open_tasks[lane, agent, k, OpenTask.CODE],
        team.open_tasks[lane, agent, k, OpenTask.CELL],
        tick,
    )


@kernel
def take_cheapest(team, lane, agent, tick):
    """The agent takes the cheapest unclaimed offer, if there is one."""
    k = cheapest(team, lane, agent)
    if k >= 0:
        take_offer(team, lane, agent, k, tick)


@kernel
def drop(team, lane, agent):
    """The agent gives up its task."""
    team.task[lane, agent, Assignment.KIND], team.task[lane, agent, Assignment.CODE] = 0, 0


@kernel
def give_way(team, lane, agent, other, code, cost):
    """Give up a task for which another agent reports a lower cost; of equals the lower number keeps it."""
    job = team.task[lane, agent]
    if (
        job[Assignment.KIND]
        and code == job[Assignment.CODE]
        and (cost < job[Assignment.COST] or (cost == job[Assignment.COST] and other < agent))
    ):
        drop(team, lane, agent)


@kernel
def say_done(team, lane, agent, tick, to):
    """Report once that a task is done, if the agent considers it done."""
    job = team.task[lane, agent]
    if job[Assignment.KIND] == 0 and job[Assignment.CODE]:
        claim_done(team, lane, agent, tick, to, job[Assignment.CODE])
        job[Assignment.CODE] = 0


@kernel
def note_of(team, lane, agent, code):
    """The place of an agent's note of a task; -1 without one."""
    for k in range(team.notes.shape[2]):
        if team.notes[lane, agent, k, Note.CODE] == code:
            return k
    return -1


@kernel
def remember(team, lane, agent, code, other, tick):
    """Note which agent has to do a task, or works on it; replaces the oldest note."""
    notes, place = team.notes[lane, agent], note_of(team, lane, agent, code)
    if place < 0:
        place = 0
        for k in range(len(notes)):
            if notes[k, Note.CODE] == 0:
                place = k
                break
            if notes[k, Note.TICK] < notes[place, Note.TICK]:
                place = k
    notes[place, Note.CODE], notes[place, Note.AGENT], notes[place, Note.TICK] = code, other, tick


@kernel
def forget(team, lane, agent, other):
    """Remove an agent's notes of another one."""
    for k in range(team.notes.shape[2]):
        if team.notes[lane, agent, k, Note.AGENT] == other:
            team.notes[lane, agent, k, Note.CODE] = 0


@kernel
def cheapest(team, lane, agent):
    """The number of the agent's cheapest offer that no message has claimed; -1: none."""
    best, least = -1, FAR
    for k in range(team.open_tasks.shape[2]):
        offer = team.open_tasks[lane, agent, k]
        if (
            offer[OpenTask.CODE]
            and offer[OpenTask.COST] < least
            and not is_claimed(team, lane, agent, offer[OpenTask.CODE])
        ):
            best, least = k, offer[OpenTask.COST]
    return best


@kernel
def is_claimed(team, lane, agent, code):
    """Whether a message of this tick says that its sender works on a task."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.TASK] == code and messages[m, Message.ACT] == Act.CLAIM:
            return True
    return False


@kernel
def is_elsewhere(team, lane, agent, other, code):
    """Whether another agent has reported in this tick that it works on a different task."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.FROM] == other and messages[m, Message.ACT] == Act.CLAIM:
            return messages[m, Message.TASK] != code
    return False
