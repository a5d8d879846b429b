"""What an agent of a team takes on, gives up and remembers: the vocabulary in which protocols are written."""

from sandbox.core.speech import KIND_BITS, Act
from sandbox.core.teamwork import AgentStatus, OpenTask
from sandbox.engine.coordination.team import FAR, Assignment, Message, Note, claim_done, messages_of, way
from sandbox.engine.kernel import kernel

ARGUMENT = (1 << KIND_BITS) - 1  # of a task's code


@kernel
def is_free(team, lane, agent):
    """Whether an agent could take on a task now."""
    return team.own[lane, agent, AgentStatus.FREE] == 1 and team.task[lane, agent, Assignment.KIND] == 0


@kernel
def take(team, lane, agent, code, cell, tick):
    """From now on this is the agent's task."""
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
    """The agent takes the cheapest of its offers that nobody claims, if there is one."""
    k = cheapest(team, lane, agent)
    if k >= 0:
        take_offer(team, lane, agent, k, tick)


@kernel
def drop(team, lane, agent):
    """The agent's task is no longer its own."""
    team.task[lane, agent, Assignment.KIND], team.task[lane, agent, Assignment.CODE] = 0, 0


@kernel
def give_way(team, lane, agent, other, code, cost):
    """Give up a task that another agent says to do more cheaply; of equals the one with the lower number keeps it."""
    job = team.task[lane, agent]
    if (
        job[Assignment.KIND]
        and code == job[Assignment.CODE]
        and (cost < job[Assignment.COST] or (cost == job[Assignment.COST] and other < agent))
    ):
        drop(team, lane, agent)


@kernel
def say_done(team, lane, agent, tick, to):
    """Say once that the task is done which the agent takes to be so, if there is one."""
    job = team.task[lane, agent]
    if job[Assignment.KIND] == 0 and job[Assignment.CODE]:
        claim_done(team, lane, agent, tick, to, job[Assignment.CODE])
        job[Assignment.CODE] = 0


@kernel
def note_of(team, lane, agent, code):
    """The place of what an agent remembers of a task, -1 if nothing."""
    for k in range(team.notes.shape[2]):
        if team.notes[lane, agent, k, Note.CODE] == code:
            return k
    return -1


@kernel
def remember(team, lane, agent, code, other, tick):
    """An agent remembers who is to do a task, or is at it, in place of what is longest ago."""
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
    """An agent forgets what it remembers of another one."""
    for k in range(team.notes.shape[2]):
        if team.notes[lane, agent, k, Note.AGENT] == other:
            team.notes[lane, agent, k, Note.CODE] = 0


@kernel
def cheapest(team, lane, agent):
    """The number of the agent's cheapest offer of which nobody has told it that he is at it; -1 none."""
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
    """Whether one of the messages that have just come says that its sender is at a task."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.TASK] == code and messages[m, Message.ACT] == Act.CLAIM:
            return True
    return False


@kernel
def is_elsewhere(team, lane, agent, other, code):
    """Whether another agent has just said that it is at a task that is not this one."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.FROM] == other and messages[m, Message.ACT] == Act.CLAIM:
            return messages[m, Message.TASK] != code
    return False
