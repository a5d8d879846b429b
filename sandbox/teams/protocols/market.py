"""Market: the contract net (Smith 1980). Who has a task to give announces it, those that are free bid what it would
cost them, and the cheapest gets it, the announcer included. What is lost on the way is said again in the next tick."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import Offer, Own, Protocol
from sandbox.engine.jobs import give_way, is_claimed, is_elsewhere, is_free, note_of, remember, take
from sandbox.engine.kernel import kernel
from sandbox.engine.team import FAR, Job, Letter, Note, answer_time, letters_of, may_take, tell, way

ROUND = 2  # ticks from an announcement until bids can be there
NOBODY = -1  # has been awarded it yet


@kernel
def heed(team, lane, agent, tick):
    """Take what is awarded; give up what another says to do more cheaply."""
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    for m in range(start, stop):
        act, code, value = letters[m, Letter.ACT], letters[m, Letter.TASK], letters[m, Letter.VALUE]
        if act == Act.AWARD and is_free(team, lane, agent):
            take(team, lane, agent, code, value, tick)
        elif act == Act.CLAIM:
            give_way(team, lane, agent, letters[m, Letter.FROM], code, value)


@kernel
def wish(team, lane, agent):
    """What a free agent would like best of all that is announced or its own to give: the giver, the task, its cost."""
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    giver, code, least = NOBODY, 0, FAR
    for m in range(start, stop):
        if letters[m, Letter.ACT] != Act.OPEN or not may_take(team, agent, letters[m, Letter.TASK]):
            continue
        if not is_claimed(team, lane, agent, letters[m, Letter.TASK]):
            cost = way(team, team.own[lane, agent, Own.CELL], letters[m, Letter.VALUE])
            if cost < least:
                giver, code, least = letters[m, Letter.FROM], letters[m, Letter.TASK], cost
    for k in range(team.offers.shape[2]):
        if may_give(team, lane, agent, k) and team.offers[lane, agent, k, Offer.COST] < least:
            giver, code, least = agent, team.offers[lane, agent, k, Offer.CODE], team.offers[lane, agent, k, Offer.COST]
    return giver, code, least


@kernel
def may_give(team, lane, agent, k):
    """Whether offer ``k`` is this agent's to share out, and nobody is at it."""
    code, job = team.offers[lane, agent, k, Offer.CODE], team.task[lane, agent]
    if not code or team.offers[lane, agent, k, Offer.HOST] != agent or (job[Job.KIND] and job[Job.CODE] == code):
        return False
    return not is_claimed(team, lane, agent, code)


@kernel
def decide(team, lane, agent, code, cell, own, tick):
    """Award a task to the cheapest bidder, or take it where nobody asks less than its ``own`` cost."""
    best, least = agent, own
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    for m in range(start, stop):
        if letters[m, Letter.ACT] == Act.BID and letters[m, Letter.TASK] == code and letters[m, Letter.VALUE] < least:
            best, least = letters[m, Letter.FROM], letters[m, Letter.VALUE]
    if least == FAR:
        return
    if best == agent:
        take(team, lane, agent, code, cell, tick)
    else:
        tell(team, lane, agent, tick, best, Act.AWARD, code, cell)
    remember(team, lane, agent, code, best, tick)


@kernel
def auction(team, lane, agent, k, own, tick):
    """One round for offer ``k``, which is this agent's to share out: announce it, decide on bids, or wait for news."""
    code, cell = team.offers[lane, agent, k, Offer.CODE], team.offers[lane, agent, k, Offer.CELL]
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
    """Say what it is at, or bid for what it likes best; then hold the auctions that are this agent's to hold."""
    job, giver, code, cost = team.task[lane, agent], NOBODY, 0, FAR
    if job[Job.KIND]:
        tell(team, lane, agent, tick, -1, Act.CLAIM, job[Job.CODE], job[Job.COST])
    elif is_free(team, lane, agent):
        giver, code, cost = wish(team, lane, agent)
        if giver != NOBODY and giver != agent:
            tell(team, lane, agent, tick, giver, Act.BID, code, cost)
    for k in range(team.offers.shape[2]):
        if may_give(team, lane, agent, k):
            wanted = giver == agent and team.offers[lane, agent, k, Offer.CODE] == code
            auction(team, lane, agent, k, cost if wanted else FAR, tick)


MARKET = Protocol("market", "contract net: announce, bid, award", heed, speak, acts=(Act.OPEN, Act.BID, Act.AWARD))
