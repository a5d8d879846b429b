"""A drawn map as a dreamed world: played by codes, beside the true kernel, which acts by what they mean."""

from typing import Any, NamedTuple

import numpy as np

from sandbox.analysis.dreams.frames import framing_of, whole
from sandbox.core.errors import UsageError
from sandbox.core.world import World
from sandbox.engine.environment import Environment, make
from sandbox.engine.registry import find
from sandbox.nets.dream import WAYS, Dream, Frames
from sandbox.nets.weights import names, read, shipped

KIND = "dream"  # of the weights
MOST = 40  # cells a side: a dream of them takes a tenth of a second
LEAST_SIZE, SIZE = 8, 480  # pixels of a cell, of a picture
SHOWN = 12  # cells that are marked


class Difference(NamedTuple):
    """The first step after which the dream is not what the kernel has."""

    step: int
    cells: tuple[tuple[int, int], ...]  # of the map, (row, column); those nearest to the player first
    words: str


class Moment(NamedTuple):
    """The dream and the truth after a step."""

    dream: Frames  # one frame of 2 H - 1 x 2 W - 1 cells
    state: object  # of the kernel
    difference: Difference | None


def weights() -> Dream:
    """The dream that the package has."""
    known = names(KIND)
    if not known:
        raise UsageError(f"{KIND}: no such weights in sandbox/nets/weights")
    return Dream(read(shipped(f"{KIND}-{known[0]}")))


def world_of(dream: Dream) -> World:
    """The world that a dream was learned from."""
    return find(dream.card["world"])


class Played:
    """A dreamed world that is being played."""

    def __init__(self, layout: str, dream: Dream):
        self.layout, self.dream = layout, dream
        self.env = environment_of(world_of(dream), layout)
        self.framing = framing_of(self.env.world)
        self.means: list[str] = dream.card["means"]  # the action of each code, as measured at 100 labelled pairs
        self.keys: dict[str, int] = dream.card["keys"]  # the surest code of each action
        self.codes: list[int] = []
        self._moments = [self._first()]

    def _first(self) -> Moment:
        state = self.env.reset([0])
        self.env.place(state, 0, self.framing.start(self.layout))
        return Moment(whole(self.env, state), state, None)

    @property
    def cells(self) -> tuple[int, int]:
        return self.env.world.cells(self.env.params)

    @property
    def now(self) -> Moment:
        return self._moments[-1]

    def press(self, code: int) -> None:
        """One step, in the dream by the code and in the kernel by the action that it means."""
        if not 0 <= code < self.dream.codes:
            raise UsageError(f"code {code + 1}, expected 1 to {self.dream.codes}")
        before = self.now
        state = self.env.allocate(1)
        self.env.fork(before.state, 0, state, 0)
        verb = self.env.world.verbs.index(self.means[code])
        self.env.step(state, np.array([[[verb, 0]]], np.int32))
        frame = self.dream.step(before.dream, np.array([code]))
        self.codes.append(code)
        found = before.difference or self._difference(frame, state)
        self._moments.append(Moment(frame, state, found))

    def _difference(self, frame: Frames, state: Any) -> Difference | None:
        """How a dream differs from the truth; None if it does not."""
        true, (row, col) = whole(self.env, state), (int(each) for each in state.pos[0, 0])
        wrong, step = np.argwhere(frame.cells[0] != true.cells[0]), len(self.codes)
        if len(wrong):
            wrong = wrong[np.abs(wrong - np.array(self.cells) + 1).sum(axis=1).argsort(kind="stable")]
            dreamt, really = (self.framing.tokens[each.cells[0][tuple(wrong[0])]] for each in (frame, true))
            at = wrong - np.array(self.cells) + 1 + (row, col)
            inside = at[((at >= 0) & (at < self.cells)).all(axis=1)]
            marked = tuple((int(r), int(c)) for r, c in inside[:SHOWN]) or ((row, col),)
            told = f"at row {marked[0][0]}, column {marked[0][1]} the dream has {dreamt}, the kernel {really}"
            return Difference(step, marked, told + (f"; {len(wrong)} cells differ" if len(wrong) > 1 else ""))
        if frame.facing[0] != true.facing[0]:
            ways = (WAYS[each.facing[0]] for each in (frame, true))
            return Difference(step, ((row, col),), "in the dream the player faces {}, in the kernel {}".format(*ways))
        return None

    def back(self) -> None:
        """Take the last step back."""
        if self.codes:
            self.codes.pop()
            self._moments.pop()

    def restart(self) -> None:
        self.codes, self._moments = [], self._moments[:1]

    def pictures(self) -> tuple[np.ndarray, np.ndarray]:
        """The dream and the truth, (H, W, 3) uint8 each."""
        size = max(SIZE, LEAST_SIZE * max(self.cells))
        return self.env.render(self._drawn(), size=size), self.env.render(self.now.state, size=size)

    def _drawn(self):
        """A state that looks as the dream does, for the world's renderer."""
        high, wide = self.cells
        state, frame = self.env.allocate(1), self.now.dream
        self.env.fork(self._moments[0].state, 0, state, 0)
        row, col = place_of(frame)
        cells = frame.cells[0, high - 1 - row : 2 * high - 1 - row, wide - 1 - col : 2 * wide - 1 - col]
        self.framing.write(state, 0, cells, (row, col), int(frame.facing[0]))
        state.tick[0] = self.now.state.tick[0]  # the same daylight
        return state


def environment_of(world: World, layout: str) -> Environment:
    """A world on a drawn map, as it is dreamed; raises UsageError."""
    framing = framing_of(world)
    env = make(world.name, layout=layout if "\n" in layout else layout + "\n", **framing.options)
    high, wide = world.cells(env.params)
    if max(high, wide) > MOST:
        raise UsageError(f"a map of {high} x {wide} cells; expected at most {MOST} a side")
    for symbol in framing.left_out:
        for row, col in _cells(layout, symbol):
            raise UsageError(f"{symbol} at line {row + 1}, column {col + 1}: creatures are not dreamed")
    if (players := layout.count(framing.player)) > 1:
        raise UsageError(f"{players} players ({framing.player}); expected one")
    return env


def _cells(layout: str, symbol: str) -> list[tuple[int, int]]:
    """Where a map has a symbol, (row, column)."""
    rows = layout.splitlines()
    return [(row, col) for row, line in enumerate(rows) for col, each in enumerate(line) if each == symbol]


def place_of(frame: Frames) -> tuple[int, int]:
    """Where on its map the player is in a dream: a map begins where anything is known."""
    rows, cols = (np.flatnonzero(frame.cells[0].any(axis=axis)) for axis in (1, 0))
    high, wide = (side // 2 for side in frame.cells.shape[1:])
    return tuple(
        int(np.clip(far - known[0], 0, far)) if len(known) else 0 for known, far in ((rows, high), (cols, wide))
    )
