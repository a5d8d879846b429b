"""Concurrent: all work at once, and each says what it is at. Of two at the same task, the dearer one gives up."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import Protocol
from sandbox.engine.coordination.assignments import give_way, is_free, take_cheapest
from sandbox.engine.coordination.team import Assignment, Message, messages_of, tell
from sandbox.engine.kernel import kernel


@kernel
def receive(team, lane, agent, tick):
    """Give up what another agent does more cheaply; then, if free, take what nobody says to be at."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.ACT] == Act.CLAIM:
            other, code, cost = messages[m, Message.FROM], messages[m, Message.TASK], messages[m, Message.VALUE]
            give_way(team, lane, agent, other, code, cost)
    if is_free(team, lane, agent):
        take_cheapest(team, lane, agent, tick)


@kernel
def speak(team, lane, agent, tick):
    """What it is at and what it costs, in every tick: so a lost message is made good by the next."""
    job = team.task[lane, agent]
    if job[Assignment.KIND]:
        tell(team, lane, agent, tick, -1, Act.CLAIM, job[Assignment.CODE], job[Assignment.COST])


CONCURRENT = Protocol("concurrent", "all at once, each says what it is at and what it sees", receive, speak,
                      reports=True, acts=(Act.CLAIM,))  # fmt: skip
