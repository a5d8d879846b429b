"""The camera: it takes snapshots of a simulation, and finds the agent or cell at a click.

A shot is cheap: a copy of the lane and of the last positions. The page that shows it renders and packs it, so
the thread of the simulation renders nothing, and unseen shots are never rendered.
"""

import io
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from sandbox.engine.pool import cores
from sandbox.studio.backend.cards import Card
from sandbox.studio.backend.frames import WHOLE, Frames, Stretch, View, pack
from sandbox.studio.backend.marks import Mark

TRAIL = 12  # ticks
SEEN = 64  # shots whose positions are kept, for clicks on slightly older frames
STILL, MOVING = 16_000_000, 3_000_000  # pixels of a whole picture, at most: still, playing
SMALLEST = 1 / 64  # side of a view, as a fraction of the picture's
ROOMY = 1_000_000  # pixels of a box at most
OVERVIEW = 128  # pixels of the longest side of the map beside a part of the picture
REACH = 0.02  # of the picture's height: tolerance of a click
DARKROOM = threading.BoundedSemaphore(cores())  # painters at once; more would only pass the GIL around
Box = tuple[int, int]  # available width and height, pixels


class Frame(NamedTuple):
    """What a picture is to show, and how large."""

    box: Box
    view: View = WHOLE
    follow: bool = False  # whether the view moves with an agent


class Click(NamedTuple):
    """A click: the point as fractions of the whole picture, and the frame that was on the screen."""

    row: float
    col: float
    tick: int
    frame: int = 0
    reach: float = REACH


def boxed(width: int, height: int) -> Box:
    """The box to paint into, for a given room in pixels."""
    shrink = min(1.0, (ROOMY / max(1, width * height)) ** 0.5)
    return max(64, int(width * shrink)), max(64, int(height * shrink))


def framed(view: View) -> View:
    """The view moved and enlarged as needed, so that it lies within the picture."""
    height, width = (min(1.0, max(SMALLEST, side)) for side in view[2:])
    return (*(min(max(0.0, at), 1.0 - side) for at, side in zip(view, (height, width), strict=False)), height, width)


def size_for(env, box: Box, view: View = WHOLE, most: int = STILL) -> int:
    """The longest side (pixels) of the largest picture of this environment whose view fits into the box.

    The picture has at most ``most`` pixels.
    """
    tall, wide = env.world.canvas(env.params, 1000)
    scale = min(box[0] / (wide * view[3]), box[1] / (tall * view[2]), (most / (tall * wide)) ** 0.5)
    return max(1, int(max(tall, wide) * scale + 1e-6))


def _crop(shape: Sequence[int], view: View) -> tuple[slice, slice]:
    """Whole rows and columns of pixels that cover the view; as many wherever a view of that size is."""
    parts = []
    for at, share, side in zip(view[:2], view[2:], shape, strict=True):
        length = min(side, ceil(share * side) + (share < 1.0))
        first = min(int(at * side), side - length)
        parts.append(slice(first, first + length))
    return parts[0], parts[1]


@dataclass(frozen=True, eq=False)
class Shot:
    """A snapshot of one moment, for ``parts`` frames that move from the last places to the present ones."""

    env: Any
    params: Any  # of that moment; later interventions do not change it
    state: Any  # one lane, its own copy
    past: np.ndarray  # (N, T, 2) int32
    parts: int
    marks: tuple[Mark, ...]
    tick: int
    box: Box
    view: View
    most: int  # pixels of the whole picture
    cards: tuple[Card, ...] = ()

    @property
    def area(self) -> View:
        """The part of the picture in the frames: the view in whole pixels."""
        (tall, wide), (rows, cols) = self.shape, _crop(self.shape, self.view)
        return rows.start / tall, cols.start / wide, (rows.stop - rows.start) / tall, (cols.stop - cols.start) / wide

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Height and width of the whole picture, pixels."""
        return self.env.world.canvas(self.params, size_for(self.env, self.box, self.view, self.most))

    def frames(self) -> Iterator[np.ndarray]:
        """Frames (H, W, 3) uint8; the last one shows the present places."""
        crop = _crop(self.shape, self.view)
        for part in range(1, self.parts + 1):
            image = np.zeros((*self.shape, 3), np.uint8)
            self.env.world.render(self.state, 0, self.params, self.past, part / self.parts, image)
            yield np.ascontiguousarray(image[crop])

    def overview(self) -> bytes:
        """A small picture of the whole, as PNG, to show beside a part of it; empty beside the whole."""
        if self.view == WHOLE:
            return b""
        image = np.zeros((*self.env.world.canvas(self.params, OVERVIEW), 3), np.uint8)
        self.env.world.render(self.state, 0, self.params, self.past[:, -1:], 1.0, image)
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        return file.getvalue()


class Camera:
    """Takes snapshots of one lane, with smooth motion and a fading trail of past places."""

    def __init__(self, env, box: Box, view: View = WHOLE):
        self.env, self.box, self.view = env, box, view
        self.followed: int | None = None  # the agent that the view has in its middle
        self._seen: deque[tuple[int, np.ndarray]] = deque(maxlen=SEEN)
        self.forget()

    def forget(self) -> None:
        """Forget all past positions."""
        nowhere = np.full((self.env.agents, 2), -1, np.int32)
        self._past, self._believed = deque([nowhere] * TRAIL, maxlen=TRAIL), nowhere

    @property
    def before(self) -> np.ndarray:
        """Positions (N, 2) int32 before the last noted tick; -1: nowhere."""
        return self._past[-1]

    def note(self, state) -> None:
        """Store all positions, before a tick."""
        self._past.append(state.pos[0].copy())

    def shoot(
        self, state, parts: int, marks: tuple[Mark, ...] = (), believed=None, still: bool = False,
        cards: tuple[Card, ...] = (),
    ) -> Shot:  # fmt: skip
        """A snapshot in ``parts`` frames of the present state, or of the ``believed`` one (a state of one lane).

        ``still``: the picture will not move, so that it may be painted larger. ``cards``: what it says of agents.
        """
        self._seen.append((int(state.tick[0]), state.pos[0].copy()))
        past = np.stack(self._past, axis=1) if believed is None else self._believed[:, None].copy()
        shown = state if believed is None else believed
        self._believed = shown.pos[0].copy()
        lane = shown._make(field[:1].copy() for field in shown)
        most, tick = STILL if still else MOVING, int(state.tick[0])
        return Shot(self.env, self.env.params, lane, past, parts, marks, tick, self.box, self._seen_from(state), most,
                    cards)  # fmt: skip

    def _seen_from(self, state) -> View:
        """The view; around the followed agent, or around the first one while that is nowhere."""
        there = np.flatnonzero(state.pos[0, :, 0] >= 0)
        if self.followed is None or self.env.world.cells is None or not len(there):
            return self.view
        agent = self.followed if self.followed in there else there[0]
        (row, col), (rows, cols) = state.pos[0, agent].tolist(), self.env.world.cells(self.env.params)
        _, _, tall, wide = self.view
        return framed(((row + 0.5) / rows - tall / 2, (col + 0.5) / cols - wide / 2, tall, wide))

    def nearest(self, click: Click) -> int | None:
        """The clicked agent, None without one, in the tick that was on the screen."""
        if not self._seen:
            return None
        pos = next((pos for tick, pos in reversed(self._seen) if tick == click.tick), self._seen[-1][1])
        return nearest(self.env, pos, (click.row, click.col), click.reach)


def nearest(env, pos: np.ndarray, point: tuple[float, float], reach: float = REACH) -> int | None:
    """The agent (row of ``pos`` (N, 2)) at a point, as fractions of the whole picture; None if none is near.

    Without a grid, it is the agent in whose part of the picture the point is.
    """
    if env.world.cells is None:
        parts = (env.world.part(env.params, agent) for agent in range(env.agents))
        return next((agent for agent, own in enumerate(parts) if _within(own, point)), None)
    rows, cols = env.world.cells(env.params)
    away = np.hypot(pos[:, 0] + 0.5 - point[0] * rows, pos[:, 1] + 0.5 - point[1] * cols)
    away[pos[:, 0] < 0] = np.inf
    agent = int(away.argmin())
    return agent if away[agent] <= max(0.75, reach * rows) else None


def _within(part: View, point: tuple[float, float]) -> bool:
    top, left, tall, wide = part
    return top <= point[0] <= top + tall and left <= point[1] <= left + wide


def develop(shots: Sequence[Shot], episode: int, first: int, fps: int) -> Frames:
    """Paint and pack some shots of one size and view, without holding a lock."""
    last = shots[-1]
    (rows, cols), cells = _crop(last.shape, last.view), last.env.world.cells
    with DARKROOM:
        body = pack(frame for shot in shots for frame in shot.frames())
    return Frames(
        episode=episode,
        first=first,
        count=sum(shot.parts for shot in shots),
        height=rows.stop - rows.start,
        width=cols.stop - cols.start,
        fps=fps,
        body=body,
        ticks=tuple(Stretch(shot.tick, shot.parts, shot.marks, shot.area, shot.cards) for shot in shots),
        cells=cells and cells(last.params),
        overview=last.overview(),
    )
