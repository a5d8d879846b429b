"""What films are worth: how they look, and whether what changes in them is right.

How they look: peak signal-to-noise ratio (PSNR), what true actions add to it beside random ones (delta-PSNR, as in
Bruce and others 2024), and the Frechet distance (Heusel and others 2017) of an eye's features. The eye is a small net
that was trained here, so its distances compare with each other only. What is right: cells are read back from the
pictures; of those that really change, the share that shows what came, and the share of pictures without any wrong cell.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import sqrtm

from sandbox.analysis.videos.imagined import Begin, Filmed, Simulated
from sandbox.analysis.videos.pictures import Camera, film, read
from sandbox.engine.arrays import copied
from sandbox.nets.video import DRAW, Video
from sandbox.statistics import Estimate, clustered_rate, mean_difference

HORIZONS = 1, 5  # ticks
EVERY = 10  # ticks from one beginning to the next
PEAK = 2.0  # between black and white


class Measured(NamedTuple):
    """The measures of a model at one horizon."""

    horizon: int  # ticks
    psnr: Estimate  # dB, mean of the episodes
    delta_psnr: Estimate  # dB
    distance: float  # Frechet's, of the eye's features
    changed: int  # cells that really changed
    right: Estimate  # share of these
    whole: Estimate  # share of the pictures in which every cell is right
    alarms: float  # cells that changed in the picture only, for each that really did

    def as_dict(self) -> dict[str, Any]:
        """Plain values: estimates as [value, low, high], rounded."""
        return {
            name: [round(float(part), 4) for part in value] if isinstance(value, Estimate) else round(value, 4)
            for name, value in self._asdict().items()
        }


class _Ends(NamedTuple):
    """Pictures at the end of a horizon: (n, P, D) each."""

    before: np.ndarray
    true: np.ndarray
    made: np.ndarray
    guessed: np.ndarray  # with random actions


def measured(
    camera: Camera, begin: Begin, eye: Video, seeds: Sequence[int], policy: str, noise: float, ticks: int
) -> list[Measured]:
    """The measures at each of HORIZONS, on episodes of ``policy`` with a share ``noise`` of random actions."""
    rng = np.random.default_rng(seeds[0])
    played = list(film(camera, seeds, policy, np.full(len(seeds), noise), ticks, rng))
    return [_at(horizon, _ends(camera, begin, played, horizon, rng), eye, len(seeds)) for horizon in HORIZONS]


def beginning(camera: Camera, video: Video) -> Begin:
    """How a video model begins to imagine: from the tokens of the rules' state, if it only draws."""
    if video.kind == DRAW:
        return lambda state, pictures: Simulated(camera, camera.env.step, state, pictures, video)
    return lambda state, pictures: Filmed(camera, video, pictures)


def _ends(camera: Camera, begin: Begin, played: list, horizon: int, rng: np.random.Generator) -> _Ends:
    parts = []
    for start in range(0, len(played) - horizon + 1, EVERY):
        state, _, shots = played[start]
        taken = [actions for _, actions, _ in played[start : start + horizon]]
        random = [np.stack([rng.integers(len(camera.env.verbs), size=a.shape[:2]), np.zeros(a.shape[:2], int)], -1)
                  for a in taken]  # fmt: skip
        made = [_made(begin(copied(state, np.arange(len(shots))), shots.before), actions)
                for actions in (taken, [each.astype(np.int32) for each in random])]  # fmt: skip
        parts.append(_Ends(shots.before, played[start + horizon - 1][2].after, *made))
    return _Ends(*(np.stack(part, axis=1) for part in zip(*parts, strict=True)))


def _made(imagined: Any, taken: list[np.ndarray]) -> np.ndarray:
    for actions in taken:
        imagined = imagined.after(actions)
    return imagined.pictures


def _at(horizon: int, ends: _Ends, eye: Video, seeds: int) -> Measured:
    before, true, made = (read(eye.album, part.reshape(-1, *part.shape[2:])) for part in ends[:3])
    before, true, made = (part.reshape(seeds, -1, part.shape[-1]) for part in (before, true, made))
    changed, right = before != true, made == true
    flat = [part.reshape(-1, *part.shape[2:]) for part in ends]
    alarms = ((made != before) & ~changed).sum() / max(1, changed.sum())
    looks, guessed = psnr(ends.made, ends.true), psnr(ends.guessed, ends.true)
    return Measured(
        horizon, mean_difference(looks), mean_difference(looks - guessed),
        frechet(eye.features(flat[0], flat[1]), eye.features(flat[0], flat[2])), int(changed.sum()),
        clustered_rate((right & changed).sum(axis=(1, 2)), changed.sum(axis=(1, 2))),
        clustered_rate(right.all(axis=2).sum(axis=1), np.full(seeds, right.shape[1])), float(alarms),
    )  # fmt: skip


def psnr(made: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(E,) dB of pictures (E, ...), E episodes; 99 at most, for equal ones."""
    error = ((made - true).astype(float) ** 2).reshape(len(true), -1).mean(axis=1)
    return np.minimum(99.0, 10 * np.log10(PEAK**2 / np.maximum(error, 1e-12)))


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """Frechet's distance, squared, of two normal distributions with the moments of features (n, E) and (m, E)."""
    means = first.mean(axis=0) - second.mean(axis=0)
    spreads = [np.cov(part.astype(float), rowvar=False) for part in (first, second)]
    common = sqrtm(spreads[0] @ spreads[1] + 1e-9 * np.eye(len(spreads[0]))).real
    return max(0.0, float(means @ means + np.trace(spreads[0] + spreads[1] - 2 * common)))
