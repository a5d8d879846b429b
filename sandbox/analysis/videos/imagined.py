"""What a model makes of some lanes, tick by tick, as pictures: the rules, a learned world model, or a video model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from sandbox.analysis.videos.pictures import Camera
from sandbox.engine.arrays import copied
from sandbox.nets.video import Video


class Imagined(Protocol):
    """Some lanes as a model imagines them."""

    @property
    def pictures(self) -> np.ndarray:
        """(n, P, D) what they look like now."""

    def chosen(self, rows: np.ndarray) -> Self:
        """Copies of some of them."""

    def after(self, actions: np.ndarray) -> Self:
        """One tick later, with these actions (n, N, 2)."""


Begin = Callable[[Any, np.ndarray], Imagined]  # a true state of n lanes, and its pictures (n, P, D)


@dataclass(frozen=True, eq=False)
class Simulated:
    """A state that a step changes; its pictures are painted, or drawn by a video model from the state's tokens."""

    camera: Camera
    step: Callable[[Any, np.ndarray], None]
    state: Any
    pictures: np.ndarray
    drawer: Video | None = None

    def chosen(self, rows: np.ndarray) -> Self:
        return replace(self, state=copied(self.state, rows), pictures=self.pictures[rows])

    def after(self, actions: np.ndarray) -> Self:
        state = copied(self.state, np.arange(len(actions)))
        self.step(state, actions)
        lanes = range(len(actions))
        if self.drawer is None:
            return replace(self, state=state, pictures=self.camera.paint(state, lanes))
        still = np.zeros((len(actions), self.drawer.acts), np.float32)
        drawn = self.drawer.pictures(self.camera.tokens(state, lanes), still, np.random.default_rng(0))
        return replace(self, state=state, pictures=drawn)


@dataclass(frozen=True, eq=False)
class Filmed:
    """Pictures only: a video model makes each from the last."""

    camera: Camera
    video: Video
    pictures: np.ndarray

    def chosen(self, rows: np.ndarray) -> Self:
        return replace(self, pictures=self.pictures[rows])

    def after(self, actions: np.ndarray) -> Self:
        acts = self.camera.acts(actions)
        return replace(self, pictures=self.video.pictures(self.pictures, acts, np.random.default_rng(0)))


@dataclass(frozen=True, eq=False)
class Still:
    """A copy of the present: it predicts no change."""

    pictures: np.ndarray

    def chosen(self, rows: np.ndarray) -> Self:
        return replace(self, pictures=self.pictures[rows])

    def after(self, actions: np.ndarray) -> Self:
        return self
