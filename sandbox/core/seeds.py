"""Seeds of episodes: whole numbers of 64 bits."""

import operator
from typing import Any

from sandbox.core.errors import UsageError, shown

LARGEST = 2**64 - 1


def checked_seed(value: Any, name: str = "seed") -> int:
    """A seed as a plain integer; NumPy's are taken. Raises UsageError for anything else."""
    try:
        seed = -1 if isinstance(value, bool) else operator.index(value)
    except Exception:  # whatever an object of somebody else's raises
        seed = -1
    if not 0 <= seed <= LARGEST:
        raise UsageError(f"{name}: expected a whole number 0..2**64-1, got {shown(value)}")
    return seed
