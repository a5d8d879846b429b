"""A world as frames of tokens, as a dream has them (``nets.dream``): ``World.frames``.

A frame is what one player sees: a token for each cell, the player in the middle, and the way that it faces. A token is
what the legend names. The world of one player has the options ``size``, of a map that is generated for each seed, and
``layout``, a map as text. L lanes, a map of R x C cells, frames of H x W:

=============================================  =========================================================================
``seen(observation)``                          the frames of the lanes: cells (L, H, W) int8, facing (L,) int8
``read(s, lane)``                              the map: cells (R, C) int8, facing; the player is at ``s.pos[lane, 0]``
``write(s, lane, cells, place, facing)``       its inverse, for pictures: what is no token goes
``start(text)``                                what a map has and ``options`` leave out, as keys of a description
``awake(s, lane)``                             whether the player's actions count
``taken[token](s, lane)``                      how often the player has taken such a thing
=============================================  =========================================================================

Facing is 0 to 3: left, right, up, down.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Framing:
    """The frames of a world, as it is registered."""

    tokens: tuple[str, ...]  # in words; 0: nothing is known
    symbols: tuple[str, ...]  # of each token on a map as text; "": a map cannot have it
    player: str  # its symbol
    left_out: str  # symbols of creatures, which no frame shows
    size: tuple[int, int]  # H, W
    least: int  # cells a side of a map
    options: Mapping[str, Any]  # of the world as it is dreamed
    seen: Callable[[Any], tuple[np.ndarray, np.ndarray]]
    read: Callable[[Any, int], tuple[np.ndarray, int]]
    write: Callable[[Any, int, np.ndarray, tuple[int, int], int], None]
    start: Callable[[str], dict[str, Any]]

    # for people
    floor: tuple[int, ...]  # tokens on which a player can stand, the usual one first
    example: str  # a map
    lacks: str  # what such a dream does not know, in a sentence
    spoken: Callable[[str], str]  # a verb, on a key

    # for an agent that plans in a dream
    moves: tuple[str, ...]  # verbs by which a frame may scroll
    acts: tuple[str, ...]  # verbs that need no item: random actions are drawn from these
    aims: tuple[int, ...]  # tokens before which it is to stand
    taken: Mapping[int, Callable[[Any, int], int]]
    awake: Callable[[Any, int], bool]
