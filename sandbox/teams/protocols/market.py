"""Market: the contract net (Smith 1980). An agent announces a task that it has to share, free agents bid their cost,
and the cheapest gets it, possibly the announcer. Lost messages are sent again in the next tick."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import AgentStatus, OpenTask, Protocol
from sandbox.engine.coordination.assignments import give_way, is_claimed, is_elsewhere, is_free, note_of, remember, take
from sandbox.engine.coordination.team import (
    FAR,
    Assignment,
    Message,
    Note,
    answer_time,
    may_take,
    messages_of,
    tell,
    way,
)
from sandbox.engine.kernel import kernel

ROUND = 2  # ticks from an announcement until bids can arrive
NOBODY = -1  # no agent has been awarded it yet


@kernel
def receive(team, lane, agent, tick):
    """Take an awarded task; give up a task that another agent does at lower cost."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        act, code, value = messages[m, Message.ACT], messages[m, Message.TASK], messages[m, Message.VALUE]
        if act == Act.AWARD and is_free(team, lane, agent):
            take(team, lane, agent, code, value, tick)
        elif act == Act.CLAIM:
            give_way(team, lane, agent, messages[m, Message.FROM], code, value)


@kernel
def wish(team, lane, agent):
    """A free agent's best task, of those announced and its own: the announcer, the task, its cost."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    giver, code, least = NOBODY, 0, FAR
    for m in range(start, stop):
        if messages[m, Message.ACT] != Act.OPEN or not may_take(team, agent, messages[m, Message.TASK]):
            continue
        if not is_claimed(team, lane, agent, messages[m, Message.TASK]):
            cost = way(team, team.own[lane, agent, AgentStatus.CELL], messages[m, Message.VALUE])
            if cost < least:
                giver, code, least = messages[m, Message.FROM], messages[m, Message.TASK], cost
    for k in range(team.open_tasks.shape[2]):
        if may_give(team, lane, agent, k) and team.open_tasks[lane, agent, k, OpenTask.COST] < least:
            giver, code, least = (
                agent,
                team.open_tasks[lane, agent, k, OpenTask.CODE],
                team.open_tasks[lane, agent, k, OpenTask.COST],
            )
    return giver, code, least


@kernel
def may_give(team, lane, agent, k):
    """Whether this agent has to share offer ``k``, and no agent works on it."""
    code, job = team.open_tasks[lane, agent, k, OpenTask.CODE], team.task[lane, agent]
    if (
        not code
        or team.open_tasks[lane, agent, k, OpenTask.HOST] != agent
        or (job[Assignment.KIND] and job[Assignment.CODE] == code)
    ):
        return False
    return not is_claimed(team, lane, agent, code)


@kernel
def decide(team, lane, agent, code, cell, own, tick):
    """Award a task to the cheapest bidder, or take it if no bid is below the ``own`` cost."""
    best, least = agent, own
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if (
            messages[m, Message.ACT] == Act.BID
            and messages[m, Message.TASK] == code
            and messages[m, Message.VALUE] < least
        ):
            best, least = messages[m, Message.FROM], messages[m, Message.VALUE]
    if least == FAR:
        return
    if best == agent:
        take(team, lane, agent, code, cell, tick)
    else:
        tell(team, lane, agent, tick, best, Act.AWARD, code, cell)
    remember(team, lane, agent, code, best, tick)


@kernel
def auction(team, lane, agent, k, own, tick):
    """One round for offer ``k``, which this agent has to share: announce it, decide on bids, or wait for messages."""
    code, cell = team.open_tasks[lane, agent, k, OpenTask.CODE], team.open_tasks[lane, agent, k, OpenTask.CELL]
    note = note_of(team, lane, agent, code)
    winner = team.notes[lane, agent, note, Note.AGENT] if note >= 0 else NOBODY
    awarded = winner != NOBODY
    if awarded and tick - team.notes[lane, agent, note, Note.TICK] < answer_time(team):
        if not is_elsewhere(team, lane, agent, winner, code):
            return
    if note < 0 or awarded:
        remember(team, lane, agent, code, NOBODY, tick)
    elif tick - team.notes[lane, agent, note, Note.TICK] >= ROUND:
        decide(team, lane, agent, code, cell, own, tick)
        if team.notes[lane, agent, note, Note.AGENT] != NOBODY:
            return
    tell(team, lane, agent, tick, -1, Act.OPEN, code, cell)


@kernel
def speak(team, lane, agent, tick):
    """Report the current task, or bid for the best one; then run the auctions of this agent."""
    job, giver, code, cost = team.task[lane, agent], NOBODY, 0, FAR
    if job[Assignment.KIND]:
        tell(team, lane, agent, tick, -1, Act.CLAIM, job[Assignment.CODE], job[Assignment.COST])
    elif is_free(team, lane, agent):
        giver, code, cost = wish(team, lane, agent)
        if giver != NOBODY and giver != agent:
            tell(team, lane, agent, tick, giver, Act.BID, code, cost)
    for k in range(team.open_tasks.shape[2]):
        if may_give(team, lane, agent, k):
            wanted = giver == agent and team.open_tasks[lane, agent, k, OpenTask.CODE] == code
            auction(team, lane, agent, k, cost if wanted else FAR, tick)


MARKET = Protocol("market", "contract net: announce, bid, award", receive, speak, acts=(Act.OPEN, Act.BID, Act.AWARD))
