"""Hand-off: one agent works; when done, it hands the next task and the turn to the agent that suits the task best."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import AgentStatus, OpenTask, Protocol
from sandbox.engine.coordination.assignments import cheapest, is_free, take, take_cheapest
from sandbox.engine.coordination.team import Assignment, Message, messages_of, next_present, tell, way
from sandbox.engine.kernel import kernel
from sandbox.teams.protocols._turns import has_turn, receive_turn


@kernel
def receive(team, lane, agent, tick):
    """Take the task that comes with the turn; without one, take the cheapest task if no other agent is nearer to it."""
    task = receive_turn(team, lane, agent, tick)
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
    """The agent nearest to the holder's cheapest offer: the holder, or one that has reported its place."""
    k = cheapest(team, lane, agent)
    if k < 0:
        return next_present(team, agent)  # it knows no task; another agent may know one
    best, least = agent, team.open_tasks[lane, agent, k, OpenTask.COST]
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        far = way(team, messages[m, Message.VALUE], team.open_tasks[lane, agent, k, OpenTask.CELL])
        if messages[m, Message.ACT] == Act.IDLE and far < least:
            best, least = messages[m, Message.FROM], far
    return best


@kernel
def speak(team, lane, agent, tick):
    """Waiting agents report their place; the holder of the turn, once without a task, hands the turn on."""
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
