"""Decode the byte of a cell. Results are int64: Numba turns uint8 mixed with Python integers into a float."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.state import Ground, Kind


@kernel
def kind_of(code):
    """The Kind of a cell, int64."""
    return np.int64(code) & np.int64(7)


@kernel
def ground_of(code):
    """The Ground of a cell, int64."""
    return np.int64(code) >> np.int64(3)


@kernel
def age_of(code):
    """Ticks that a cell has burnt, 1..OLDEST; 0: it does not burn, or was ignited in this tick."""
    ground = np.int64(code) >> np.int64(3)
    if ground < Ground.FIRE:
        return np.int64(0)
    return ground - (Ground.FIRE_PEOPLE if ground >= Ground.FIRE_PEOPLE else Ground.FIRE)


@kernel
def has_people(code):
    """Whether there is a household in the cell."""
    ground = np.int64(code) >> np.int64(3)
    return ground == Ground.PEOPLE or ground == Ground.WET_PEOPLE or ground >= Ground.FIRE_PEOPLE


@kernel
def can_burn(code):
    """Whether a cell has fuel, dry or wet, that is neither burning nor burnt."""
    kind = np.int64(code) & np.int64(7)
    return Kind.GRASS <= kind <= Kind.BUILDING and np.int64(code) >> np.int64(3) <= Ground.WET_PEOPLE


@kernel
def is_wet(code):
    """Whether a cell has been doused and has not dried."""
    ground = np.int64(code) >> np.int64(3)
    return ground == Ground.WET or ground == Ground.WET_PEOPLE
