"""The generic perturbations, which act between a world and its agents: on observations and on actions.

They depend on no world: noise shows an agent another cell of its own window, a failed action is the no-op. All are
keyed draws in separate streams, and cost nothing at severity 0. Perturbations of replies are in ``agents.reasoners``.
"""

from typing import NamedTuple

import numpy as np

from sandbox.core.perturb import DOWN_AT_MOST, DOWN_FOR, FAIL_AT_MOST, LATE_AT_MOST, WRONG_AT_MOST, Fault
from sandbox.engine.draw import FAULT, below, uniform
from sandbox.engine.kernel import kernel

NOISE, OTHER, FAIL, CRASH, LOSS = (FAULT + k for k in range(5))  # streams
_SENSOR_NOISE, _ACTION_FAILURE = int(Fault.SENSOR_NOISE), int(Fault.ACTION_FAILURE)
_AGENT_CRASH, _MESSAGE_LOSS = int(Fault.AGENT_CRASH), int(Fault.MESSAGE_LOSS)


class Faults(NamedTuple):
    """The severities, and the delayed messages."""

    severity: np.ndarray  # (F,) float64           see core.perturb.Fault
    mail: np.ndarray  # (L, D, N, M, 4) int32  messages that arrive D ticks late; D = 0 without delay


def ticks_late(severity: float) -> int:
    """The delay of messages at a severity of message_delay, ticks."""
    return int(np.ceil(severity * LATE_AT_MOST))


@kernel
def distort(seed, tick, lane, obs, faults):
    """Apply faults to the observations of a lane, in place, after the world has filled them."""
    severity, agents = faults.severity, obs.window.shape[1]
    if severity[_SENSOR_NOISE] > 0:
        for agent in range(agents):
            blur(seed, tick, agent, severity[_SENSOR_NOISE] * WRONG_AT_MOST, obs.window[lane, agent])
    if severity[_MESSAGE_LOSS] > 0:
        for agent in range(agents):
            lose(seed, tick, agent, severity[_MESSAGE_LOSS], obs.inbox[lane, agent])
    if faults.mail.shape[1] > 0:
        hold(obs.inbox[lane], faults.mail[lane, tick % faults.mail.shape[1]])


@kernel
def blur(seed, tick, agent, chance, window):
    """With ``chance``, a cell of the window (C, K, K) shows another cell's content; the agent's own cell does not."""
    side = window.shape[1]
    cells = side * side
    own = cells // 2
    for cell in range(cells):
        key = agent * cells + cell
        if cell != own and uniform(seed, tick, NOISE, key) < chance:
            other = below(cells - 1, seed, tick, OTHER, key)
            other += other >= own
            for channel in range(window.shape[0]):
                window[channel, cell // side, cell % side] = window[channel, other // side, other % side]


@kernel
def lose(seed, tick, agent, chance, inbox):
    """With ``chance``, a message of the inbox (M, 4) is removed."""
    for m in range(len(inbox)):
        if uniform(seed, tick, LOSS, agent * len(inbox) + m) < chance:
            for k in range(4):
                inbox[m, k] = 0


@kernel
def hold(inbox, mail):
    """Store the messages of this tick (N, M, 4), and replace them by those stored at this place of the ring before."""
    for agent in range(inbox.shape[0]):
        for m in range(inbox.shape[1]):
            for k in range(4):
                inbox[agent, m, k], mail[agent, m, k] = mail[agent, m, k], inbox[agent, m, k]


@kernel
def can_fail(faults):
    """Whether actions can fail at all."""
    return faults.severity[_ACTION_FAILURE] > 0 or faults.severity[_AGENT_CRASH] > 0


@kernel
def is_down(seed, tick, agent, faults):
    """Whether an agent has crashed, and does nothing in this tick."""
    crash = faults.severity[_AGENT_CRASH]
    return crash > 0 and uniform(seed, tick // DOWN_FOR, CRASH, agent) < crash * DOWN_AT_MOST


@kernel
def fails(seed, tick, agent, faults):
    """Whether an agent's action fails in this tick."""
    if is_down(seed, tick, agent, faults):
        return True
    fail = faults.severity[_ACTION_FAILURE]
    return fail > 0 and uniform(seed, tick, FAIL, agent) < fail * FAIL_AT_MOST


def broken(seed: np.uint64, tick: np.int32, agent: int, faults: Faults) -> str:
    """Why an agent's action fails in this tick, in words; "": it does not, by a generic perturbation."""
    if is_down(seed, tick, agent, faults):
        return "the agent has crashed for a while (perturbation agent crash)"
    return "it broke down by chance (perturbation action failure)" if fails(seed, tick, agent, faults) else ""
