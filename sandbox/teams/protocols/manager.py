"""Manager: those that are free report to the lead, with the tasks they know of, and it assigns the nearest to each."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import Offer, Own, Protocol
from sandbox.engine.jobs import is_claimed, is_free, note_of, remember, take
from sandbox.engine.kernel import kernel
from sandbox.engine.team import FAR, Job, Letter, Note, answer_time, depth_of, letters_of, may_take, tell, way

FIRST = 1 << 16  # cells that the length of the chain of tasks behind one is worth


@kernel
def heed(team, lane, agent, tick):
    """Take what the lead assigns."""
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    for m in range(start, stop):
        if letters[m, Letter.ACT] == Act.ASSIGN and letters[m, Letter.FROM] == team.lead and is_free(team, lane, agent):
            take(team, lane, agent, letters[m, Letter.TASK], letters[m, Letter.VALUE], tick)


@kernel
def report(team, lane, agent, tick):
    """What a worker tells the lead: what it is at, or where it is free; and the tasks that are its to share out."""
    job = team.task[lane, agent]
    if job[Job.KIND]:
        tell(team, lane, agent, tick, team.lead, Act.CLAIM, job[Job.CODE], job[Job.COST])
    elif is_free(team, lane, agent):
        tell(team, lane, agent, tick, team.lead, Act.IDLE, 0, team.own[lane, agent, Own.CELL])
    for k in range(team.offers.shape[2]):
        offer = team.offers[lane, agent, k]
        if offer[Offer.CODE] and offer[Offer.HOST] == agent:
            tell(team, lane, agent, tick, team.lead, Act.OPEN, offer[Offer.CODE], offer[Offer.CELL])


@kernel
def is_open(team, lane, code, tick):
    """Whether the lead knows of nobody that is at a task, or was given it a short while ago."""
    note = note_of(team, lane, team.lead, code)
    if note >= 0 and tick - team.notes[lane, team.lead, note, Note.TICK] < answer_time(team):
        return False
    job = team.task[lane, team.lead]
    return not (is_claimed(team, lane, team.lead, code) or (job[Job.KIND] and job[Job.CODE] == code))


@kernel
def was_asked(team, lane, agent, tick):
    """Whether the lead has given an agent a task and its answer may still be on its way."""
    notes = team.notes[lane, team.lead]
    for k in range(len(notes)):
        if notes[k, Note.CODE] and notes[k, Note.AGENT] == agent and tick - notes[k, Note.TICK] < answer_time(team):
            return True
    return False


@kernel
def nearest_open(team, lane, agent, cell, tick):
    """Code and cell of an open task for an agent, that the lead has been told of or sees itself; code 0: none.

    Those that most others wait for come first, and of these the nearest.
    """
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, team.lead)
    offers, code, place, least = team.offers[lane, team.lead], 0, -1, FAR
    for m in range(start, stop + len(offers)):
        if m < stop and letters[m, Letter.ACT] != Act.OPEN:
            continue
        one = letters[m, Letter.TASK] if m < stop else offers[m - stop, Offer.CODE]
        at = letters[m, Letter.VALUE] if m < stop else offers[m - stop, Offer.CELL]
        cost = way(team, cell, at) - FIRST * depth_of(team, one)
        if one and cost < least and may_take(team, agent, one) and is_open(team, lane, one, tick):
            code, place, least = one, at, cost
    return code, place


@kernel
def assign(team, lane, agent, cell, tick):
    """The lead gives the agent that is free at a cell the nearest open task; False where there is none, or no words."""
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
    """The lead assigns tasks to those that are free, to itself last."""
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, team.lead)
    for m in range(start, stop):
        idle = letters[m, Letter.ACT] == Act.IDLE
        if idle and not assign(team, lane, letters[m, Letter.FROM], letters[m, Letter.VALUE], tick):
            break
    if is_free(team, lane, team.lead):
        assign(team, lane, team.lead, team.own[lane, team.lead, Own.CELL], tick)


@kernel
def speak(team, lane, agent, tick):
    """Workers report; the lead assigns, and works itself where a task is left for it."""
    if agent != team.lead:
        report(team, lane, agent, tick)
    else:
        share_out(team, lane, tick)


MANAGER = Protocol("manager", "the lead assigns tasks to those that report to be free", heed, speak, True,
                   acts=(Act.ASSIGN, Act.IDLE, Act.OPEN))  # fmt: skip
