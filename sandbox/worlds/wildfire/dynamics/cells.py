"""What a cell's byte says. Always as int64: mixed with Python's integers, a uint8 becomes a float in Numba."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.state import Ground, Kind


@kernel
def kind_of(code):
    """See Kind."""
    return np.int64(code) & np.int64(7)


@kernel
def ground_of(code):
    """See Ground."""
    return np.int64(code) >> np.int64(3)


@kernel
def age_of(code):
    """Ticks that a cell has burnt: 1.. for a burning one, 0 for any other and for what has caught fire in this tick."""
    ground = np.int64(code) >> np.int64(3)
    if ground < Ground.FIRE:
        return np.int64(0)
    return ground - (Ground.FIRE_PEOPLE if ground >= Ground.FIRE_PEOPLE else Ground.FIRE)


@kernel
def has_people(code):
    """Whether a household is in the cell."""
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
