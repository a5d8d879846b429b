"""Where the stations of a process are on its map, found once, from the paths of its flows.

The stations are the activities, then the manager's desk (what is escalated) and the reviewer's. The steps that most
cases take run in two or three rows, forth and back like a meander; what few cases need is in the rows between.
"""

from math import ceil

import numpy as np

MANAGER, REVIEWER, ERRANDS = 0, 1, 2  # stations after those of the activities
ALONE, TWO = 4, 12  # steps of a main path up to which it has one row, two rows
USUAL = 0.5  # share of the cases of a flow from which on a step is on the main path


def spots(
    path: np.ndarray, chance: np.ndarray, shares: np.ndarray, links: np.ndarray, activities: int, reviews: bool
) -> np.ndarray:
    """(activities + 2, 2) int32: row and column of each station; -1: not on the map.

    ``path`` (F, S) int32 has activities + 1, ``chance`` (F, S) that a step is taken, ``shares`` (F,) of the flows;
    ``links`` are the ways between activities (``routing.ways``).
    """
    main = _main(path, chance, shares)
    used = sorted(set((path[path > 0] - 1).tolist()) - set(main))
    rows = 1 if len(main) <= ALONE else 2 if len(main) <= TWO else 3
    cols = max(3, ceil(len(main) / rows))
    side = [*used, *range(activities, activities + (ERRANDS if reviews else 1))]
    between = ceil(len(side) / cols)
    found = np.full((activities + ERRANDS, 2), -1, np.int32)
    for k, station in enumerate(main):
        row, col = divmod(k, cols)
        found[station] = row + (between if row else 0), cols - 1 - col if row % 2 else col
    free = [(1 + row, col) for row in range(between) for col in range(cols)]
    for station in side:
        near = {int(b if a == station else a) for a, b, _ in links if station in (a, b)} & set(main)
        wanted = np.mean([found[each, 1] for each in near]) if near else cols - 1
        found[station] = place = min(free, key=lambda one: (one[0], abs(one[1] - wanted)))
        free.remove(place)
    return found


def _main(path: np.ndarray, chance: np.ndarray, shares: np.ndarray) -> list[int]:
    """The activities that most cases of the most frequent flow take, in their order."""
    flow = int(np.argmax(shares))
    steps = path[flow][(path[flow] > 0) & (chance[flow] >= USUAL)] - 1
    return list(dict.fromkeys(steps.tolist()))
