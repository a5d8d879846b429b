"""The part of the conformance suite that is about people: setting up by hand, sliders, and what a world says it is."""

import json
from random import Random
from typing import Any, ClassVar

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.core.setup import Tiles, moved_to, place_of
from sandbox.engine.arrays import digest
from sandbox.engine.environment import Environment, make

GENERATED = ("height", "width", "size", "classic")  # options of maps that are generated


TICKS = 120  # for which equality is checked


def same(a, b, lane: int = 0, to: int = 0) -> bool:
    """Whether two lanes are equal, byte for byte."""
    return digest(a, lane) == digest(b, to)


def facts(arrays) -> dict:
    """Shape of one lane and dtype of each field."""
    return {name: (field.shape[1:], field.dtype) for name, field in arrays._asdict().items()}


def random_actions(env: Environment, state, rng: np.random.Generator) -> np.ndarray:
    """Uniform over all pairs of verb and target, legal or not: (L, N, 2) int32."""
    shape = (len(state.seed), env.agents)
    pair = rng.integers(0, len(env.verbs) * env.world.targets, shape)
    return np.stack([pair // env.world.targets, pair % env.world.targets], axis=-1).astype(np.int32)


def rollout(env: Environment, state, ticks: int, seed: int = 0):
    """Play random actions in place; yields the state after each tick."""
    rng = np.random.default_rng(seed)
    for _ in range(ticks):
        env.step(state, random_actions(env, state, rng))
        yield state


def scenario_of(env: Environment, case: dict, policy: str, severity: float) -> dict:
    """The scenario in which all agents follow a policy, with every perturbation at a severity."""
    world = {"name": env.world.name, **{key: value for key, value in case.items() if key != "agents"}}
    perturb = {each.name: severity for each in env.perturbations if severity}
    return {"world": world, "agents": [{"count": env.agents, "reasoner": policy}], "perturb": perturb}


class SetupConformance:
    """Tests of a world; ``testing.Conformance`` has them too."""

    world: ClassVar[str]

    def test_what_is_set_up_by_hand_is_there(self, env, case):
        """Things and maps of the description; the map as text makes the same map. What cannot be, says so in a line."""
        state, dice, tried = env.reset([5]), Random(1), 0
        described = json.loads(json.dumps(env.describe(state)))
        parts = env.world.setup(env.params, described)
        rows, cols = env.world.cells(env.params) if parts else (0, 0)
        for part in parts:
            if isinstance(part, Tiles):
                shown, known = (
                    described[part.key] if part.key else part.rows(env.params),
                    {own for _, own in part.tiles},
                )
                assert np.shape([list(row) for row in shown]) == (rows, cols)
                assert {tile for row in shown for tile in row} <= known
                if part.text:
                    self._check_text(env, case, part, described, shown)
                continue
            entries = described[part.key]
            assert all(-1 <= row < rows and -1 <= col < cols for row, col in map(place_of, entries))
            new = [*entries, *(entry for _, entry in part.new)]
            for entry in dice.sample(new, min(5, len(new))):
                others = [one for one in entries if one != entry]
                for _ in range(5):
                    moved = moved_to(entry, (dice.randrange(-2, rows + 2), dice.randrange(-2, cols + 2)))
                    tried += _set_up(
                        env, state, {part.key: [*others, moved] if part.new else _with(entries, entry, moved)}
                    )
        assert tried or not parts

    def _check_text(self, env: Environment, case: dict, part: Tiles, described: dict, shown: list) -> None:
        options = env.options.model_dump(exclude_unset=True) | {"layout": part.text(env.options, described, shown)}
        again = make(self.world, **{key: value for key, value in options.items() if key not in GENERATED})
        if not part.key:
            assert part.rows(again.params) == shown
        assert again.world.cells(again.params) == env.world.cells(env.params)

    def test_the_world_says_what_it_is(self, env):
        """Its rules, and things to try in the studio that exist."""
        world = env.world
        assert world.summary and world.rules and world.tries
        assert all(tool["description"] for tool in world.tools(env.params))
        known = {"layout": world.layouts, "policy": world.policies, "team": [str(size) for size in range(1, 100)]}
        known |= {f"severity.{each.name}": [str(k / 20) for k in range(21)] for each in env.perturbations}
        for each in world.tries:
            assert each.what and all(value in {*known[key]} for key, value in each.choices.items()), each

    def test_what_can_change_while_it_runs_fits_the_arrays(self, env, case):
        for option in env.world.live:
            value = getattr(env.options, option)
            other = not value if isinstance(value, bool) else value / 2 if isinstance(value, float) else value
            other = value + 1 if type(value) is int else other
            changed = make(self.world, **(env.options.model_dump(exclude_unset=True) | {option: other}))
            for own, theirs in ((env.states, changed.states), (env.memories, changed.memories)):
                assert facts(own.allocate(1)) == facts(theirs.allocate(1)), option
            assert env.spec == changed.spec
        for dial in env.world.dials:
            first, _, rest = dial.key.partition(".")
            for number in (dial.least, dial.most):
                state = env.reset([5])
                value = env.describe(state)[first]
                env.place(state, 0, {first: {**value, rest: float(number)} if rest else number})
                goes_on(env, state)


def _with(entries: list, entry: Any, moved: Any) -> list:
    """The entries with one of them moved."""
    return [moved if own is entry else own for own in entries]


def _set_up(env: Environment, state, patch: dict) -> bool:
    """Place a patch of tick 0, and play on; whether it was possible. If not, a line says why, and nothing changes."""
    trial = env.allocate(1)
    env.fork(state, 0, trial, 0)
    try:
        env.place(trial, 0, patch)
    except UsageError as error:
        assert "\n" not in str(error) and same(state, trial)
        return False
    goes_on(env, trial)
    return True


def goes_on(env: Environment, state) -> None:
    tick, actions = int(state.tick[0]), np.zeros((1, env.agents, 2), np.int32)
    actions[..., 0] = env.params.noop
    for _ in range(5):
        env.step(state, actions)
    assert (state.tick[0] > tick or state.done[0]) and state.done[0] != Finish.ERROR
