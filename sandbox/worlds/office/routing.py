"""The ways of cases through the paths of a process, an absorbing Markov chain of steps (Kemeny & Snell 1960).

``path`` (S,) int32 has activities + 1, ``chance`` (S,) float64 that a step is taken, and ``jump`` (S,) int32 the step
+ 1 at which those go on who take it, if it is no activity. After the last step, and at the first empty one, is the end.
"""

import numpy as np

from sandbox.core.errors import UsageError


def _moves(path: np.ndarray, chance: np.ndarray, jump: np.ndarray, skipped: bool) -> np.ndarray:
    """(S, S) float64: from each step to each, ``skipped``: without taking an activity. The rest is at the end."""
    size = len(path)
    found = np.zeros((size, size + 1))
    for step in np.flatnonzero((path > 0) | (jump > 0)):
        if jump[step]:
            found[step, min(jump[step] - 1, size)] += chance[step]
        passed = 1 - chance[step] if jump[step] or skipped else 1.0
        found[step, step + 1] += passed
    return found[:, :size]


def check(path: np.ndarray, chance: np.ndarray, jump: np.ndarray, where: str) -> None:
    """Raise UsageError if cases can go round without end, or reach the end without an activity."""
    if not jump.any():
        return
    moves = _moves(path, chance, jump, False) > 0
    total = _moves(path, chance, jump, False).sum(axis=1)
    met, ends = np.zeros(len(path), bool), total < 1
    met[0] = True
    for _ in path:
        met, ends = met | (met @ moves), ends | (moves @ ends)
    if (met & ~ends).any():
        raise UsageError(f"{where}: from step {np.argmax(met & ~ends) + 1} on no way leads to the end; expected one")
    first = np.linalg.solve(np.eye(len(path)) - _moves(path, chance, jump, True).T, np.eye(len(path))[0])
    if float((first * chance * (path > 0)).sum()) < 1 - 1e-9:
        raise UsageError(f"{where}: cases can reach the end without an activity; expected one at least")


def visits(path: np.ndarray, chance: np.ndarray, jump: np.ndarray) -> np.ndarray:
    """(S,) float64: how often a case is expected to do the activity of each step."""
    met = np.linalg.solve(np.eye(len(path)) - _moves(path, chance, jump, False).T, np.eye(len(path))[0])
    return met * chance * (path > 0)


def next_steps(path: np.ndarray, chance: np.ndarray, jump: np.ndarray) -> np.ndarray:
    """(S, S) float64: the chance that the activity after that of one step is that of another."""
    size = len(path)
    passing = np.linalg.inv(np.eye(size) - _moves(path, chance, jump, True)) * (chance * (path > 0))
    return np.vstack([passing[1:], np.zeros((1, size))]) * (path > 0)[:, None]


def visits_of(path: np.ndarray, chance: np.ndarray, jump: np.ndarray, shares: np.ndarray, count: int) -> np.ndarray:
    """(A,) float64: how often a case is expected to do each of ``count`` activities; arrays (F, S) of all flows."""
    found = np.zeros(count)
    for flow, share in enumerate(shares):
        own = visits(path[flow], chance[flow], jump[flow])
        np.add.at(found, path[flow][path[flow] > 0] - 1, share * own[path[flow] > 0])
    return found


def ways(path: np.ndarray, chance: np.ndarray, jump: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(W, 3) float64: from one activity to another, and how often a case is expected to go that way; of all flows."""
    found: dict[tuple[int, int], float] = {}
    for flow, share in enumerate(shares):
        own = visits(path[flow], chance[flow], jump[flow])
        then = share * own[:, None] * next_steps(path[flow], chance[flow], jump[flow])
        for other, step in np.argwhere(then.T > 0):
            pair = int(path[flow, step]) - 1, int(path[flow, other]) - 1
            if pair[0] != pair[1]:
                found[pair] = found.get(pair, 0.0) + float(then[step, other])
    rows = [(one, other, part) for (one, other), part in found.items()]
    return np.array(rows, np.float64).reshape(-1, 3)
