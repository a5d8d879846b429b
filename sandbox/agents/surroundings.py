"""The part of the painted world that an agent's window covers; of a state, or of what the agent believes."""

from typing import Any

import numpy as np

from sandbox.engine.environment import Environment

PAINTED = 4_000_000  # pixels of the whole picture from which it is cut, at most


def surroundings(env: Environment, state: Any, agent: int, side: int) -> np.ndarray:
    """(H, W, 4) uint8, ``side`` pixels a cell at most, transparent and black beyond the map.

    It is empty if the agent is nowhere. In a world without a map it is the agent's own part of the picture.
    """
    cells = env.world.cells
    if cells is None:
        return _opaque(_screen(env, state, agent))
    row, col = state.pos[0, agent].tolist()
    if row < 0:
        return np.zeros((0, 0, 4), np.uint8)
    (rows, cols), window = cells(env.params), env.spec.side
    most = (PAINTED / (rows * cols)) ** 0.5
    image = env.render(state, 0, max(rows, cols) * int(max(1, min(side, most))))
    cell = image.shape[0] / rows
    top, left, size = (round(part * cell) for part in (row - window // 2, col - window // 2, window))
    return _cut(image, top, left, size)


def _screen(env: Environment, state: Any, agent: int) -> np.ndarray:
    top, left, tall, wide = env.world.part(env.params, agent)
    image = env.render(state, 0, 640 * env.agents)
    (high, across), rows, cols = image.shape[:2], (top, top + tall), (left, left + wide)
    return image[slice(*(round(high * y) for y in rows)), slice(*(round(across * x) for x in cols))]


def _cut(image: np.ndarray, top: int, left: int, size: int) -> np.ndarray:
    """A square of the picture (size, size, 4) uint8; transparent beyond the border."""
    out = np.zeros((size, size, 4), np.uint8)
    y0, x0 = max(0, top), max(0, left)
    part = image[y0 : max(0, top + size), x0 : max(0, left + size)]
    high, wide = part.shape[:2]
    out[y0 - top : y0 - top + high, x0 - left : x0 - left + wide] = _opaque(part)
    return out


def _opaque(image: np.ndarray) -> np.ndarray:
    return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
