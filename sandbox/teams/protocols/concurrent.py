"""Concurrent: all work at once, and each says what it is at. Of two at the same task, the dearer one gives up."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import Protocol
from sandbox.engine.jobs import give_way, is_free, take_cheapest
from sandbox.engine.kernel import kernel
from sandbox.engine.team import Job, Letter, letters_of, tell


@kernel
def heed(team, lane, agent, tick):
    """Give up what another agent does more cheaply; then, if free, take what nobody says to be at."""
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    for m in range(start, stop):
        if letters[m, Letter.ACT] == Act.CLAIM:
            other, code, cost = letters[m, Letter.FROM], letters[m, Letter.TASK], letters[m, Letter.VALUE]
            give_way(team, lane, agent, other, code, cost)
    if is_free(team, lane, agent):
        take_cheapest(team, lane, agent, tick)


@kernel
def speak(team, lane, agent, tick):
    """What it is at and what it costs, in every tick: so a lost message is made good by the next."""
    job = team.task[lane, agent]
    if job[Job.KIND]:
        tell(team, lane, agent, tick, -1, Act.CLAIM, job[Job.CODE], job[Job.COST])


CONCURRENT = Protocol("concurrent", "all at once, each says what it is at and what it sees", heed, speak, reports=True,
                      acts=(Act.CLAIM,))  # fmt: skip
