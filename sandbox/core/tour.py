"""A camera's tour of a lane, as a world offers it: ``World.tour``."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

Size = tuple[int, int]  # width and height in pixels


class Tour(Protocol):
    """A way through what a lane holds, and a camera on it. A view is a place of the camera and where it looks."""

    things: Mapping[int, str]  # what stands there, by number: its name
    looks: Mapping[int, Any]  # the view in which each thing is looked at; one that cannot be seen has none
    worth: Sequence[str]  # what the plan is worth, in lines of words: no picture changes it

    def views(self, count: int) -> Sequence[Any]:
        """So many views along the way, evenly spaced in time."""

    def picture(self, view: Any, size: Size, samples: int, seed: int = 0) -> np.ndarray:
        """(H, W, 3) uint8; ``samples`` of each pixel; the same seed makes the same picture."""

    def identities(self, view: Any, size: Size) -> np.ndarray:
        """(H, W) int: the number of the thing that each pixel shows; -1: none."""

    def close(self) -> None:
        """Remove its temporary files."""
