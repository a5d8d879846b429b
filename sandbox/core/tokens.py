"""A world as tokens: how a learned world model reads a lane and writes what it predicts.

A *place* (a cell, an element of a page) has a token for each input channel: a class, where class 0 is the usual one. A
net sees the tokens of a place and of its neighbours, and predicts for the place what happens in one tick: a class for
each channel of one of its *heads*. The world's kernels translate, for P places and C channels of input:

================================================================  ====================================================
``pack(s, lane, actions, params, tokens, asked)``                 fill ``tokens`` (P + 1, C) int16, the last row for
                                                                  what lies outside, and ``asked`` (M, 2) int32: the
                                                                  places whose future is asked for, and their heads;
                                                                  returns the number of these
``outcome(s, lane, after, to, params, asked, count, out)``        fill ``out`` (M, H) int16: what happened from a lane
                                                                  to the next tick, in lane ``to`` of ``after``
``unpack(out, asked, count, s, lane, params)``                    make an outcome, predicted or true, the next tick
================================================================  ====================================================

Places that are not asked for stay as they are. What ``unpack`` knows by itself is said in the world's docstring.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class Channel(NamedTuple):
    """A channel of tokens."""

    name: str
    classes: int
    own: bool = False  # of input: the net sees this of the place itself, not of its neighbours


class Practice(NamedTuple):
    """The environments in which the model of a world is trained, and those of its test, with another policy."""

    layouts: tuple[str, ...]
    variants: tuple[dict[str, Any], ...]  # other options; each layout is played with each
    tests: tuple[dict[str, Any], ...]  # options
    policy: str  # of the test's episodes
    kept: tuple[float, ...] = ()  # by head: the share of the samples that are kept; by default all

    def options(self, layouts: Sequence[str] = ()) -> list[dict[str, Any]]:
        return [{"layout": layout, **variant} for layout in layouts or self.layouts for variant in self.variants]


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of a world, as it is registered."""

    seen: tuple[Channel, ...]  # input
    heads: tuple[tuple[Channel, ...], ...]  # output
    neighbours: Callable[[Any], np.ndarray]  # params -> (P, K) int32: the place itself first; P: outside
    most: Callable[[Any], int]  # params -> M, the most places that are asked for in one tick
    pack: Callable
    outcome: Callable
    unpack: Callable
    practice: Practice
    lacks: Callable[[Any], str] = lambda params: ""  # why a world of these params has no tokens; "": it has

    @property
    def rows(self) -> int:
        """Classes other than 0 of what a place shows to its neighbours."""
        return sum(channel.classes - 1 for channel in self.seen if not channel.own)

    @property
    def own_rows(self) -> int:
        """The same of what only the place itself sees."""
        return sum(channel.classes - 1 for channel in self.seen if channel.own)

    @property
    def outputs(self) -> int:
        """Classes of all heads: the width of the net's last layer."""
        return sum(channel.classes for head in self.heads for channel in head)

    def as_dict(self) -> dict[str, Any]:
        """Names and classes, as plain values: weights fit tokens with equal ones only."""
        return {
            "seen": [list(channel) for channel in self.seen],
            "heads": [[list(channel) for channel in head] for head in self.heads],
        }


def patches(rows: int, cols: int, reach: int = 2) -> np.ndarray:
    """Neighbours on a grid: the square of cells within ``reach``, (rows * cols, (2 * reach + 1)**2) int32."""
    span = range(-reach, reach + 1)
    steps = sorted(((down, right) for down in span for right in span), key=lambda step: step != (0, 0))
    row, col = np.divmod(np.arange(rows * cols), cols)
    found = np.empty((rows * cols, len(steps)), np.int32)
    for k, (down, right) in enumerate(steps):
        there = (row + down >= 0) & (row + down < rows) & (col + right >= 0) & (col + right < cols)
        found[:, k] = np.where(there, (row + down) * cols + col + right, rows * cols)
    return found
