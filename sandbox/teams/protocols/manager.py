"""Manager: free agents report to the lead, with the tasks that they know, and it assigns the nearest to each."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import AgentStatus, OpenTask, Protocol
from sandbox.engine.coordination.assignments import is_claimed, is_free, note_of, remember, take
from sandbox.engine.coordination.team import (
    FAR,
    Assignment,
    Message,
    Note,
    answer_time,
    depth_of,
    may_take,
    messages_of,
    tell,
    way,
)
from sandbox.engine.kernel import kernel

FIRST = 1 << 16  # cells that the length of the chain of tasks behind one is worth


@kernel
def receive(team, lane, agent, tick):
    """Take what the lead assigns."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if (
            messages[m, Message.ACT] == Act.ASSIGN
            and messages[m, Message.FROM] == team.lead
            and is_free(team, lane, agent)
        ):
            take(team, lane, agent, messages[m, Message.TASK], messages[m, Message.VALUE], tick)


@kernel
def report(team, lane, agent, tick):
    """A worker reports its task, or its place if it is free, and the tasks that it has to share."""
    job = team.task[lane, agent]
    if job[Assignment.KIND]:
        tell(team, lane, agent, tick, team.lead, Act.CLAIM, job[Assignment.CODE], job[Assignment.COST])
    elif is_free(team, lane, agent):
        tell(team, lane, agent, tick, team.lead, Act.IDLE, 0, team.own[lane, agent, AgentStatus.CELL])
    for k in range(team.open_tasks.shape[2]):
        offer = team.open_tasks[lane, agent, k]
        if offer[OpenTask.CODE] and offer[OpenTask.HOST] == agent:
            tell(team, lane, agent, tick, team.lead, Act.OPEN, offer[OpenTask.CODE], offer[OpenTask.CELL])


@kernel
def is_open(team, lane, code, tick):
    """Whether the lead knows no agent that works on a task or was assigned it recently."""
    note = note_of(team, lane, team.lead, code)
    if note >= 0 and tick - team.notes[lane, team.lead, note, Note.TICK] < answer_time(team):
        return False
    job = team.task[lane, team.lead]
    return not (is_claimed(team, lane, team.lead, code) or (job[Assignment.KIND] and job[Assignment.CODE] == code))


@kernel
def was_asked(team, lane, agent, tick):
    """Whether the lead has assigned a task to an agent whose answer may still be on its way."""
    notes = team.notes[lane, team.lead]
    for k in range(len(notes)):
        if notes[k, Note.CODE] and notes[k, Note.AGENT] == agent and tick - notes[k, Note.TICK] < answer_time(team):
            return True
    return False


@kernel
def nearest_open(team, lane, agent, cell, tick):
    """Code and cell of an open task for an agent, reported to the lead or seen by it; code 0: none.

    Tasks on which most others depend come first, and of these the nearest.
    """
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, team.lead)
    open_tasks, code, place, least = team.open_tasks[lane, team.lead], 0, -1, FAR
    for m in range(start, stop + len(open_tasks)):
        if m < stop and messages[m, Message.ACT] != Act.OPEN:
            continue
        one = messages[m, Message.TASK] if m < stop else open_tasks[m - stop, OpenTask.CODE]
        at = messages[m, Message.VALUE] if m < stop else open_tasks[m - stop, OpenTask.CELL]
        cost = way(team, cell, at) - FIRST * depth_of(team, one)
        if one and cost < least and may_take(team, agent, one) and is_open(team, lane, one, tick):
            code, place, least = one, at, cost
    return code, place


@kernel
def assign(team, lane, agent, cell, tick):
    """Assign the nearest open task to the free agent at a cell; False without a task, or if no message can be sent."""
    if was_asked(team, lane, agent, tick):
        return True
    code, place = nearest_open(team, lane, agent, cell, tick)
    if not code:
        return False
    if agent == team.lead:
        take(team, lane, agent, code, place, tick)
    elif not tell(team, lane, team.lead, tick, agent, Act.ASSIGN, code, place):
        return False
    remember(team, lane, team.lead, code, agent, tick)
    return True


@kernel
def share_out(team, lane, tick):
    """The lead assigns tasks to free agents, to itself last."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, team.lead)
    for m in range(start, stop):
        idle = messages[m, Message.ACT] == Act.IDLE
        if idle and not assign(team, lane, messages[m, Message.FROM], messages[m, Message.VALUE], tick):
            break
    if is_free(team, lane, team.lead):
        assign(team, lane, team.lead, team.own[lane, team.lead, AgentStatus.CELL], tick)


@kernel
def speak(team, lane, agent, tick):
    """Workers report; the lead assigns tasks, and works itself if one is left."""
    if agent != team.lead:
        report(team, lane, agent, tick)
    else:
        share_out(team, lane, tick)


MANAGER = Protocol("manager", "the lead assigns tasks to those that report to be free", receive, speak, True,
                   acts=(Act.ASSIGN, Act.IDLE, Act.OPEN))  # fmt: skip
