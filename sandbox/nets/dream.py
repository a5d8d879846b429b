"""A dreamed world: what a code, one of K, makes of a frame of tokens. Trained by ``learn.dream`` from frames alone.

A frame has H x W tokens (both odd, at least 5), in whose middle stands the player, and the way that it faces. For each
cell the net chooses one of the nine tokens around it (it, or a neighbour: so frames scroll) or a new token, as in Finn,
Goodfellow and Levine (2016). It sees these nine, the 5 x 5 tokens around the player, where the cell is beside the
player, whether the player faces it, and the code. The cell of the player also sees which way that is, and tells which
way it will be. Beyond the frame is token 0.

All numbers are whole and far below 2**53, so sums of float64 are exact in any order: a dream is equal on any machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.nets.weights import Weights

OWN, AROUND = 3, 5  # sides of what a cell sees of itself, and of the player, cells
COPIES, NEAR = OWN * OWN, AROUND * AROUND
PLACES = NEAR + 1  # where a cell is: one of those around the player, or far
WAYS = ("left", "right", "up", "down")  # of facing
STEPS = np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])  # (row, column) of each
FACINGS = len(WAYS)
TENSORS = (
    "table", "bias", "middle", "middle_bias", "last", "last_bias", "shifts", "unit", "usage",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of n moments."""

    cells: np.ndarray  # (n, H, W) int8: tokens
    facing: np.ndarray  # (n,) int8

    def __len__(self) -> int:
        return len(self.facing)

    def __getitem__(self, chosen: Any) -> "Frames":
        return Frames(self.cells[chosen], self.facing[chosen])


class Rows(NamedTuple):
    """The rows of the table that the first layer sums, by the first of each kind."""

    tokens: int
    codes: int

    @property
    def around(self) -> int:
        return COPIES * self.tokens

    @property
    def places(self) -> int:
        return self.around + NEAR * self.tokens

    @property
    def ahead(self) -> int:
        return self.places + PLACES

    @property
    def facing(self) -> int:
        return self.ahead + 1

    @property
    def code(self) -> int:
        return self.facing + FACINGS

    @property
    def total(self) -> int:
        return self.code + self.codes


def patches(cells: np.ndarray, side: int) -> np.ndarray:
    """(n, H, W, side * side): the tokens around each cell, row by row; token 0 beyond the frame."""
    pad = side // 2
    padded = np.pad(cells, ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (1, 2))
    return windows.reshape(*cells.shape, side * side)


def around(cells: np.ndarray) -> np.ndarray:
    """(n, 25): the tokens around the player."""
    row, col, far = cells.shape[1] // 2, cells.shape[2] // 2, AROUND // 2
    return cells[:, row - far : row + far + 1, col - far : col + far + 1].reshape(len(cells), NEAR)


def ahead(frames: Frames) -> np.ndarray:
    """(n, H, W) bool: the cell that the player faces."""
    _, high, wide = frames.cells.shape
    row, col = STEPS[frames.facing].T[..., None, None] + np.array([high // 2, wide // 2])[:, None, None, None]
    return (np.arange(high)[:, None] == row) & (np.arange(wide) == col)


def places(rows: int, cols: int) -> np.ndarray:
    """(H, W): where each cell of a frame is, see PLACES."""
    found, far = np.full((rows, cols), NEAR), AROUND // 2
    row, col = rows // 2, cols // 2
    found[row - far : row + far + 1, col - far : col + far + 1] = np.arange(NEAR).reshape(AROUND, AROUND)
    return found


class Logits(NamedTuple):
    """What may become of frames under each code, in units of 1 / ``Dream.unit`` nat."""

    ways: np.ndarray  # (n, K, H, W, 9 + T): a token is copied from one of the nine around, or is a new one
    turns: np.ndarray  # (n, K, 4): which way the player then faces


class Dream:
    """A trained net; raises UsageError for weights of anything else."""

    def __init__(self, weights: Weights):
        try:
            self._read(weights.tensors)
        except (KeyError, ValueError, TypeError, IndexError):
            raise UsageError("weights: expected those of a dream, which 'sandbox learn dream' has written") from None
        self.card, self.sha256 = weights.card, weights.sha256

    def _read(self, tensors: Mapping[str, np.ndarray]) -> None:
        whole = {name: tensors[name].astype(np.float64) for name in TENSORS}
        self._table, self._bias, self._middle, self._middle_bias, self._last, self._last_bias = list(whole.values())[:6]
        self._scale = 0.5 ** whole["shifts"]  # a division by a power of 2 is exact
        self.unit = float(whole["unit"][0])
        self._usage = whole["usage"] / whole["usage"].sum()  # how frequent the codes are
        self.codes, self.tokens = len(self._usage), len(self._last_bias) - COPIES - FACINGS
        low, high = self._middle.shape
        shapes = {
            "table": (self.rows.total, low), "bias": (low,), "middle_bias": (high,),
            "last": (high, COPIES + self.tokens + FACINGS), "shifts": (3,),
        }  # fmt: skip
        if self.tokens < 1 or any(whole[name].shape != shape for name, shape in shapes.items()):
            raise ValueError

    @property
    def rows(self) -> Rows:
        return Rows(self.tokens, self.codes)

    def logits(self, frames: Frames) -> Logits:
        """What may become of each frame under each code."""
        own = patches(frames.cells, OWN).astype(np.int64)
        number, _, _ = np.indices(frames.cells.shape)
        where = np.broadcast_to(places(*frames.cells.shape[1:]), frames.cells.shape)
        faced = ahead(frames)
        key = ((own @ self.tokens ** np.arange(COPIES) * PLACES + where) * 2 + faced) * len(frames) + number
        _, first, back = np.unique(key, return_index=True, return_inverse=True)  # most cells are like many others
        own, number, where = own.reshape(-1, COPIES)[first], number.ravel()[first], where.ravel()[first]
        sums = self._bias + self._table[self.rows.places + where]
        sums += self._table[self.rows.around + np.arange(NEAR) * self.tokens + around(frames.cells)].sum(axis=1)[number]
        sums += self._table[self.rows.ahead] * faced.ravel()[first, None]
        turning = self._table[self.rows.facing + frames.facing.astype(int)]
        sums += turning[number] * (where == NEAR // 2)[:, None]
        sums += self._table[np.arange(COPIES) * self.tokens + own].sum(axis=1)
        found = self._upper(sums[:, None] + self._table[self.rows.code :])
        found = found[back.reshape(frames.cells.shape)].transpose(0, 3, 1, 2, 4)
        middle = found[:, :, found.shape[2] // 2, found.shape[3] // 2]
        return Logits(found[..., :-FACINGS], middle[..., -FACINGS:])

    def _upper(self, sums: np.ndarray) -> np.ndarray:
        first = np.maximum(np.floor(sums * self._scale[0]), 0)
        second = np.maximum(np.floor((first @ self._middle + self._middle_bias) * self._scale[1]), 0)
        return np.floor((second @ self._last + self._last_bias) * self._scale[2])

    def futures(self, frames: Frames) -> Frames:
        """What each code makes of each frame, the likeliest of each cell: cells (n, K, H, W), facing (n, K)."""
        logits = self.logits(frames)
        ways = logits.ways.argmax(axis=-1)
        own = np.broadcast_to(patches(frames.cells, OWN)[:, None], (*ways.shape, COPIES))
        copied = np.take_along_axis(own, np.minimum(ways, COPIES - 1)[..., None], -1)[..., 0]
        cells = np.where(ways < COPIES, copied, ways - COPIES).astype(np.int8)
        return Frames(cells, logits.turns.argmax(axis=-1).astype(np.int8))

    def step(self, frames: Frames, codes: np.ndarray) -> Frames:
        """The frames that follow when ``codes`` (n,) are chosen."""
        return self.futures(frames)[np.arange(len(frames)), codes]

    def surprise(self, before: Frames, after: Frames) -> np.ndarray:
        """(n, K) nats: -log of the probability of the inner cells of ``after``, and of its facing, under each code.

        Cells at the edge are left out, since what scrolls in there was not to be seen.
        """
        logits, wanted = self.logits(before), after.cells[:, 1:-1, 1:-1, None]
        ways, turns = logits.ways[:, :, 1:-1, 1:-1] / self.unit, logits.turns / self.unit
        copied = patches(before.cells, OWN)[:, 1:-1, 1:-1] == wanted
        good = np.concatenate([copied, wanted == np.arange(self.tokens)], axis=-1)
        cells = _log_sum(ways) - _log_sum(np.where(good[:, None], ways, -np.inf))
        own = np.take_along_axis(turns, after.facing.astype(int)[:, None, None], -1)[..., 0]
        return cells.sum(axis=(2, 3)) + _log_sum(turns) - own

    def inferred(self, before: Frames, after: Frames) -> np.ndarray:
        """(n,) the code that most probably lies between two frames, by Bayes' rule."""
        return (self.surprise(before, after) - np.log(self._usage)).argmin(axis=1)


def _log_sum(x: np.ndarray) -> np.ndarray:
    top = x.max(axis=-1, keepdims=True)
    return (top + np.log(np.exp(x - top).sum(axis=-1, keepdims=True)))[..., 0]
