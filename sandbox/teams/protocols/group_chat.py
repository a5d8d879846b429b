"""Group chat: one has the word at a time and all hear it, everybody works. Round robin: the word goes round; selector:
the lead gives it to one of those that raise their hand."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import Offer, Own, Protocol
from sandbox.engine.jobs import forget, is_free, note_of, remember, say_done, take_offer
from sandbox.engine.kernel import kernel
from sandbox.engine.team import FAR, Job, Letter, Turn, letters_of, next_present, pass_turn, tell
from sandbox.teams.protocols.turns import has_turn


@kernel
def follow(team, lane, agent, tick):
    """Remember who has claimed what, until it is said to be done or the claimer takes up something else."""
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    for m in range(start, stop):
        if letters[m, Letter.ACT] == Act.CLAIM or letters[m, Letter.ACT] == Act.DONE:
            forget(team, lane, agent, letters[m, Letter.FROM])
        if letters[m, Letter.ACT] == Act.CLAIM:
            remember(team, lane, agent, letters[m, Letter.TASK], letters[m, Letter.FROM], tick)


@kernel
def choose(team, lane, agent, tick):
    """Who has the word and is free takes its cheapest offer that nobody has claimed."""
    best, least = -1, FAR
    for k in range(team.offers.shape[2]):
        offer = team.offers[lane, agent, k]
        if offer[Offer.CODE] and offer[Offer.COST] < least and note_of(team, lane, agent, offer[Offer.CODE]) < 0:
            best, least = k, offer[Offer.COST]
    if best >= 0:
        take_offer(team, lane, agent, best, tick)


@kernel
def heed_round_robin(team, lane, agent, tick):
    """The word goes on to the next in every tick."""
    follow(team, lane, agent, tick)
    if has_turn(team, lane, agent) and tick > team.turn[lane, Turn.SINCE]:
        pass_turn(team, lane, next_present(team, agent), tick)
    if has_turn(team, lane, agent) and is_free(team, lane, agent):
        choose(team, lane, agent, tick)


@kernel
def heed_selector(team, lane, agent, tick):
    """Who is given the word by the lead has it in this tick."""
    follow(team, lane, agent, tick)
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    for m in range(start, stop):
        if letters[m, Letter.ACT] == Act.NEXT and letters[m, Letter.FROM] == team.lead:
            pass_turn(team, lane, agent, tick)
            if is_free(team, lane, agent):
                choose(team, lane, agent, tick)


@kernel
def talk(team, lane, agent, tick):
    """Say what it has taken on or has done; only who has the word does."""
    job = team.task[lane, agent]
    if job[Job.KIND]:
        tell(team, lane, agent, tick, -1, Act.CLAIM, job[Job.CODE], job[Job.COST])
    say_done(team, lane, agent, tick, -1)


@kernel
def speak_round_robin(team, lane, agent, tick):
    if has_turn(team, lane, agent):
        talk(team, lane, agent, tick)


@kernel
def speak_selector(team, lane, agent, tick):
    """Those that are free raise their hand; the lead gives the word to the next of them in order, or takes it."""
    if has_turn(team, lane, agent) and tick == team.turn[lane, Turn.SINCE]:
        talk(team, lane, agent, tick)
    if agent != team.lead:
        if is_free(team, lane, agent):
            tell(team, lane, agent, tick, team.lead, Act.IDLE, 0, team.own[lane, agent, Own.CELL])
        return
    agents = len(team.hosted)
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    best, least = -1, agents
    for m in range(start, stop):
        after = (letters[m, Letter.FROM] - team.turn[lane, Turn.HOLDER] - 1) % agents
        if letters[m, Letter.ACT] == Act.IDLE and after < least:
            best, least = letters[m, Letter.FROM], after
    if best >= 0:
        tell(team, lane, agent, tick, best, Act.NEXT, 0, 0)
    elif is_free(team, lane, agent):
        pass_turn(team, lane, agent, tick)
        choose(team, lane, agent, tick)


ROUND_ROBIN = Protocol("round_robin", "group chat: the word goes round, who has it claims a task", heed_round_robin,
                       speak_round_robin, reports=True, acts=(Act.CLAIM,))  # fmt: skip
SELECTOR = Protocol("selector", "group chat: the lead gives the word to one after the other", heed_selector,
                    speak_selector, True, reports=True, acts=(Act.CLAIM, Act.NEXT, Act.IDLE))  # fmt: skip
