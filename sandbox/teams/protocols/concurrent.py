"""Concurrent: all work at once and report their tasks. Of two agents on one task, the one with higher cost gives up."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import Protocol
from sandbox.engine.coordination.assignments import give_way, is_free, take_cheapest
from sandbox.engine.coordination.team import Assignment, Message, messages_of, tell
from sandbox.engine.kernel import kernel


@kernel
def receive(team, lane, agent, tick):
    """Give up a task that another agent does at lower cost; then, if free, take a task without a known worker."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.ACT] == Act.CLAIM:
            other, code, cost = messages[m, Message.FROM], messages[m, Message.TASK], messages[m, Message.VALUE]
            give_way(team, lane, agent, other, code, cost)
    if is_free(team, lane, agent):
        take_cheapest(team, lane, agent, tick)


@kernel
def speak(team, lane, agent, tick):
    """Send the current task and its cost in every tick, so the next message replaces a lost one."""
    job = team.task[lane, agent]
    if job[Assignment.KIND]:
        tell(team, lane, agent, tick, -1, Act.CLAIM, job[Assignment.CODE], job[Assignment.COST])


CONCURRENT = Protocol("concurrent", "all at once, each says what it is at and what it sees", receive, speak,
                      reports=True, acts=(Act.CLAIM,))  # fmt: skip
