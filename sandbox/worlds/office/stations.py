"""Where the stations of a process are on its map, and the ways between them: found once, from the paths of its flows.

The stations are the activities, then the manager's desk (what is escalated) and the reviewer's. The steps that most
cases take run in two or three rows, forth and back like a meander; what few cases need is in the rows between.
"""

from math import ceil

import numpy as np

MANAGER, REVIEWER, ERRANDS = 0, 1, 2  # stations after those of the activities
ALONE, TWO = 4, 12  # steps of a main path up to which it has one row, two rows
USUAL = 0.5  # share of the cases of a flow from which on a step is on the main path


def ways(path: np.ndarray, chance: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(W, 3) float64: from one activity to another, and the share of all cases that are expected to go that way.

    ``path`` (F, S) int32 has activities + 1, ``chance`` (F, S) that a step is taken, ``shares`` (F,) of the flows.
    """
    found: dict[tuple[int, int], float] = {}
    for steps, taken, share in zip(path, chance, shares, strict=True):
        last: dict[int, float] = {}  # share of the cases whose latest activity this is
        for activity, chosen in zip((steps[steps > 0] - 1).tolist(), taken, strict=False):
            for before, part in last.items():
                if before != activity and part * chosen > 0:
                    found[before, activity] = found.get((before, activity), 0.0) + part * chosen
            total = sum(last.values()) if last else share
            last = {before: part * (1 - chosen) for before, part in last.items() if chosen < 1}
            last[activity] = last.get(activity, 0.0) + total * chosen
    rows = [(one, other, part) for (one, other), part in found.items()]
    return np.array(rows, np.float64).reshape(-1, 3)


def spots(path: np.ndarray, chance: np.ndarray, shares: np.ndarray, activities: int, reviews: bool) -> np.ndarray:
    """(activities + 2, 2) int32: row and column of each station; -1: not on the map."""
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
    links = ways(path, chance, shares)
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
