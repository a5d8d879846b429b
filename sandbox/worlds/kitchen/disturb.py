"""The kitchen's perturbations as kernels; each dose in 0..1, all keyed draws, none when its dose is 0."""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.state import Dose, Stream, Verb

STRANGE_AT_MOST, SPELL = 0.4, 15  # dose 1 of strange_partner: share of the spells; ticks of one spell
AWAY_AT_MOST = 0.4  # dose 1 of absent_partner: share of the tick limit that he is away for
STICK_AT_MOST = 0.5  # dose 1 of sticky_floor: share of the steps that fail
SLOWER_AT_MOST = 2.0  # dose 1 of slow_pot: a soup takes up to so many times its cooking time longer

HIMSELF, AWAY, HESITATES, WANDERS, HABITS = np.arange(5)
STAY, INTERACT = np.int32(Verb.STAY), np.int32(Verb.INTERACT)


@kernel
def mood(s, lane, agent, rules):
    """How the last cook is in this tick; all others are HIMSELF."""
    if agent + 1 < rules.agents:
        return HIMSELF
    absent, strange = rules.dose[Dose.ABSENT_PARTNER], rules.dose[Dose.STRANGE_PARTNER]
    if absent > 0:
        begin = int(rules.max_ticks * (0.05 + 0.5 * uniform(s.seed[lane], 0, Stream.AWAY, 0)))
        if begin <= s.tick[lane] < begin + absent * AWAY_AT_MOST * rules.max_ticks:
            return AWAY
    if strange > 0:
        spell = s.tick[lane] // SPELL
        if uniform(s.seed[lane], spell, Stream.SPELL, 0) < strange * STRANGE_AT_MOST:
            return HESITATES + below(3, s.seed[lane], spell, Stream.SPELL, 1)
    return HIMSELF


@kernel
def whim(s, lane, verb, how):
    """What a cook in mood ``how`` does instead of ``verb``.

    Hesitating, he acts in every third tick; wandering, he walks anywhere; by habit, he keeps to a way of going round
    that is drawn from the seed, trying out whatever he faces, and nobody was told.
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
def sticks(s, lane, agent, rules):
    """Whether the floor keeps a cook from leaving his cell in this tick."""
    dose = rules.dose[Dose.STICKY_FLOOR]
    return dose > 0 and uniform(s.seed[lane], s.tick[lane], Stream.STICK, agent) < dose * STICK_AT_MOST


@kernel
def slowness(s, lane, pot, time, rules):
    """Ticks that the soup begun now takes beyond its recipe's ``time``."""
    dose = rules.dose[Dose.SLOW_POT]
    if dose == 0:
        return 0
    return int(dose * SLOWER_AT_MOST * time * uniform(s.seed[lane], s.tick[lane], Stream.SLOW, pot))
