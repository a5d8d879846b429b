"""Sequential: the agent with the turn works alone until its task is done; then the next in order."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import AgentStatus, Protocol
from sandbox.engine.coordination.assignments import is_free, take_cheapest
from sandbox.engine.coordination.team import Assignment, Turn, next_present, tell
from sandbox.engine.kernel import kernel
from sandbox.teams.protocols._turns import has_turn, receive_turn


@kernel
def receive(team, lane, agent, tick):
    """Take the turn if it is given, and with it the cheapest task; an agent that has finished one takes no other."""
    before = has_turn(team, lane, agent)
    receive_turn(team, lane, agent, tick)
    began = not before or tick == team.turn[lane, Turn.SINCE]
    if has_turn(team, lane, agent) and is_free(team, lane, agent) and began:
        take_cheapest(team, lane, agent, tick)


@kernel
def speak(team, lane, agent, tick):
    """Hand the turn to the next in order if there is nothing more to do, in every tick until it is heard."""
    if (
        has_turn(team, lane, agent)
        and team.own[lane, agent, AgentStatus.FREE]
        and team.task[lane, agent, Assignment.KIND] == 0
    ):
        tell(team, lane, agent, tick, next_present(team, agent), Act.HAND_OFF, 0, 0)


SEQUENTIAL = Protocol("sequential", "one after the other, in order", receive, speak, turns=True, acts=(Act.HAND_OFF,))
