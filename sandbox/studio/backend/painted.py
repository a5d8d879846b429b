"""A painted picture of craft as a map: each cell is read by templates, which the world's own renderer makes.

A cell may look as the studio paints it, or have the flat colour of the legend. The size of the cells is found: it is
the largest one at which every cell can be read.
"""

import io
from functools import cache

import numpy as np
from PIL import Image, UnidentifiedImageError

from sandbox.core.errors import UsageError
from sandbox.engine.environment import make
from sandbox.studio.backend.dream import MOST
from sandbox.worlds.craft.layouts import SYMBOLS
from sandbox.worlds.craft.rendering.picture import LEGEND
from sandbox.worlds.craft.state import CHUNK, Material

LARGEST = 4  # MB
PIXELS = 4096  # a side, at most
SIDE = 8  # pixels of a template
APART = 10.0  # mean difference of colours, of 255, that still is the same thing
EXPECTED = (
    "expected a picture of craft, of square cells that look as the studio paints them or have the legend's colours"
)
_PLAYER, _PLANT = "@", "P"


def read_picture(name: str, content: bytes) -> str:
    """The map in a picture, as text; raises UsageError, in one line, for any other."""
    name = name[:80]
    image = _opened(name, content)
    wide, high = image.size
    worst: tuple[float, str] = np.inf, ""
    for size in range(min(wide, high) // CHUNK, 0, -1):
        if wide % size or high % size or max(wide, high) // size > MOST:
            continue
        rows, cols = high // size, wide // size
        symbols, apart = _cells(image, rows, cols)
        if apart.max() <= APART:
            return _text(name, symbols)
        row, col = np.unravel_index(apart.argmax(), apart.shape)
        place = f"as {rows} x {cols} cells, row {row + 1}, column {col + 1} is like none of craft's"
        worst = min(worst, (float(np.median(apart)), place))
    raise UsageError(
        f"{name}: {worst[1] or f'{wide} x {high} pixels are not {CHUNK} to {MOST} cells a side'}; {EXPECTED}"
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


def _cells(image: Image.Image, rows: int, cols: int) -> tuple[np.ndarray, np.ndarray]:
    """The symbol of each cell (rows, cols), and how far it is from its template."""
    small = np.asarray(image.resize((cols * SIDE, rows * SIDE), Image.Resampling.BOX), np.float32)
    parts = small.reshape(rows, SIDE, cols, SIDE, 3).swapaxes(1, 2).reshape(rows * cols, -1)
    symbols, looks = _templates()
    apart = np.stack([np.abs(parts - look).mean(axis=1) for look in looks])
    best = apart.argmin(axis=0)
    return symbols[best].reshape(rows, cols), apart.min(axis=0).reshape(rows, cols)


def _text(name: str, symbols: np.ndarray) -> str:
    if (symbols == _PLAYER).sum() > 1:
        raise UsageError(f"{name}: {(symbols == _PLAYER).sum()} players; expected one")
    return "\n".join("".join(row) for row in symbols) + "\n"


@cache
def _templates() -> tuple[np.ndarray, np.ndarray]:
    """Symbols (T,), and what they look like (T, SIDE * SIDE * 3)."""
    found = [(symbol, look) for cell in (8, 16, 32) for symbol, look in _rendered(cell)]
    flat = {each.name.lower(): SYMBOLS[each] for each in Material if each} | {"gatherer": _PLAYER, "plant": _PLANT}
    for thing, colour in LEGEND:
        if thing in flat:
            ink = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], np.float32)
            found.append((flat[thing], np.broadcast_to(ink, (SIDE, SIDE, 3))))
    return np.array([symbol for symbol, _ in found]), np.stack([look.ravel() for _, look in found])


def _rendered(cell: int) -> list[tuple[str, np.ndarray]]:
    """Every material in several of its looks, plants, and players on each ground and in each direction."""
    grounds = [SYMBOLS[each] for each in Material if each]
    rows = [symbol * CHUNK for symbol in grounds] + [_PLANT * CHUNK]
    found = _parts(rows, cell, {})
    for facing in ("left", "right", "up", "down"):
        for ground in (".", ",", ":"):
            rows = [ground * CHUNK] * CHUNK
            start = {"players": [{"row": 5, "col": 5, "facing": facing}]}
            found.append((_PLAYER, _parts(rows, cell, start)[5 * CHUNK + 5][1]))
    return found


def _parts(rows: list[str], cell: int, start: dict) -> list[tuple[str, np.ndarray]]:
    env = make("craft", layout="\n".join(rows), agents=1, mobs=False)
    state = env.reset([0])
    if start:
        env.place(state, 0, start)
    else:
        state.pos[0], state.object_at[0] = -1, np.maximum(state.object_at[0], 0)
    image = Image.fromarray(env.render(state, size=cell * max(len(rows), CHUNK)))
    size = CHUNK * SIDE, len(rows) * SIDE
    small = np.asarray(image.resize(size, Image.Resampling.BOX), np.float32)
    parts = small.reshape(len(rows), SIDE, CHUNK, SIDE, 3).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3)
    return list(zip("".join(rows), parts, strict=True))
