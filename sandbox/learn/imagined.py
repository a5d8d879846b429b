"""Rollouts in a learned world model, for PPO (``learn.policy``), and the model, fitted while the policy learns.

The model (``engine.learned``) sees only transitions of the real lanes, a part of them. A rollout begins in a copy of a
real lane, a short while ago, with other dice, and is TICKS long; what lies beyond is the value that the policy's own
net expects. Observations, masks and rewards are those of the imagined state.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.arrays import copied
from sandbox.engine.environment import Environment
from sandbox.engine.learned import blank, imaginer, network, tokens_of
from sandbox.engine.survey import surveyor
from sandbox.learn.world_model import WIDTHS, Samples, Witness, WorldModelJob, joined

LANES, TICKS = 128, 32  # of a round of rollouts
PART, SOME = 2, 8  # one lane in so many is seen by the model in a tick; of these, one in so many is remembered
KEPT, MEMORY = 200_000, 1024  # samples of the model, and states in which a rollout may begin: the latest ones
FIT, WARM = 96, 1000  # steps of the model for a round of real ticks; steps before the first rollout
BATCH = 256  # samples of a step: so few, because the model is not to lag behind


class Model(WorldModelJob):
    """A world model that is fitted to the transitions it is given."""

    average: ClassVar[float] = 0.99
    batch: ClassVar[int] = BATCH
    scaling: ClassVar[int] = 2000

    def __init__(self, env: Environment, seed: int):
        tokens_of(env.world)
        self.environments, self.samples = [env], None
        super().__init__(env.world.name, seed, options=[{}])

    def add(self, new: Samples) -> None:
        """Remember new samples, and forget the oldest beyond KEPT."""
        self.samples = joined([self.samples, new] if self.samples else [new])[-KEPT:]

    def fit(self, steps: int) -> None:
        """Learn from so many batches."""
        rng = np.random.default_rng([self.seed, 2, self.steps])
        for _ in range(steps):
            self._step(rng)
            self.steps += 1


class Imagination:
    """Lanes that a learned model moves on, in the place of ``learn.policy.Lanes``. L lanes, N agents.

    ``lanes`` are the real ones, of which it sees a part.
    """

    def __init__(self, env: Environment, seed: int, shuffled: bool, lanes: int):
        self.env, self.model, self._seed, self._shuffled = env, Model(env, seed), seed, shuffled
        self.state, self.view, self._minds = env.allocate(LANES), env.observation(LANES), env.memory(LANES)
        self._remembered = env.allocate(MEMORY)
        self._counts = np.zeros(2, np.int64)  # states remembered, and rollouts begun
        self._net = network(env.world, env.params, [blank(env.world, env.params, *WIDTHS)])
        self._actions = np.zeros((LANES, env.agents, 2), np.int32)
        self._imagine, self._survey = imaginer(env.world), surveyor(env.world, None)
        self._witness = Witness(env, lanes)
        numbers = len(env.spec.channels) * env.spec.side**2 + len(env.spec.vector)
        self.codes, self.worth = np.zeros((LANES, env.agents, numbers), np.uint8), np.zeros((LANES, 2))
        self.taught = np.zeros((LANES, env.agents), np.int32)
        self._fresh: list[Samples] = []  # of the present round

    # -- from the real lanes -------------------------------------------------------------------------------------------

    def watch(self, state: Any, tick: int) -> tuple[np.ndarray, Any]:
        """Remember some lanes before a tick; returns their numbers and copies of them."""
        chosen = np.arange(tick % PART, len(state.done), PART)
        before = copied(state, chosen)
        for lane in chosen[state.done[chosen] == int(Finish.RUNNING)][::SOME]:
            place = int(self._counts[0]) % MEMORY
            for kept, field in zip(self._remembered, state, strict=True):
                kept[place] = field[lane]
            self._counts[0] += 1
        return chosen, before

    def see(self, chosen: np.ndarray, before: Any, actions: np.ndarray, after: Any) -> None:
        """What became of lanes that were watched, with the ``actions`` (L, N, 2) of all lanes."""
        told = actions[np.roll(chosen, 1) if self._shuffled else chosen]
        rng = np.random.default_rng([self._seed, 4, int(self._counts[0]), len(self._fresh)])
        if len(new := self._witness.samples(before, told, after, chosen, rng)):
            self._fresh.append(new)

    def fit(self) -> bool:
        """Fit the model to what was seen; returns whether it has learned enough to imagine."""
        if self._fresh:
            self.model.add(joined(self._fresh))
            self._fresh.clear()
        if self.model.samples is None or len(self.model.samples) < BATCH:
            return False
        self.model.fit(FIT)
        if self.model.steps < WARM:
            return False
        for name, tensor in self.model.tensors().items():
            getattr(self._net, name)[...] = tensor
        return True

    # -- what ``learn.policy`` asks of lanes ---------------------------------------------------------------------------

    @property
    def over(self) -> np.ndarray:
        """(L,) bool: the lanes whose rollout has ended."""
        return self.state.done != int(Finish.RUNNING)

    @property
    def ticks(self) -> int:
        """Of all rollouts so far."""
        return int(self._counts[1]) * TICKS

    def begin(self) -> None:
        """Begin all rollouts, each in a remembered state, with dice of its own."""
        rng = np.random.default_rng([self._seed, 5, int(self._counts[1])])
        chosen = rng.integers(min(MEMORY, int(self._counts[0])), size=LANES)
        for field, kept in zip(self.state, self._remembered, strict=True):
            field[...] = kept[chosen]
        self.state.seed[:] = ((self._seed + 1) << 40) + (1 << 39) + int(self._counts[1]) + np.arange(LANES)
        self._counts[1] += LANES
        self.env.observe(self.state, self.view)
        self._tell()

    def step(self, pairs: np.ndarray) -> None:
        """One imagined tick with the pairs (L, N) of the agents; lanes that are over stay as they are."""
        self._actions[..., 0], self._actions[..., 1] = np.divmod(pairs, self.env.world.targets)
        self._imagine(self.state, self.view, self._actions, self.env.params, self._net)
        self._tell()

    def _tell(self) -> None:
        anew, agents = np.zeros(LANES, np.bool_), np.arange(self.env.agents, dtype=np.int32)
        self._survey(
            self.state, self.view, self.env.params, self._minds, anew, agents, self.codes, self.worth, self._actions
        )

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """All that is needed to continue, by name."""
        found = {f"remembered.{name}": array for name, array in self._remembered._asdict().items()}
        found |= {f"model.{name}": array for name, array in self.model.arrays().items()}
        if self.model.samples:
            found |= {f"samples.{name}": array for name, array in vars(self.model.samples).items()}
        return found | {"imagined": self._counts}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._counts[...] = arrays["imagined"]
        for name, array in self._remembered._asdict().items():
            array[...] = arrays[f"remembered.{name}"]
        self.model.restore({name.removeprefix("model."): array for name, array in arrays.items()})
        if "samples.rows" in arrays:
            self.model.samples = Samples(*(arrays[f"samples.{name}"] for name in ("rows", "heads", "classes")))
