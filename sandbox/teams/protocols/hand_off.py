"""Hand-off: one works at a time; when its task is done it hands the next one, and the turn, to whom it suits best."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import Offer, Own, Protocol
from sandbox.engine.jobs import cheapest, is_free, take, take_cheapest
from sandbox.engine.kernel import kernel
from sandbox.engine.team import Job, Letter, letters_of, next_present, tell, way
from sandbox.teams.protocols.turns import has_turn, heed_turn


@kernel
def heed(team, lane, agent, tick):
    """With the turn comes a task; without one, the cheapest is taken by who holds the turn and nobody is nearer to."""
    task = heed_turn(team, lane, agent, tick)
    if not has_turn(team, lane, agent) or not is_free(team, lane, agent):
        return
    for k in range(team.offers.shape[2]):
        if task and team.offers[lane, agent, k, Offer.CODE] == task:
            take(team, lane, agent, task, team.offers[lane, agent, k, Offer.CELL], tick)
            return
    if best_suited(team, lane, agent) == agent:
        take_cheapest(team, lane, agent, tick)


@kernel
def best_suited(team, lane, agent):
    """Who is nearest to the holder's cheapest offer, of itself and those that have said where they are."""
    k = cheapest(team, lane, agent)
    if k < 0:
        return next_present(team, agent)  # it knows of nothing to do: another one may
    best, least = agent, team.offers[lane, agent, k, Offer.COST]
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    for m in range(start, stop):
        far = way(team, letters[m, Letter.VALUE], team.offers[lane, agent, k, Offer.CELL])
        if letters[m, Letter.ACT] == Act.IDLE and far < least:
            best, least = letters[m, Letter.FROM], far
    return best


@kernel
def speak(team, lane, agent, tick):
    """Those that wait say where they are; who has the turn and no task hands both on."""
    if not has_turn(team, lane, agent):
        if is_free(team, lane, agent):
            tell(team, lane, agent, tick, -1, Act.IDLE, 0, team.own[lane, agent, Own.CELL])
    elif team.task[lane, agent, Job.KIND] == 0:
        k, to = cheapest(team, lane, agent), best_suited(team, lane, agent)
        if to != agent:
            code = team.offers[lane, agent, k, Offer.CODE] if k >= 0 else 0
            tell(team, lane, agent, tick, to, Act.HAND_OFF, code, 0)


HAND_OFF = Protocol("hand_off", "one at a time, who hands the next task to whom it suits best", heed, speak,
                    turns=True, acts=(Act.HAND_OFF, Act.IDLE))  # fmt: skip
