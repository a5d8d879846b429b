"""Shared by protocols with a turn: only its holder acts (``engine.coordination.phases.mask_actions``)."""

from sandbox.core.speech import Act
from sandbox.engine.coordination.assignments import drop
from sandbox.engine.coordination.team import Count, Message, Turn, messages_of, next_present, pass_turn
from sandbox.engine.kernel import kernel


@kernel
def has_turn(team, lane, agent):
    """Whether it is this agent's turn."""
    return team.turn[lane, Turn.HOLDER] == agent


@kernel
def receive_turn(team, lane, agent, tick):
    """Take the turn if its holder hands it on; the task that came with it, 0 for none.

    A holder without progress for too long loses the turn to the next in order, so that no agent can stop the
    team.
    """
    turn, task = team.turn[lane], 0
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.ACT] == Act.HAND_OFF and messages[m, Message.FROM] == turn[Turn.HOLDER]:
            task = messages[m, Message.TASK]
            pass_turn(team, lane, agent, tick)
    if has_turn(team, lane, agent) and tick - max(turn[Turn.SINCE], turn[Turn.PROGRESS]) > team.patience:
        drop(team, lane, agent)
        team.count[lane, Count.STALLS] += 1
        pass_turn(team, lane, next_present(team, agent), tick)
    return task
