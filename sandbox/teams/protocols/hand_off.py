"""Hand-off: one works at a time; when its task is done it hands the next one, and the turn, to whom it suits best."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import AgentStatus, OpenTask, Protocol
from sandbox.engine.coordination.assignments import cheapest, is_free, take, take_cheapest
from sandbox.engine.coordination.team import Assignment, Message, messages_of, next_present, tell, way
from sandbox.engine.kernel import kernel
from sandbox.teams.protocols.turns import has_turn, heed_turn


@kernel
def receive(team, lane, agent, tick):
    """With the turn comes a task; without one, the cheapest is taken by who holds the turn and nobody is nearer to."""
    task = heed_turn(team, lane, agent, tick)
    if not has_turn(team, lane, agent) or not is_free(team, lane, agent):
        return
    for k in range(team.open_tasks.shape[2]):
        if task and team.open_tasks[lane, agent, k, OpenTask.CODE] == task:
            take(team, lane, agent, task, team.open_tasks[lane, agent, k, OpenTask.CELL], tick)
            return
    if best_suited(team, lane, agent) == agent:
        take_cheapest(team, lane, agent, tick)


@kernel
def best_suited(team, lane, agent):
    """Who is nearest to the holder's cheapest offer, of itself and those that have said where they are."""
    k = cheapest(team, lane, agent)
    if k < 0:
        return next_present(team, agent)  # it knows of nothing to do: another one may
    best, least = agent, team.open_tasks[lane, agent, k, OpenTask.COST]
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        far = way(team, messages[m, Message.VALUE], team.open_tasks[lane, agent, k, OpenTask.CELL])
        if messages[m, Message.ACT] == Act.IDLE and far < least:
            best, least = messages[m, Message.FROM], far
    return best


@kernel
def speak(team, lane, agent, tick):
    """Those that wait say where they are; who has the turn and no task hands both on."""
    if not has_turn(team, lane, agent):
        if is_free(team, lane, agent):
            tell(team, lane, agent, tick, -1, Act.IDLE, 0, team.own[lane, agent, AgentStatus.CELL])
    elif team.task[lane, agent, Assignment.KIND] == 0:
        k, to = cheapest(team, lane, agent), best_suited(team, lane, agent)
        if to != agent:
            code = team.open_tasks[lane, agent, k, OpenTask.CODE] if k >= 0 else 0
            tell(team, lane, agent, tick, to, Act.HAND_OFF, code, 0)


HAND_OFF = Protocol("hand_off", "one at a time, who hands the next task to whom it suits best", receive, speak,
                    turns=True, acts=(Act.HAND_OFF, Act.IDLE))  # fmt: skip
