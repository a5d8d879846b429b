"""Trains a policy on compiled lanes: all agents of a world share one net (``learn.ppo``).

It is trained on success: the reward of a tick is what it adds to the parts of the shared task that are done (``earned``
of ``World``) and to the value of partial results (``value``), for all agents alike; or, to compare, the world's own
reward of each agent. Weights are exported in integers and tested in the compiled tier, on seeds of their own.
"""

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.finish import Finish
from sandbox.core.trained_policy import KIND, TrainedPolicy
from sandbox.engine.environment import Environment
from sandbox.engine.play import Due
from sandbox.engine.survey import surveyor
from sandbox.engine.trained import CODES, NONE, code_of, observed
from sandbox.learn import cards, imagined, ppo
from sandbox.learn.nets import whole
from sandbox.nets.weights import WEIGHTS

TASK, WORLD = "task", "world"  # rewards
LANES, TICKS = 64, 64  # of what is collected before an update
TEST_SEED, TEST_EPISODES = 800_000, 100  # of the figures on the card
EVERY = 250_000  # steps between two tests
RECENT = 200  # episodes whose success is shown
SAMPLES = 2048  # observations that choose the scales of the integers


class Lanes:
    """Episodes side by side, for one step after the other. L lanes, N agents, I numbers of an observation, A pairs.

    A lane whose episode has ended begins the next one in the next step, in which nobody decides.
    """

    def __init__(self, env: Environment, seed: int, teacher: str | None):
        self.env, self._seed = env, seed
        self.state, self.view, self._memory = env.allocate(LANES), env.observation(LANES), env.memory(LANES)
        self.actions, self._taught = np.zeros((2, LANES, env.agents, 2), np.int32)
        self._stats, self._faults = env.stats(LANES), env.faults(LANES)
        self.begun = np.zeros(1, np.int64)  # episodes so far
        self._before = np.zeros(LANES)  # rewards of earlier episodes
        spec = env.spec
        numbers = len(spec.channels) * spec.side**2 + len(spec.vector)
        self.codes = np.zeros((LANES, env.agents, numbers), np.uint8)
        self.worth = np.zeros((LANES, 2))
        self._survey, self._turn = surveyor(env.world, teacher), env.assign_policies([None] * env.agents)[1].turn
        self._agents = np.arange(env.agents, dtype=np.int32)
        self._go_on(np.ones(LANES, np.bool_))

    def arrays(self) -> dict[str, np.ndarray]:
        """All that is needed to continue, by name."""
        parts = {"state": self.state, "view": self.view, "memory": self._memory, "stats": self._stats}
        found = {f"{part}.{name}": array for part, fields in parts.items() for name, array in fields._asdict().items()}
        own = {
            "mail": self._faults.mail,
            "begun": self.begun,
            "before": self._before,
            "codes": self.codes,
            "worth": self.worth,
        }
        return found | own | {"actions": self.actions, "taught": self._taught}

    @property
    def over(self) -> np.ndarray:
        """(L,) bool: the lanes whose episode has ended."""
        return self.state.done != int(Finish.RUNNING)

    @property
    def taught(self) -> np.ndarray:
        """(L, N) int32: what the teacher would do now."""
        return self._taught[..., 0] * self.env.world.targets + self._taught[..., 1]

    def paid(self, lane: int) -> float:
        """The world's rewards of the present episode, of all agents."""
        return float(self._stats.reward[lane].sum() - self._before[lane])

    def step(self, pairs: np.ndarray) -> None:
        """One tick with the pairs (L, N) of the agents; lanes that are over begin an episode instead."""
        self.actions[..., 0], self.actions[..., 1] = np.divmod(pairs, self.env.world.targets)
        self._go_on(self.over)

    def _go_on(self, anew: np.ndarray) -> None:
        for lane in np.flatnonzero(anew):
            self.state.seed[lane] = ((self._seed + 1) << 40) + int(self.begun[0])
            self.begun += 1
            self._before[lane] = self._stats.reward[lane].sum()
        self._faults.mail[anew] = 0
        due = np.where(anew, int(Due.RESET), int(Due.TICK)).astype(np.int8)
        params = self.env.params
        self._turn(self.state, self.view, self.actions, self._stats, params, self._faults, due)
        self._survey(
            self.state, self.view, params, self._memory, anew, self._agents, self.codes, self.worth, self._taught
        )


class Episodes:
    """Counts of the episodes of a training."""

    def __init__(self, env: Environment):
        self._env = env
        self.counts = {
            "episodes": np.zeros(4),  # how many, successes, ticks, reward
            "recent": np.full(RECENT, -1, np.int8), "achieved": np.zeros(len(self._rungs), np.int64),
        }  # fmt: skip

    @cached_property
    def _rungs(self) -> tuple[str, ...]:
        ladder = self._env.world.ladder
        return tuple(ladder.graph) if ladder else ()

    def end(self, lanes: Lanes, over: np.ndarray) -> None:
        """Count the episodes that have ended, in lanes ``over`` (L,) bool."""
        state, counts = lanes.state, self.counts
        for lane in np.flatnonzero(over):
            success, episodes = state.done[lane] == int(Finish.COMPLETED), counts["episodes"]
            counts["recent"][int(episodes[0]) % RECENT] = success
            episodes += 1, success, state.tick[lane], lanes.paid(lane)
            if self._rungs:
                ladder, found = self._env.world.ladder, [0] * len(self._rungs)
                for agent in range(self._env.agents):
                    own = ladder.achieved(state, lane, agent)
                    found = [max(was, own[name] > 0) for was, name in zip(found, self._rungs, strict=True)]
                counts["achieved"] += found

    def figures(self) -> dict[str, Any]:
        """How many, success, mean ticks and reward, achievements and score."""
        count, success, ticks, reward = self.counts["episodes"]
        most = max(1, count)
        told = {"episodes": int(count), "success": success / most, "ticks": ticks / most, "reward": reward / most}
        if not self._rungs:
            return told
        shares = {name: achieved / most for name, achieved in zip(self._rungs, self.counts["achieved"], strict=True)}
        return told | {"achieved": shares, "score": score(shares.values())}


class Stepped:
    """A part of a job (see ``learn.training.Job``) that ends with a number of real ticks."""

    _most: int
    _counts: dict[str, np.ndarray]

    @property
    def is_over(self) -> bool:
        """Whether the number of steps is reached."""
        return self.steps >= self._most

    @property
    def steps(self) -> int:
        """Ticks of the world so far, of all lanes together."""
        return int(self._counts["steps"][0])


class PolicyJob(Stepped):
    """The training of a policy (see ``learn.training``), which keeps ``weights.safetensors`` in ``folder`` up to date.

    ``reward`` is TASK or WORLD; ``teacher`` a policy of the world whose choices are imitated in the beginning. With
    ``shuffled``, a control, each lane gets the reward of another one, and the world model the actions. Both hidden
    layers are ``wide``. ``imagine`` is the number of rounds in a world model for each real one.
    """

    def __init__(
        self, env: Environment, folder: Path, seed: int = 0, steps: int = 10**12, reward: str = TASK,
        teacher: str | None = None, shuffled: bool = False, wide: int = ppo.WIDE, imagine: int = 0,
    ):  # fmt: skip
        _check(env, reward, teacher, imagine)
        self.env, self._folder, self._most = env, folder, steps
        self.settings = {
            "world": env.world.name, "options": env.options.model_dump(mode="json", exclude_unset=True), "seed": seed,
            "reward": reward, "teacher": teacher or "", "shuffled": shuffled, "wide": wide, "imagine": imagine,
        }  # fmt: skip
        self._lanes = Lanes(env, seed, teacher)
        self._imagination = imagined.Imagination(env, seed, shuffled, LANES) if imagine else None
        self.sizes, self.episodes = sizes_of(env, wide), Episodes(env)
        self._key = jax.random.key(seed)
        self._params = ppo.first_params(self.sizes, jax.random.fold_in(self._key, 0))
        self._optimiser = ppo.OPTIMISER.init(self._params)
        self._counts = {
            "steps": np.zeros(1, np.int64), "updates": np.zeros(1, np.int64), "tested": np.zeros(4, np.int64),
            "seen": np.zeros((self._lanes.codes.shape[2], CODES), np.bool_),
        } | self.episodes.counts  # fmt: skip
        self._sample = np.resize(self._lanes.codes, (SAMPLES, self._lanes.codes.shape[2]))

    # -- what ``learn.training`` asks for ------------------------------------------------------------------------------

    @property
    def imagined(self) -> int:
        """Ticks in the world model so far, of all lanes together."""
        return self._imagination.ticks if self._imagination else 0

    def round(self) -> str:
        """Collect TICKS ticks of each lane, and learn from them; then from rollouts in the world model."""
        collected = self._collect(self._lanes, TICKS, self._step, self._drawn(1, self.steps))
        self._learn(collected, self._drawn(2, self.steps))
        if self._imagination and self._imagination.fit():
            for _ in range(self.settings["imagine"]):
                self._imagination.begin()
                key = self._drawn(3, self.imagined)
                collected = self._collect(self._imagination, imagined.TICKS, self._dream, key)
                self._learn(collected, self._drawn(4, self.imagined))
        if self.steps // EVERY > self._counts["tested"][0]:
            self.test()
        return self._told()

    def _drawn(self, stream: int, number: int) -> Any:
        return jax.random.fold_in(jax.random.fold_in(self._key, stream), number)

    def _learn(self, collected: ppo.Batch, key: Any) -> None:
        updates, teacher = int(self._counts["updates"][0]), bool(self.settings["teacher"])
        self._params, self._optimiser = ppo.update(
            self._params, self._optimiser, self.sizes, collected, updates, teacher, key
        )
        self._counts["updates"] += ppo.steps_of(len(collected.pair))

    def arrays(self) -> dict[str, np.ndarray]:
        leaves = jax.tree_util.tree_leaves_with_path((self._params, self._optimiser))
        nets = {f"net{jax.tree_util.keystr(path)}": np.asarray(leaf) for path, leaf in leaves}
        dreams = self._imagination.arrays() if self._imagination else {}
        return nets | self._counts | self._lanes.arrays() | {"sample": self._sample} | dreams

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        leaves, tree = jax.tree_util.tree_flatten_with_path((self._params, self._optimiser))
        nets = [jax.numpy.asarray(arrays[f"net{jax.tree_util.keystr(path)}"]) for path, _ in leaves]
        self._params, self._optimiser = jax.tree_util.tree_unflatten(tree, nets)
        own = self._counts | self._lanes.arrays() | {"sample": self._sample}
        for name, array in own.items():
            array[...] = arrays[name]
        if self._imagination:
            self._imagination.restore(arrays)

    # -- collecting ----------------------------------------------------------------------------------------------------

    def _collect(self, lanes: Any, ticks: int, step: Callable[[np.ndarray], Any], key: Any) -> ppo.Batch:
        """What comes of so many ticks of lanes, real or imagined, which ``step`` moves on."""
        shape = ticks, lanes.codes.shape[0] * self.env.agents
        codes = np.zeros((*shape, lanes.codes.shape[2]), np.uint8)
        mask, pair, taught = np.zeros((*shape, self.sizes.pairs), np.bool_), *np.zeros((2, *shape), np.int32)
        odds, reward, goes_on = np.zeros((3, *shape), np.float32)
        value, idle = np.zeros((ticks + 1, shape[1]), np.float32), np.zeros(shape, np.bool_)
        for t in range(ticks):
            codes[t], mask[t] = _seen(lanes)
            drawn = ppo.act(self._params, self.sizes, codes[t], mask[t], jax.random.fold_in(key, t))
            pair[t], odds[t], value[t] = map(np.asarray, drawn)
            taught[t], idle[t] = lanes.taught.reshape(-1), np.repeat(lanes.over, self.env.agents)
            reward[t], goes_on[t] = step(pair[t].reshape(-1, self.env.agents))
        value[ticks] = ppo.act(self._params, self.sizes, *_seen(lanes), key)[2]
        advantage = ppo.advantages(reward, value, goes_on, idle)
        if lanes is self._lanes:
            self._note(codes, ~idle)
        parts = codes, mask, pair, taught, odds, advantage, advantage + value[:-1], (~idle).astype(np.float32)
        return ppo.Batch(*(part.reshape(-1, *part.shape[2:]) for part in parts))

    def _step(self, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A real tick: the reward of each agent (L * N,), and whether what comes after counts."""
        lanes, dreams = self._lanes, self._imagination
        anew = lanes.over
        watched = dreams.watch(lanes.state, int(lanes.state.tick.sum())) if dreams else None
        reward = self._moved(lanes, pairs)
        if dreams:
            dreams.see(*watched, lanes.actions, lanes.state)
        over = lanes.over & ~anew
        self._counts["steps"] += int((~anew).sum())
        self.episodes.end(lanes, over)
        return reward, self._goes_on(lanes.state, over)

    def _dream(self, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same for an imagined tick."""
        lanes = self._imagination
        reward = self._moved(lanes, pairs)
        return reward, self._goes_on(lanes.state, lanes.over)

    def _moved(self, lanes: Any, pairs: np.ndarray) -> np.ndarray:
        """Move lanes on by a tick; the reward of each agent."""
        was_over, before = lanes.over, lanes.worth.sum(axis=1)
        lanes.step(pairs)
        own = lanes.state.reward if self.settings["reward"] == WORLD else (lanes.worth.sum(axis=1) - before)[:, None]
        reward = np.where(was_over[:, None], 0, np.broadcast_to(own, pairs.shape))
        if self.settings["shuffled"]:
            reward = np.roll(reward, 1, axis=0)
        return reward.reshape(-1).astype(np.float32)

    def _goes_on(self, state: Any, over: np.ndarray) -> np.ndarray:
        cut = state.done == int(Finish.TICK_LIMIT)  # the task goes on, only the clock has stopped it
        return np.repeat(~over | cut, self.env.agents)

    def _note(self, codes: np.ndarray, decided: np.ndarray) -> None:
        """Which codes came up, and some observations for :meth:`export`."""
        seen = codes[decided]
        self._counts["seen"][np.arange(seen.shape[1]), seen] = True
        fresh = seen[:: max(1, len(seen) * 16 // SAMPLES)]
        self._sample[:] = np.concatenate([fresh, self._sample])[:SAMPLES]

    # -- results -------------------------------------------------------------------------------------------------------

    def _told(self) -> str:
        recent = self._counts["recent"]
        told = f"{self.steps:,} steps" + (f", {self.imagined:,} imagined" if self._imagination else "")
        told += f", {(recent == 1).sum()} of the last {(recent >= 0).sum()} episodes succeed"
        _, of, success, _ = self._counts["tested"]
        return told + (f", {success} of {of} on seeds of the test" if of else "")

    def test(self, seconds: float | None = None) -> dict[str, Any]:
        """Write the weights, and play them on seeds that are never trained on; returns the card.

        ``seconds`` is the CPU time of the training, on the card.
        """
        path = self._folder / WEIGHTS
        _write(self, path, seconds)
        state, stats = self.env.play(range(TEST_SEED, TEST_SEED + TEST_EPISODES), TrainedPolicy(str(path)))
        success, done = (state.done == int(Finish.COMPLETED)).sum(), stats.progress[:, 0].sum()
        self._counts["tested"][:] = self.steps // EVERY, TEST_EPISODES, success, done
        return _write(self, path, seconds)

    def export(self) -> dict[str, np.ndarray]:
        """The net in integers (``engine.trained``)."""
        params = {name: np.asarray(value, np.float64) for name, value in self._params.items()}
        table, sizes = _table(params, self.sizes), self.sizes
        seen = self._counts["seen"].copy()
        seen[:, 0] = False  # its row is a part of the bias
        kept = np.argwhere(seen)
        rows = np.full(seen.shape, NONE, np.int32)
        rows[seen] = np.arange(len(kept))
        bias = params["bias"] + table[:, 0].sum(axis=0)
        short = (table - table[:, :1])[seen]
        activations = ppo.hidden(self._params, sizes, self._sample)
        return {"rows": rows} | whole({**params, "table": short, "bias": bias}, *activations, len(table))


def sizes_of(env: Environment, wide: int) -> ppo.Sizes:
    """What a net sees and chooses from in an environment."""
    spec, pairs = env.spec, len(env.verbs) * env.world.targets
    high = code_of.py_func(spec.high) + 1 if spec.low >= 0 else CODES
    return ppo.Sizes(len(spec.channels), spec.side**2, high, len(spec.vector), CODES, pairs, wide)


def _table(params: Mapping[str, np.ndarray], sizes: ppo.Sizes) -> np.ndarray:
    """(I, CODES, wide): what each code adds to the first layer, 0 for codes that a window cannot have."""
    split, found = sizes.channels * sizes.cells, np.zeros((len(params["place"]), CODES, sizes.wide))
    place = params["place"][:split].reshape(sizes.channels, sizes.cells, ppo.SHORT, sizes.wide)
    cells = np.einsum("ckd,cpdw->cpkw", params["cell"], place)
    found[:split, : sizes.codes] = cells.reshape(split, sizes.codes, sizes.wide)
    found[split:] = np.einsum("vkd,vdw->vkw", params["column"], params["place"][split:])
    return found


def _seen(lanes: Any) -> tuple[np.ndarray, np.ndarray]:
    """Codes and masks of all agents of lanes."""
    rows = lanes.codes.shape[0] * lanes.codes.shape[1]
    return lanes.codes.reshape(rows, -1), lanes.view.mask.reshape(rows, -1)


def _check(env: Environment, reward: str, teacher: str | None, imagine: int) -> None:
    """Raise UsageError for what cannot be trained on lanes."""
    if env.team or env.start:
        raise UsageError(f"learn policy: the scenario has a {'team' if env.team else 'start'}; expected one without")
    if reward not in (TASK, WORLD):
        raise unknown("reward", reward, (TASK, WORLD), "learn policy")
    if teacher is not None and teacher not in env.world.policies:
        raise unknown("teacher", teacher, env.world.policies, "learn policy")
    if imagine and teacher:
        raise UsageError("learn policy: a teacher knows no imagined states; expected imagine 0, or no teacher")


def score(shares: Any) -> float:
    """Crafter's score in percent: the geometric mean of success rates, each with one point added (Hafner 2021)."""
    return math.expm1(np.mean([math.log1p(100 * share) for share in shares]))


def _write(job: PolicyJob, path: Path, seconds: float | None = None) -> dict[str, Any]:
    """Write the weights with their card; returns the card, and the SHA-256 of the file."""
    _, of, success, done = (int(count) for count in job._counts["tested"])
    card = {
        "kind": KIND, "world": job.env.world.name, "observed": observed(job.env), **job.settings, "steps": job.steps,
        "cpu_seconds": seconds and round(seconds, 1), "training": job.episodes.figures(),
        "test": {"first_seed": TEST_SEED, "episodes": of, "successes": success, "tasks_done": done / max(1, of)},
        "imagined": job.imagined,
        "script_sha256": cards.of_scripts(ppo.__file__, __file__),
    }  # fmt: skip
    return cards.write(path, job.export(), card)
