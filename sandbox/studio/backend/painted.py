"""A painted picture of a world as a map: each cell is read by templates, which the world's own renderer makes.

A cell may look as the studio paints it, or have the flat colour of the legend. The size of the cells is found: it is
the largest one at which every cell can be read.
"""

import io
from functools import cache

import numpy as np
from PIL import Image, UnidentifiedImageError

from sandbox.analysis.dreams.frames import framing_of
from sandbox.core.errors import UsageError
from sandbox.core.world import World
from sandbox.engine.environment import make
from sandbox.nets.dream import FACINGS
from sandbox.studio.backend.dream import MOST

LARGEST = 4  # MB
PIXELS = 4096  # a side, at most
SIDE = 8  # pixels of a template
APART = 10.0  # mean difference of colours, of 255, that still is the same thing
EXPECTED = "expected a picture of square cells that look as the studio paints them, or have the legend's colours"


def read_picture(world: World, name: str, content: bytes) -> str:
    """The map of a world in a picture, as text; raises UsageError, in one line, for any other."""
    name, least = name[:80], framing_of(world).least
    image = _opened(name, content)
    wide, high = image.size
    worst: tuple[float, str] = np.inf, ""
    for size in range(min(wide, high) // least, 0, -1):
        if wide % size or high % size or max(wide, high) // size > MOST:
            continue
        rows, cols = high // size, wide // size
        symbols, apart = _cells(world, image, rows, cols)
        if apart.max() <= APART:
            return _text(name, symbols, framing_of(world).player)
        row, col = np.unravel_index(apart.argmax(), apart.shape)
        place = f"as {rows} x {cols} cells, row {row + 1}, column {col + 1} is like none of {world.name}'s"
        worst = min(worst, (float(np.median(apart)), place))
    raise UsageError(
        f"{name}: {worst[1] or f'{wide} x {high} pixels are not {least} to {MOST} cells a side'}; {EXPECTED}"
    )


def _opened(name: str, content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=["PNG"])
        if max(image.size) > PIXELS or len(content) > LARGEST * 1_000_000:
            size = f"{image.size[0]} x {image.size[1]} pixels, {len(content):,} bytes"
            raise UsageError(f"{name}: {size}; expected {PIXELS} pixels a side and {LARGEST} MB at most")
        return image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise UsageError(f"{name}: no PNG that can be read; {EXPECTED}") from None


def _cells(world: World, image: Image.Image, rows: int, cols: int) -> tuple[np.ndarray, np.ndarray]:
    """The symbol of each cell (rows, cols), and how far it is from its template."""
    small = np.asarray(image.resize((cols * SIDE, rows * SIDE), Image.Resampling.BOX), np.float32)
    parts = small.reshape(rows, SIDE, cols, SIDE, 3).swapaxes(1, 2).reshape(rows * cols, -1)
    symbols, looks = _templates(world)
    apart = np.stack([np.abs(parts - look).mean(axis=1) for look in looks])
    best = apart.argmin(axis=0)
    return symbols[best].reshape(rows, cols), apart.min(axis=0).reshape(rows, cols)


def _text(name: str, symbols: np.ndarray, player: str) -> str:
    if (symbols == player).sum() > 1:
        raise UsageError(f"{name}: {(symbols == player).sum()} players; expected one")
    return "\n".join("".join(row) for row in symbols) + "\n"


@cache
def _templates(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Symbols (T,), and what they look like (T, SIDE * SIDE * 3)."""
    found, framing = (
        [(symbol, look) for cell in (8, 16, 32) for symbol, look in _rendered(world, cell)],
        framing_of(world),
    )
    flat = dict(zip(framing.tokens, framing.symbols, strict=True)) | {world.roles[0]: framing.player}
    for thing, colour in world.legend:
        if flat.get(thing):
            ink = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], np.float32)
            found.append((flat[thing], np.broadcast_to(ink, (SIDE, SIDE, 3))))
    return np.array([symbol for symbol, _ in found]), np.stack([look.ravel() for _, look in found])


def _rendered(world: World, cell: int) -> list[tuple[str, np.ndarray]]:
    """Every token that a map can have, in several of its looks, and players on each ground and in each direction."""
    framing = framing_of(world)
    things = [token for token, symbol in enumerate(framing.symbols) if token and symbol]
    looks = _looks(world, np.repeat([things], framing.least, axis=0).T, (-1, -1), 0, cell)
    found = [(framing.symbols[token], look) for token, row in zip(things, looks, strict=True) for look in row]
    middle = framing.least // 2
    for facing in range(FACINGS):
        for ground in framing.floor:
            cells = np.full((framing.least, framing.least), ground)
            found.append((framing.player, _looks(world, cells, (middle, middle), facing, cell)[middle, middle]))
    return found


def _looks(world: World, cells: np.ndarray, place: tuple[int, int], facing: int, cell: int) -> np.ndarray:
    """(R, C, SIDE, SIDE, 3) what each of these tokens (R, C) looks like, painted with ``cell`` pixels a side."""
    framing, (rows, cols) = framing_of(world), cells.shape
    ground = framing.symbols[framing.floor[0]]
    env = make(world.name, layout="\n".join([ground * cols] * rows) + "\n", **framing.options)
    state = env.reset([0])
    framing.write(state, 0, cells, place, facing)
    image = Image.fromarray(env.render(state, size=cell * max(rows, cols)))
    small = np.asarray(image.resize((cols * SIDE, rows * SIDE), Image.Resampling.BOX), np.float32)
    return small.reshape(rows, SIDE, cols, SIDE, 3).swapaxes(1, 2)
