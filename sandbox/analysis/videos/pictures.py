"""Painted pictures of a world with cells, small and cell by cell, as ``nets.video`` sees them; and their reading.

A picture is painted as the studio paints it, four times as large, and made smaller by averages. What it shows is read
back by an album: the pictures of cells that episodes of the training had. Two cells show the same if their likest
picture in the album is the same one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from sandbox.analysis.noisy_play import noisy_play
from sandbox.core.errors import UsageError
from sandbox.core.tokens import Practice
from sandbox.engine.environment import Environment, make
from sandbox.engine.learned import tokens_of
from sandbox.engine.registry import opened

SIDE, FINER = 8, 4  # pixels of a cell; how much larger it is painted
APART = 4.0  # pictures of cells nearer than this, summed over their pixels in -1..1, are one in the album


def scene(world: str) -> Environment:
    """The environment that is filmed: the first of the practice of a world's tokens, with one agent.

    Raises UsageError for a world without tokens or without cells.
    """
    found = opened(world)
    practice: Practice = tokens_of(found).practice
    if found.cells is None:
        raise UsageError(f"video: the world '{world}' has no cells, so its pictures are not read back")
    return make(world, **{**practice.tests[0], "agents": 1})


@dataclass(frozen=True, eq=False)
class Camera:
    """Paints the lanes of a state. P cells, D numbers of a cell's pixels."""

    env: Environment

    @cached_property
    def cells(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.env.world.cells(self.env.params)

    def paint(self, state: Any, lanes: Sequence[int]) -> np.ndarray:
        """(n, P, D) float32 in -1..1."""
        return np.concatenate([self._one(state, lane) for lane in lanes])

    def _one(self, state: Any, lane: int) -> np.ndarray:
        rows, cols = self.cells
        large = self.env.render(state, lane, size=max(rows, cols) * SIDE * FINER).astype(np.float32)
        small = large.reshape(rows, SIDE, FINER, cols, SIDE, FINER, 3).mean(axis=(2, 5)) / 127.5 - 1
        return small.transpose(0, 2, 1, 3, 4).reshape(1, rows * cols, -1)

    def image(self, picture: np.ndarray) -> np.ndarray:
        """A picture (P, D) as (H, W, 3) uint8."""
        rows, cols = self.cells
        parts = picture.reshape(rows, cols, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4)
        return np.rint((parts.reshape(rows * SIDE, cols * SIDE, 3).clip(-1, 1) + 1) * 127.5).astype(np.uint8)

    # -- what a model is told ------------------------------------------------------------------------------------------

    def acts(self, actions: np.ndarray) -> np.ndarray:
        """(n, N * V) float32 of actions (n, N, 2)."""
        verbs = len(self.env.verbs)
        return np.eye(verbs, dtype=np.float32)[actions[..., 0].clip(0, verbs - 1)].reshape(len(actions), -1)

    def tokens(self, state: Any, lanes: Sequence[int]) -> np.ndarray:
        """(n, P, T) float32: the classes of each cell's tokens, while nobody acts."""
        world, params, env = self.env.world, self.env.params, self.env
        tokens = tokens_of(world)
        places, classes = len(tokens.neighbours(params)), [channel.classes for channel in tokens.seen]
        seen = np.zeros((places + 1, len(classes)), np.int16)
        asked, idle = np.zeros((tokens.most(params), 2), np.int32), np.zeros((len(state.seed), env.agents, 2), np.int32)
        idle[..., 0] = params.noop
        found = []
        for lane in lanes:
            tokens.pack(state, lane, idle, params, seen, asked)
            shown = [np.eye(count, dtype=np.float32)[seen[:places, k]] for k, count in enumerate(classes)]
            found.append(np.concatenate(shown, axis=1))
        return np.stack(found)


@dataclass(frozen=True, eq=False)
class Shots:
    """Pairs of pictures: before a tick (n, P, D), after it, the actions (n, A * V), and the next state's tokens."""

    before: np.ndarray
    acts: np.ndarray
    after: np.ndarray
    tokens: np.ndarray

    def __len__(self) -> int:
        return len(self.before)

    def __getitem__(self, chosen: Any) -> "Shots":
        return Shots(*(part[chosen] for part in self.parts))

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        return self.before, self.acts, self.after, self.tokens


def joined(shots: Sequence[Shots]) -> Shots:
    """All of them, in order."""
    return Shots(*map(np.concatenate, zip(*(each.parts for each in shots), strict=True)))


def film(
    camera: Camera, seeds: Sequence[int], policy: str, noise: np.ndarray, ticks: int, rng: np.random.Generator
) -> Iterator[tuple[Any, np.ndarray, Shots]]:
    """The state before each tick of episodes, the actions, and what is painted of the lanes that go on."""
    lanes, last = range(len(seeds)), None
    for before, actions, after in islice(noisy_play(camera.env, seeds, policy, noise, rng), ticks):
        live = np.flatnonzero(before.done == 0)
        last = camera.paint(before, lanes) if last is None else last
        now = camera.paint(after, lanes)
        yield (
            before,
            actions,
            Shots(last[live], camera.acts(actions[live]), now[live], camera.tokens(after, live.tolist())),
        )
        last = now


def album_of(pictures: np.ndarray) -> np.ndarray:
    """(M, D) float32: the cells of pictures (n, P, D) that differ from each other."""
    cells = np.unique(np.rint(pictures.reshape(-1, pictures.shape[-1]) * 64), axis=0) / 64
    kept: list[np.ndarray] = []
    for cell in cells.astype(np.float32):
        if not kept or np.abs(np.stack(kept) - cell).sum(axis=1).min() > APART:
            kept.append(cell)
    return np.stack(kept)


def read(album: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """(n, P) int: the number of the likest cell of the album, by squared difference."""
    cells = pictures.reshape(-1, pictures.shape[-1])
    apart = (album * album).sum(axis=1) - 2 * cells @ album.T
    return apart.argmin(axis=1).reshape(pictures.shape[:-1])
