"""One net for many worlds, told in words: an observation and the vector of a sentence give the odds of all pairs.

Each world has its own eyes (what its codes mean, see ``engine.trained``) and hands (its pairs of verb and target); what
lies between is common, and the sentence scales and shifts it (FiLM, Perez and others 2018). Numbers of an observation
are known by their names, so layouts of a world with other numbers are seen, too.

Arrays are NumPy's or JAX's: what is trained is what is played. n samples, I numbers of an observation, A pairs, S
components of a sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sandbox.core.errors import UsageError, shown, unknown
from sandbox.nets.weights import EXPECTED, Weights

KIND = "generalist"
SENTENCE = 256  # components of a sentence's vector
CODES, SHORT, WIDE = 32, 4, 96  # codes of a number; components of a code; width of the common layers
LOUD = SENTENCE**0.5  # a sentence's vector has length one
COMMON = {
    "sentence": (SENTENCE, WIDE), "middle": (WIDE, WIDE), "middle_bias": (WIDE,), "scale": (SENTENCE, WIDE),
    "shift": (SENTENCE, WIDE), "upper": (WIDE, WIDE), "upper_bias": (WIDE,), "stress": (SENTENCE, WIDE),
}  # fmt: skip


@dataclass(frozen=True)
class Senses:
    """What the net knows of a world's observations and actions, by their names."""

    channels: tuple[str, ...]
    side: int  # of the window: the largest that was seen
    vector: tuple[str, ...]
    verbs: tuple[str, ...]
    targets: int
    centred: bool  # windows have the agent in their middle

    @property
    def cells(self) -> int:
        return len(self.channels) * self.side**2

    @property
    def numbers(self) -> int:
        return self.cells + len(self.vector)

    @property
    def pairs(self) -> int:
        return len(self.verbs) * self.targets

    def shapes(self, world: str) -> dict[str, tuple[int, ...]]:
        """The tensors of the world's eyes and hands."""
        own = {
            "cell": (len(self.channels), CODES, SHORT), "column": (len(self.vector), CODES, SHORT),
            "place": (self.numbers, SHORT, WIDE), "bias": (WIDE,), "last": (WIDE, self.pairs),
            "last_bias": (self.pairs,),
        }  # fmt: skip
        return {f"{world}.{name}": shape for name, shape in own.items()}

    def places(self, side: int, vector: Sequence[str]) -> np.ndarray:
        """(I,) where each number that it knows is in an observation with another window and vector; -1: nowhere."""
        channels, row, col = np.indices((len(self.channels), self.side, self.side))
        if self.centred:
            row, col = row + (side - self.side) // 2, col + (side - self.side) // 2
        inside = (np.minimum(row, col) >= 0) & (np.maximum(row, col) < side)
        cells = np.where(inside, (channels * side + row) * side + col, -1).ravel()
        first, at = len(self.channels) * side**2, {name: k for k, name in enumerate(vector)}
        return np.append(cells, [first + at[name] if name in at else -1 for name in self.vector]).astype(np.int64)


def arranged(codes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(n, I) uint8: the codes (n, I') of observations as the net knows them, see :meth:`Senses.places`."""
    return np.where(places >= 0, codes[:, places], 0).astype(np.uint8)


def logits(params: Mapping[str, Any], world: str, codes: Any, sentences: Any, one_hot: Any, xp: Any = np) -> Any:
    """(n, A) of codes (n, I) and sentences (n, S); ``one_hot`` (codes, count) makes the last axis."""
    cell, column, place = (params[f"{world}.{name}"] for name in ("cell", "column", "place"))
    count, split = len(codes), place.shape[0] - column.shape[0]
    seen = one_hot(codes[:, :split].reshape(count, cell.shape[0], -1), CODES)
    cells = xp.einsum("nckv,cvd->nckd", seen, cell).reshape(count, split, SHORT)
    columns = xp.einsum("nkv,kvd->nkd", one_hot(codes[:, split:], CODES), column)
    known = xp.concatenate([cells, columns], axis=1).reshape(count, -1)
    told = sentences * LOUD
    x = known @ place.reshape(-1, WIDE) + params[f"{world}.bias"] + told @ params["sentence"]
    x = xp.maximum(x, 0) @ params["middle"] + params["middle_bias"]
    x = xp.maximum(x * (1 + told @ params["scale"]) + told @ params["shift"], 0)
    x = xp.maximum((x @ params["upper"] + params["upper_bias"]) * (1 + told @ params["stress"]), 0)
    return x @ params[f"{world}.last"] + params[f"{world}.last_bias"]


def one_hot(codes: np.ndarray, count: int) -> np.ndarray:
    """(..., count) float32."""
    return np.eye(count, dtype=np.float32)[codes]


class Generalist:
    """A trained net; raises UsageError for weights of another kind."""

    def __init__(self, found: Weights):
        card, tensors = found.card, found.tensors
        if not isinstance(card, dict) or card.get("kind") != KIND:
            raise UsageError(f"no generalist; expected {EXPECTED}")
        try:
            self.senses = {world: _senses(told) for world, told in card["senses"].items()}
        except (KeyError, TypeError, AttributeError, ValueError):
            raise UsageError(f"a generalist that tells of no world; expected {EXPECTED}") from None
        wanted = dict(COMMON)
        for world, senses in self.senses.items():
            wanted |= senses.shapes(world)
        alike = {name: tensor.shape for name, tensor in tensors.items()} == wanted
        if not (alike and all(np.isfinite(tensor).all() for tensor in tensors.values())):
            raise UsageError(f"a generalist whose tensors do not fit together; expected {EXPECTED}")
        self._params = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
        self.card, self.sha256 = card, found.sha256

    def check(self, world: str, channels: Sequence[str], verbs: Sequence[str], targets: int) -> None:
        """Raise UsageError for a world that it has not learned, or in which it learned with other senses."""
        if world not in self.senses:
            raise unknown("world", world, self.senses, "generalist")
        own = self.senses[world]
        if (own.channels, own.verbs, own.targets) != (tuple(channels), tuple(verbs), targets):
            raise UsageError(f"generalist: it has learned another version of the world {shown(world)}")

    def logits(self, world: str, codes: np.ndarray, sentences: np.ndarray) -> np.ndarray:
        """(n, A) float32 of codes (n, I) uint8, as :meth:`Senses.places` orders them, and sentences (n, S)."""
        return logits(self._params, world, codes, sentences, one_hot)


def _senses(told: Mapping[str, Any]) -> Senses:
    names = {key: tuple(map(str, told[key])) for key in ("channels", "vector", "verbs")}
    side, targets = (int(told[key]) for key in ("side", "targets"))
    if not (0 < side < 256 and 0 < targets < 4096):
        raise ValueError
    return Senses(names["channels"], side, names["vector"], names["verbs"], targets, bool(told["centred"]))


def card_of(senses: Mapping[str, Senses]) -> dict[str, Any]:
    """The senses as plain values for a card."""
    return {world: {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(own).items()}
            for world, own in senses.items()}  # fmt: skip
