"""Group chat: all work, but only the agent with the word speaks, and all hear it. Round robin: the word goes round.
Selector: the lead gives it to one of the agents that raise their hand."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import AgentStatus, OpenTask, Protocol
from sandbox.engine.coordination.assignments import forget, is_free, note_of, remember, say_done, take_offer
from sandbox.engine.coordination.team import FAR, Assignment, Message, Turn, messages_of, next_present, pass_turn, tell
from sandbox.engine.kernel import kernel
from sandbox.teams.protocols._turns import has_turn


@kernel
def follow(team, lane, agent, tick):
    """Remember claims until the task is reported done or the claimer takes another one."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.ACT] == Act.CLAIM or messages[m, Message.ACT] == Act.DONE:
            forget(team, lane, agent, messages[m, Message.FROM])
        if messages[m, Message.ACT] == Act.CLAIM:
            remember(team, lane, agent, messages[m, Message.TASK], messages[m, Message.FROM], tick)


@kernel
def choose(team, lane, agent, tick):
    """A free agent with the word takes its cheapest unclaimed offer."""
    best, least = -1, FAR
    for k in range(team.open_tasks.shape[2]):
        offer = team.open_tasks[lane, agent, k]
        if (
            offer[OpenTask.CODE]
            and offer[OpenTask.COST] < least
            and note_of(team, lane, agent, offer[OpenTask.CODE]) < 0
        ):
            best, least = k, offer[OpenTask.COST]
    if best >= 0:
        take_offer(team, lane, agent, best, tick)


@kernel
def receive_round_robin(team, lane, agent, tick):
    """Pass the word to the next agent in every tick."""
    follow(team, lane, agent, tick)
    if has_turn(team, lane, agent) and tick > team.turn[lane, Turn.SINCE]:
        pass_turn(team, lane, next_present(team, agent), tick)
    if has_turn(team, lane, agent) and is_free(team, lane, agent):
        choose(team, lane, agent, tick)


@kernel
def receive_selector(team, lane, agent, tick):
    """The agent to which the lead gives the word has it in this tick."""
    follow(team, lane, agent, tick)
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.ACT] == Act.NEXT and messages[m, Message.FROM] == team.lead:
            pass_turn(team, lane, agent, tick)
            if is_free(team, lane, agent):
                choose(team, lane, agent, tick)


@kernel
def talk(team, lane, agent, tick):
    """With the word, report the task that was taken or finished."""
    job = team.task[lane, agent]
    if job[Assignment.KIND]:
        tell(team, lane, agent, tick, -1, Act.CLAIM, job[Assignment.CODE], job[Assignment.COST])
    say_done(team, lane, agent, tick, -1)


@kernel
def speak_round_robin(team, lane, agent, tick):
    if has_turn(team, lane, agent):
        talk(team, lane, agent, tick)


@kernel
def speak_selector(team, lane, agent, tick):
    """Free agents raise their hand; the lead gives the word to the next of them in order, or takes it itself."""
    if has_turn(team, lane, agent) and tick == team.turn[lane, Turn.SINCE]:
        talk(team, lane, agent, tick)
    if agent != team.lead:
        if is_free(team, lane, agent):
            tell(team, lane, agent, tick, team.lead, Act.IDLE, 0, team.own[lane, agent, AgentStatus.CELL])
        return
    agents = len(team.hosted)
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    best, least = -1, agents
    for m in range(start, stop):
        after = (messages[m, Message.FROM] - team.turn[lane, Turn.HOLDER] - 1) % agents
        if messages[m, Message.ACT] == Act.IDLE and after < least:
            best, least = messages[m, Message.FROM], after
    if best >= 0:
        tell(team, lane, agent, tick, best, Act.NEXT, 0, 0)
    elif is_free(team, lane, agent):
        pass_turn(team, lane, agent, tick)
        choose(team, lane, agent, tick)


ROUND_ROBIN = Protocol("round_robin", "group chat: the word goes round, who has it claims a task", receive_round_robin,
                       speak_round_robin, reports=True, acts=(Act.CLAIM,))  # fmt: skip
SELECTOR = Protocol("selector", "group chat: the lead gives the word to one after the other", receive_selector,
                    speak_selector, True, reports=True, acts=(Act.CLAIM, Act.NEXT, Act.IDLE))  # fmt: skip
