"""An agent that plans in a film: it searches actions until the picture is the one that is wanted.

A goal is a picture of a true episode some ticks later, so it can be reached. The search is breadth first over what a
model makes of every verb, and takes two pictures that show the same for one. The plan is then played in the true
kernel, without looking, and judged by what is seen at its end.
"""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sandbox.analysis.videos.imagined import Begin, Imagined
from sandbox.analysis.videos.pictures import Camera, film, read
from sandbox.engine.arrays import copied

LATER = 4  # ticks until the wanted picture
MOST = 48  # pictures of a depth of the search
APART = 12  # ticks between two goals of an episode
Plan = tuple[int, ...]  # verbs


class Attempt(NamedTuple):
    """A goal, and how it went."""

    episode: int
    verbs: Plan | None  # the plan; None: the search found none
    really: bool  # the true kernel reached it
    guessed: bool  # as many random verbs did
    seconds: float  # of CPU, for the plan


def attempts(
    camera: Camera, begin: Begin, album: np.ndarray, seeds: Sequence[int], policy: str, noise: float, ticks: int
) -> list[Attempt]:
    """Goals of episodes, each tried once; those that are reached by waiting are left out."""
    rng = np.random.default_rng(seeds[0])
    played = list(film(camera, seeds, policy, np.full(len(seeds), noise), ticks, rng))
    found = []
    for start in range(0, len(played) - LATER, APART):
        state, _, shots = played[start]
        wanted = read(album, played[start + LATER - 1][2].after)
        for lane in range(len(shots)):
            one = copied(state, np.array([lane]))
            reaches = partial(_reaches, camera, album, one, wanted[lane])
            if not reaches([camera.env.params.noop] * LATER):
                began = time.process_time()
                plan = search(begin(one, shots.before[[lane]]), album, wanted[lane], len(camera.env.verbs))
                spent = time.process_time() - began
                chance = rng.integers(len(camera.env.verbs), size=LATER).tolist()
                found.append(Attempt(lane, plan, plan is not None and reaches(plan), reaches(chance), spent))
    return found


def search(imagined: Imagined, album: np.ndarray, wanted: np.ndarray, verbs: int) -> Plan | None:
    """LATER verbs that lead to the wanted picture, given as (P,) numbers of the album; None if none are found."""
    plans: list[Plan] = [()]
    known = imagined
    for _ in range(LATER):
        rows, acts = np.divmod(np.arange(len(plans) * verbs), verbs)
        actions = np.zeros((len(rows), 1, 2), np.int32)
        actions[:, 0, 0] = acts
        known = known.chosen(rows).after(actions)
        plans = [(*plans[row], int(act)) for row, act in zip(rows, acts, strict=True)]
        shown = read(album, known.pictures)
        _, first = np.unique(shown, axis=0, return_index=True)
        kept = np.sort(first)
        kept = kept[np.argsort((shown[kept] != wanted).sum(axis=1), kind="stable")[:MOST]]  # the nearest
        known, plans, shown = known.chosen(kept), [plans[k] for k in kept], shown[kept]
    hits = np.flatnonzero((shown == wanted).all(axis=1))
    return plans[hits[0]] if len(hits) else None


def _reaches(camera: Camera, album: np.ndarray, state: Any, wanted: np.ndarray, verbs: Sequence[int]) -> bool:
    """Whether these verbs of the only agent lead to the wanted picture in the true kernel."""
    now = copied(state, np.array([0]))
    for verb in verbs:
        camera.env.step(now, np.array([[[verb, 0]]], np.int32))
    return bool((read(album, camera.paint(now, [0]))[0] == wanted).all())
