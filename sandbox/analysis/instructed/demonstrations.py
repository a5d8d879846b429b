"""Demonstrations: what the demonstrator does in many starts, for each instruction, and what the agent sees there.

Now and then it slips, and acts at random, so that states off its way are in them too; a slip itself is not imitated.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from sandbox.analysis.instructed.plans import AGENT, DEEPEST, Lanes, counts, instructed, plans, tick
from sandbox.analysis.instructed.starts import starts
from sandbox.engine.environment import Environment, make
from sandbox.engine.trained import encode
from sandbox.nets.generalist import Senses, arranged

SLIPS = 0.15  # share of ticks


class Place(NamedTuple):
    """A world with options, and where the numbers that the net knows are in its observations."""

    env: Environment
    senses: Senses
    order: np.ndarray  # (I,) int64, see ``Senses.places``

    @classmethod
    def of(cls, world: str, options: Mapping[str, Any], senses: Senses) -> Self:
        env = make(world, **options)
        return cls(env, senses, senses.places(env.spec.side, env.spec.vector))

    def codes(self, view: Any) -> np.ndarray:
        """(L, I) uint8: the codes of what the agent that is told sees."""
        spec = self.env.spec
        lanes = len(view.mask)
        raw = np.zeros((lanes, len(spec.channels) * spec.side**2 + len(spec.vector)), np.uint8)
        for lane in range(lanes):
            encode(view, lane, AGENT, raw[lane])
        return arranged(raw, self.order)


def senses_of(envs: Sequence[Environment]) -> Senses:
    """What there is to know in these environments of one world."""
    spec, world = envs[0].spec, envs[0].world
    columns = dict.fromkeys(name for env in envs for name in env.spec.vector)
    side = max(env.spec.side for env in envs)
    own = tuple(spec.channels), side, tuple(columns), tuple(world.verbs), world.targets
    return Senses(*own, instructed(world).centred)


@dataclass(frozen=True, eq=False)
class Demonstrations:
    """Samples of one world: n moments."""

    codes: np.ndarray  # (n, I) uint8
    mask: np.ndarray  # (n, A) bool
    pair: np.ndarray  # (n,) int32: what the demonstrator does
    goal: np.ndarray  # (n,) int16: the number of the instruction

    def __len__(self) -> int:
        return len(self.pair)

    def __getitem__(self, chosen: Any) -> Self:
        return type(self)(*(part[chosen] for part in self.arrays().values()))

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in self.__annotations__}


def joined(parts: Sequence[Demonstrations]) -> Demonstrations:
    """All samples, in order."""
    return Demonstrations(*(np.concatenate(each) for each in zip(*(p.arrays().values() for p in parts), strict=True)))


def demonstrated(place: Place, seeds: range) -> Demonstrations:
    """The samples of all starts of these seeds."""
    rng = np.random.default_rng([seeds.start, 1])
    rows = [row for start in starts(place.env, seeds) for row in _shown(place, start, rng)]
    codes, mask, pair, goal = zip(*rows, strict=True) if rows else ((),) * 4
    wide = place.senses.numbers, place.senses.pairs
    return Demonstrations(
        np.array(codes, np.uint8).reshape(-1, wide[0]), np.array(mask, bool).reshape(-1, wide[1]),
        np.array(pair, np.int32), np.array(goal, np.int16),
    )  # fmt: skip


def _shown(place: Place, start: Lanes, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray, int, int]]:
    before = counts(place.env, start.state)
    for goal, way in plans(place.env, start).items():
        now, left = start.chosen(np.zeros(1, int)), list(way)
        for _ in range(DEEPEST):
            yield place.codes(now.view)[0], now.mask[0].copy(), left[0], goal
            slip = rng.random() < SLIPS
            pair = int(rng.choice(np.flatnonzero(now.mask[0]))) if slip else left.pop(0)
            tick(place.env, now, np.array([pair]))
            if now.over[0] or (counts(place.env, now.state) > before).any():
                break
            if slip:
                left = plans(place.env, now, goal).get(goal, [])
            if not left:
                break
