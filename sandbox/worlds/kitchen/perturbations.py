"""The kitchen's perturbations as kernels, by keyed draws. A severity of 0 draws nothing."""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.state import Severity, Stream, Verb

STRANGE_AT_MOST, SPELL = 0.4, 15  # severity 1 of strange_partner: share of affected spells; ticks of one spell
AWAY_AT_MOST = 0.4  # severity 1 of absent_partner: share of the tick limit that he is away
STICK_AT_MOST = 0.5  # severity 1 of sticky_floor: share of the steps that fail
SLOWER_AT_MOST = 2.0  # severity 1 of slow_pot: extra time, at most, in cooking times

HIMSELF, AWAY, HESITATES, WANDERS, HABITS = np.arange(5)
STAY, INTERACT = np.int32(Verb.STAY), np.int32(Verb.INTERACT)


@kernel
def mood(s, lane, agent, params):
    """The mood of a cook in this tick; only the last cook can have another than HIMSELF."""
    if agent + 1 < params.agents:
        return HIMSELF
    absent, strange = params.severity[Severity.ABSENT_PARTNER], params.severity[Severity.STRANGE_PARTNER]
    if absent > 0:
        begin = int(params.max_ticks * (0.05 + 0.5 * uniform(s.seed[lane], 0, Stream.AWAY, 0)))
        if begin <= s.tick[lane] < begin + absent * AWAY_AT_MOST * params.max_ticks:
            return AWAY
    if strange > 0:
        spell = s.tick[lane] // SPELL
        if uniform(s.seed[lane], spell, Stream.SPELL, 0) < strange * STRANGE_AT_MOST:
            return HESITATES + below(3, s.seed[lane], spell, Stream.SPELL, 1)
    return HIMSELF


@kernel
def whim(s, lane, verb, how):
    """What a cook in mood ``how`` does instead of ``verb``.

    When he hesitates, he acts in every third tick. When he wanders, he moves at random. By habit, he follows a fixed
    pattern of moves that the seed draws, and interacts with what he faces.
    """
    seed, tick = s.seed[lane], s.tick[lane]
    if how == AWAY:
        return STAY
    if how == HESITATES:
        return verb if below(3, seed, tick, Stream.WHIM, 0) == 0 else STAY
    if how == WANDERS:
        return np.int32(below(4, seed, tick, Stream.WHIM, 1))
    if tick % 3 == 2:
        return INTERACT
    return np.int32(below(4, seed, (tick + below(5, seed, 0, Stream.WHIM, 3)) // 5, Stream.WHIM, 2))


@kernel
def sticks(s, lane, agent, params):
    """Whether the sticky floor keeps a cook in his cell in this tick."""
    severity = params.severity[Severity.STICKY_FLOOR]
    return severity > 0 and uniform(s.seed[lane], s.tick[lane], Stream.STICK, agent) < severity * STICK_AT_MOST


@kernel
def slowness(s, lane, pot, time, params):
    """Ticks beyond its recipe's ``time`` that a soup started now takes."""
    severity = params.severity[Severity.SLOW_POT]
    if severity == 0:
        return 0
    return int(severity * SLOWER_AT_MOST * time * uniform(s.seed[lane], s.tick[lane], Stream.SLOW, pot))
