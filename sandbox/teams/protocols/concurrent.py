"""Concurrent: all work at once, and each says what it is at. Of two at the same task, the dearer one gives up."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import Protocol
from sandbox.engine.kernel import kernel
from sandbox.engine.team import Job, Letter, drop, is_free, letters_of, take_cheapest, tell


@kernel
def heed(team, lane, agent, tick):
    """Give up what another agent does more cheaply; then, if free, take what nobody says to be at."""
    job = team.task[lane, agent]
    letters, (start, stop) = team.letters[lane], letters_of(team, lane, agent)
    for m in range(start, stop):
        other, cost = letters[m, Letter.FROM], letters[m, Letter.VALUE]
        same = job[Job.KIND] and letters[m, Letter.ACT] == Act.CLAIM and letters[m, Letter.TASK] == job[Job.CODE]
        if same and (cost < job[Job.COST] or (cost == job[Job.COST] and other < agent)):
            drop(team, lane, agent)
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
