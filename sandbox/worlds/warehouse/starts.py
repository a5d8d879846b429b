"""Starts and goals from movingai's ``.scen`` files: line k has the starts of robot k and parcel k.

A line has bucket, map, width, height, start x, start y, goal x, goal y, optimal length; x counts columns, y rows, from
the upper left corner.
"""

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.files import explained, normal, path_of, read_text
from sandbox.core.maps import is_text
from sandbox.worlds.warehouse.layouts import Layout

EXPECTED = "a movingai scenario (.scen)"
WHERE = "world 'warehouse': starts"
SECTORS = 9  # words of a line


def load(starts: str, layout: Layout, count: int) -> np.ndarray:
    """(K, 4) int32: start row and column, goal row and column, of the first ``count`` lines; (0, 4) without a file.

    ``starts`` is a path, or the text of the file. Raises UsageError if it does not fit the layout.
    """
    if not starts:
        return np.zeros((0, 4), np.int32)
    if not layout.courier:
        raise UsageError(f"{WHERE}: a .scen file is for a movingai map; a layout with shelves draws its starts")
    text, where = normal(starts), "starts"
    if not is_text(starts):
        path = path_of(starts)
        text, where = read_text(path, EXPECTED), str(path)
    with explained(text, where, EXPECTED):
        return _parse(text, layout, count, where)


def _parse(text: str, layout: Layout, count: int, where: str) -> np.ndarray:
    lines = [(f"{where}: line {k}", line) for k, line in enumerate(text.split("\n"), 1) if line.strip()]
    if lines and lines[0][1].split()[0].lower() == "version":
        lines = lines[1:]
    if len(lines) < count:
        raise UsageError(f"{where}: {len(lines)} starts, expected one for each robot and order, {count} in all")
    found = {}
    for place, line in lines[:count]:
        *start, row, col = _errand(line, layout, place)
        if tuple(start) in found:
            raise UsageError(f"{place}: a second start at ({start[0]}, {start[1]}); expected different ones")
        found[tuple(start)] = row, col
    return np.array([(*start, *goal) for start, goal in found.items()], np.int32)


def _errand(line: str, layout: Layout, place: str) -> tuple[int, ...]:
    words = line.rsplit(maxsplit=SECTORS - 2)[1:]  # the name of a map may contain blanks
    if len(words) != SECTORS - 2 or not all(word.isascii() and word.isdigit() for word in words[:6]):
        raise UsageError(f"{place}: expected bucket, map, width, height, start x, y, goal x, y, optimal length")
    width, height, *ends = (int(word[:9]) for word in words[:6])
    if (height, width) != layout.plan.shape:
        raise UsageError(f"{place}: a map of {height} x {width}, but the layout has {_size(layout)}")
    for x, y in (ends[:2], ends[2:]):
        if not (x < width and y < height and layout.aisles[y, x]):
            raise UsageError(
                f"{place}: ({x}, {y}) cannot be reached; expected x and y of an open cell of {_size(layout)}"
            )
    return ends[1], ends[0], ends[3], ends[2]


def _size(layout: Layout) -> str:
    return "{} x {}".format(*layout.plan.shape)
