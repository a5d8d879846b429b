"""A small video model: a diffusion transformer that makes the next picture of a world, cell by cell a token.

It is trained by flow matching (Lipman and others 2023) to remove noise from the next picture, given what is shown to
it: the last picture and the actions (a model of the world), or the tokens of the next state (a model that only draws).
Time and actions shift and scale each layer (Peebles and Xie 2023). It sees no later picture, so a film is made one
picture after the other.

Arrays are NumPy's or JAX's: what is trained is what is played. P patches (cells) of D numbers (pixels, -1..1), V verbs.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.nets.weights import EXPECTED, Weights

NEXT, DRAW = "next", "draw"  # what a model is shown: the last picture and the actions; or the next state's tokens
HEADS, STRETCH, WAVES, EYES = 4, 3, 16, 32
STEPS = 8  # of the removal of noise
EPSILON = 1e-5
AT_ONCE = 256  # pictures, so that the memory stays small


def shapes(
    patches: int, pixels: int, told: int, acts: int, wide: int, deep: int, album: int
) -> dict[str, tuple[int, ...]]:
    """The tensors of a model: what a patch is told has ``told`` numbers, and there are ``acts`` agents times verbs.

    With them go an ``eye``, whose features compare films, and the ``album`` that reads pictures back.
    """
    found = {
        "enter": (pixels + told, wide), "place": (patches, wide), "acts": (acts, wide), "time": (2 * WAVES, wide),
        "time_bias": (wide,), "leave_shift": (wide, 2 * wide), "leave": (wide, pixels), "leave_bias": (pixels,),
        "eye": (2 * pixels, EYES), "eye_bias": (EYES,), "eye_leave": (EYES, acts), "album": (album, pixels),
    }  # fmt: skip
    for k in range(deep):
        found |= {
            f"shift{k}": (wide, 6 * wide), f"attend{k}": (wide, 3 * wide), f"mix{k}": (wide, wide),
            f"up{k}": (wide, STRETCH * wide), f"up_bias{k}": (STRETCH * wide,), f"down{k}": (STRETCH * wide, wide),
        }  # fmt: skip
    return found


def clean(params: Mapping[str, Any], noisy: Any, when: Any, told: Any, acts: Any, residual: bool, xp: Any = np) -> Any:
    """The pictures (n, P, D) without noise, as the net guesses them from ``noisy`` ones.

    ``when`` (n,) is how much of them is picture, 0..1; ``told`` (n, P, T); ``acts`` (n, A * V) 1 for what each agent
    does. With ``residual`` the net guesses the change from ``told``.
    """
    waves = when[:, None] * (2.0 ** xp.arange(WAVES) * 0.1)
    known = xp.concatenate([xp.sin(waves), xp.cos(waves)], axis=-1) @ params["time"] + params["time_bias"]
    known = _swish(known + acts @ params["acts"], xp)
    x = xp.concatenate([noisy, told], axis=-1) @ params["enter"] + params["place"]
    for k in range(sum(name.startswith("shift") for name in params)):
        first, scale, gate, then, stretch, shut = xp.split((known @ params[f"shift{k}"])[:, None], 6, axis=-1)
        x = x + gate * _attend(params, k, _level(x, xp) * (1 + scale) + first, xp)
        inner = _level(x, xp) * (1 + stretch) + then
        x = x + shut * (_swish(inner @ params[f"up{k}"] + params[f"up_bias{k}"], xp) @ params[f"down{k}"])
    first, scale = xp.split((known @ params["leave_shift"])[:, None], 2, axis=-1)
    found = (_level(x, xp) * (1 + scale) + first) @ params["leave"] + params["leave_bias"]
    return found + told if residual else found


def _attend(params: Mapping[str, Any], k: int, x: Any, xp: Any) -> Any:
    count, patches, wide = x.shape
    parts = (x @ params[f"attend{k}"]).reshape(count, patches, 3, HEADS, wide // HEADS)
    query, key, value = (xp.swapaxes(parts[:, :, j], 1, 2) for j in range(3))
    likeness = query @ xp.swapaxes(key, 2, 3) * (wide // HEADS) ** -0.5
    weight = xp.exp(likeness - likeness.max(axis=-1, keepdims=True))
    seen = weight / weight.sum(axis=-1, keepdims=True) @ value
    return xp.swapaxes(seen, 1, 2).reshape(count, patches, wide) @ params[f"mix{k}"]


def _level(x: Any, xp: Any) -> Any:
    apart = x - x.mean(axis=-1, keepdims=True)
    return apart / xp.sqrt((apart * apart).mean(axis=-1, keepdims=True) + EPSILON)


def _swish(x: Any, xp: Any) -> Any:
    return x / (1 + xp.exp(-x))


def seen(params: Mapping[str, Any], before: Any, after: Any, xp: Any = np) -> Any:
    """(n, EYES) features of pairs of pictures, by which a linear layer, trained with them, tells the actions."""
    cells = xp.concatenate([before, after], axis=-1) @ params["eye"] + params["eye_bias"]
    return xp.maximum(cells, 0).max(axis=1)


class Video:
    """A trained model; raises UsageError for weights of another kind."""

    def __init__(self, found: Weights):
        card, tensors = found.card, found.tensors
        if not isinstance(card, dict) or card.get("kind") not in (NEXT, DRAW):
            raise UsageError(f"no video model; expected {EXPECTED}")
        self.kind, self.world, self.side = card["kind"], card.get("world"), card.get("side")
        sizes: list[Any] = [card.get(name) for name in ("patches", "pixels", "told", "acts", "wide", "deep", "album")]
        whole = all(isinstance(size, int) and 0 <= size < 1 << 16 for size in sizes)
        wanted = shapes(*sizes) if whole and sizes[5] < 64 and sizes[4] % HEADS == 0 else {}
        alike = {name: tensor.shape for name, tensor in tensors.items()} == wanted
        if not (wanted and alike and all(np.isfinite(tensor).all() for tensor in tensors.values())):
            raise UsageError(f"a video model whose tensors do not fit together; expected {EXPECTED}")
        self._params = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
        self.patches, self.pixels, self.told, self.acts = sizes[:4]
        self.album = self._params["album"]

    def pictures(self, told: np.ndarray, acts: np.ndarray, rng: np.random.Generator, steps: int = STEPS) -> np.ndarray:
        """(n, P, D) float32 the next pictures, from what is shown (n, P, T) and ``acts`` (n, A * V)."""
        parts = range(0, len(told), AT_ONCE)
        found = [self._some(told[k : k + AT_ONCE], acts[k : k + AT_ONCE], rng, steps) for k in parts]
        return np.concatenate(found) if found else np.zeros((0, self.patches, self.pixels), np.float32)

    def features(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """(n, EYES) float32: what the eye sees of pairs of pictures."""
        return seen(self._params, before, after)

    def _some(self, told: np.ndarray, acts: np.ndarray, rng: np.random.Generator, steps: int) -> np.ndarray:
        x = rng.standard_normal((len(told), self.patches, self.pixels), np.float32)
        for k in range(steps):
            when = np.full(len(told), k / steps, np.float32)
            guess = clean(self._params, x, when, told, acts, self.kind == NEXT)
            x += (guess - x) / (steps - k)
        return x.clip(-1, 1)
