"""Hostile arguments for the whole public surface, in a process that may die: ``python fuzz_api.py EXAMPLES [PART...]``.

The surface is found by introspection: a public method whose parameters are not known here is an error. What is called
may return or raise a SandboxError of one line; then nothing has changed. What kills the process names its last call.
"""

import faulthandler
import inspect
import itertools
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sandbox
from sandbox.core.errors import SandboxError, UsageError
from sandbox.core.intervention import Aim
from sandbox.core.speech import Act, Said
from sandbox.core.trained_policy import TrainedPolicy
from sandbox.core.world_model import WorldModel
from sandbox.engine import imagine
from sandbox.oversight.approvals import Approvals
from sandbox.running import intervene
from sandbox.scenario import load
from sandbox.scenario.capabilities import CODE

WORLDS = {
    "warehouse": {"layout": "tiny", "agents": 4},
    "kitchen": {"layout": "cramped_room"},
    "wildfire": {"height": 24, "width": 24, "agents": 3},
    "craft": {"size": 24, "agents": 2},
    "web": {"agents": 2},
    "office": {"agents": 2, "cases": 4},
    "rooms": {"layout": "studio", "wishes": 3},
}
LANES = 2


class Spiteful:
    """It breaks what asks it for anything."""

    def __index__(self):
        raise RuntimeError("no")

    __len__ = __repr__ = __iter__ = __array__ = __float__ = __bool__ = __index__


def _frozen(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


LOOP: list = []
LOOP.append(LOOP)
JUNK = [
    None, True, False, -1, 0, 1, 3, 99, 2**31, 2**63, 2**64, -(2**63), 10**30, 10**5000, 0.5, 1.0, -0.0, 1e300,
    float("nan"), float("inf"), 1j, "", "x", "0", "\n\x00\ud800", "x" * 5000, b"x", (), [], {}, set(), [None],
    [[1], [1, 2]],
    {"a": 1}, {1: 2}, LOOP, object(), Spiteful(), int, len, range(3), range(10**30), itertools.repeat(1), np.int64(-1),
    np.uint64(2**64 - 1), np.float32("nan"), np.bool_(True), np.datetime64("2000-01-01"), np.array(1), np.zeros(3),
    np.zeros((LANES, 4, 2)), np.zeros((0, 0, 0), np.int32), np.zeros((LANES, 4, 2), bool), np.array([object()]),
    np.full((LANES, 4, 2), np.nan), np.full((LANES, 4, 2), -7, np.int32), np.zeros((LANES, 4, 2), ">i4"),
    np.full((LANES, 2, 2), 2**31 - 1, np.int64), np.zeros((4, 2), np.int32).T, np.array(["a"]),
    np.ma.masked_array([1, 2]),
    _frozen(np.zeros((LANES, 4, 2), np.int32)), np.zeros(2, [("a", int)]), Aim(99, (99, 99)),
    Said(Act.DONE, 99, 2**30, -5),
    WorldModel(base="oracle"), WorldModel(base="x"), Path("nowhere"), Approvals(), TrainedPolicy("x"), TrainedPolicy(5),
    TrainedPolicy("\x00.safetensors"), TrainedPolicy(["craft"], 7),
]  # fmt: skip
BREAKS: list[Callable[[np.ndarray], object]] = [
    lambda a: a.astype(np.float64), lambda a: a.astype(a.dtype.newbyteorder()), lambda a: a[:-1], lambda a: a[..., :1],
    lambda a: a.reshape(-1), lambda a: np.asfortranarray(a), _frozen, lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    lambda a: a[None], lambda a: np.repeat(a, 2, axis=0), lambda a: None, lambda a: a.tolist(),
    lambda a: a.view(np.ma.MaskedArray),
    lambda a: a[:0], lambda a: a.astype(object), lambda a: a.T,
]  # fmt: skip


# -- what is called ----------------------------------------------------------------------------------------------------


class Case:
    """A world with two lanes that have been played for a while, and what belongs to them."""

    def __init__(self, name: str):
        self.name, self.env = name, sandbox.make(name, **WORLDS[name])
        self.small = sandbox.make(name, **({"agents": 1} if name != "kitchen" else {"layout": "coordination_ring"}))
        self.played, self.tallied = self.env.play([3, 4], "idle", ticks=8)
        self.begin()

    def begin(self) -> None:
        env = self.env
        self.state = type(self.played)(*(field.copy() for field in self.played))
        self.view, self.memory, self.stats = env.observe(self.state), env.memory(LANES), env.stats(LANES)
        self.actions = np.zeros((LANES, env.agents, 2), np.int32)

    def bytes(self) -> list[bytes]:
        return [field.tobytes() for part in (self.state, self.view, self.memory, self.stats) for field in part]

    def foreign(self) -> list:
        """Arrays that are not this environment's, or not these."""
        own, small = self.env, self.small
        return [
            small.reset([1, 2]), small.observation(LANES), small.memory(LANES), small.stats(LANES), own.allocate(1),
            own.allocate(0), own.observation(1), own.memory(3), own.stats(1), own.faults(LANES), tuple(self.state),
            list(self.state), self.state, self.view, self.memory, self.stats, own.observation(0), own, small, own.world,
        ]  # fmt: skip

    def belief(self):
        """A belief, or in a world where nobody can imagine, the state: then what takes it says so."""
        if self.env.world.believe is None:
            return self.state
        return imagine.believe(self.env, self.view, self.memory, 0, [1, 2])

    # What each parameter is, by its name or by that of the method and its own.
    def valid(self, method: str, name: str):
        env, agents, targets = self.env, self.env.agents, self.env.world.targets
        few, lane, agent = st.integers(0, 3), st.integers(0, LANES - 1), st.integers(0, agents - 1)
        plan = st.tuples(st.integers(0, len(env.verbs) - 1), st.integers(0, targets - 1))
        pairs = st.lists(plan, min_size=agents, max_size=agents)
        idle, just = st.just(["idle"] * agents), st.just
        known = {
            "state": just(self.state), "target": just(self.state), "reset.state": just(self.state), "lanes": few,
            "lane": lane, "to": lane, "agent": agent,
            "seeds": st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=2),
            "into": st.sampled_from([None, self.view]), "observation": just(self.view), "memory": just(self.memory),
            "stats": just(self.stats), "team": just(()), "whole": st.booleans(),
            "actions": st.lists(pairs, min_size=LANES, max_size=LANES).map(partial(np.array, dtype=np.int32)),
            "policies": idle,
            "assign_policies.policies": st.sampled_from([["idle"] * agents, [WorldModel(), *[None] * (agents - 1)]]),
            "play.policies": just("idle"), "ticks": few, "threads": st.sampled_from([None, 1, 2]),
            "size": st.integers(1, 60), "blend": st.floats(0, 1),
            "trail": st.sampled_from([None, np.zeros((agents, 2, 2), np.int32), np.full((agents, 3, 2), 2**31 - 1)]),
            "description": just({}), "env": just(env), "belief": just(self.belief()), "base": just("idle"),
            "model": st.sampled_from([None, WorldModel()]),
            "plans": st.sampled_from([[[(0, 0)]], np.zeros((2, 0, 2), int), [[(0, 0), (0, 0)]] * 2]),
        }  # fmt: skip
        return known[f"{method}.{name}" if f"{method}.{name}" in known else name]


class Played(Case):
    """Models of that world: one whose agents are on their own, one with a team."""

    def __init__(self, team: bool):
        self._table = {
            "world": {"name": "warehouse", **WORLDS["warehouse"]},
            "agents": [{"count": 4, "reasoner": "idle"}],
        }
        self._table["world"].pop("agents")
        self._table |= {"team": {"protocol": "market"}} if team else {}
        self.model = None
        self.begin()

    def begin(self) -> None:
        if self.model is None or not self.model.running:
            self.model = sandbox.Sandbox(self._table, rng=3)
        assert self.model.error is None
        self.model.step()

    def bytes(self) -> list[bytes]:
        model = self.model
        return [field.tobytes() for part in (model.state, model.memory, model.actions) for field in part]

    def foreign(self) -> list:
        return [
            sandbox.Sandbox(self._table, rng=3).env,
            self.model,
            self.model.env,
            load(self._table),
            self.model.percept(0),
        ]

    def valid(self, method: str, name: str):
        model, just, agent = self.model, st.just, st.integers(0, 3)
        described = model.env.describe(model.state)
        known = {
            "scenario": just(load(self._table)), "row": agent, "agent": agent, "patience": just(0.0), "why": just("so"),
            "question.said": st.sampled_from([None, (0, 0)]), "seen": just(None), "model": just(model),
            "people": just(Approvals()),
            "patch": st.sampled_from([{}, {"closed": []}, {"agents": described["agents"]}]),
            "actions": just(np.zeros((4, 2), np.int32)),
            "replay_tick.said": st.sampled_from([(), [(0, Said(Act.IDLE))]]),
            "name": st.sampled_from(["block_aisle", "clear_aisles"]), "aim": st.sampled_from([Aim(), Aim(cell=(9, 0))]),
            "overrides": st.sampled_from([{}, {"perturb.action_failure": 0.5}]), "reasoner": just("idle"),
            "options": just({}), "edge": st.tuples(agent, agent), "key": just("wind.speed"), "value": just(6.0),
            "counted": just(model.counted()),
        }  # fmt: skip
        return known[f"{method}.{name}" if f"{method}.{name}" in known else name]


class Package(Case):
    """The functions of the package itself; what they write goes into a folder of its own."""

    def __init__(self):
        self._own = tempfile.TemporaryDirectory()
        self._folder = Path(self._own.name)
        os.chdir(self._folder)  # what is written to "x" is written there
        self._numbers = itertools.count()
        world = {"name": "warehouse", "layout": "tiny", "max_ticks": 2}
        self._table = {"world": world, "agents": [{"count": 4, "reasoner": "idle"}]}
        self.begin()

    def begin(self) -> None:
        self._out = self._folder / str(next(self._numbers))

    def bytes(self) -> list[bytes]:
        return []

    def foreign(self) -> list:
        return [sandbox.make("kitchen"), sandbox.Sandbox(self._table), self._folder]

    def valid(self, method: str, name: str):
        just = st.just
        some = {"max_ticks": just(3), "agents": just(2), "x": just(1), "layout": just("x")}
        known = {
            "make.world": just("kitchen"), "parallel_env.world": just("kitchen"), "gym_env.world": just("craft"),
            "Environment.world": just(sandbox.make("kitchen").world),
            "register.world": just(sandbox.make("kitchen").world),
            "Environment.options": just({}), "plan": just(None), "start": just(None),
            "options": st.fixed_dictionaries({}, optional=some),
            "render_mode": st.sampled_from([None, "ansi"]), "scenario": just(self._table), "rng": just(3),
            "recorded": just(None), "reasoners": st.sampled_from([None, {0: lambda observation, legal: 0}]),
            "people": just(None), "until": just(None), "overrides": just(None), "out": just(self._out), "seed": just(3),
            "trials": just(1), "workers": just(1), "on": just(None), "on_plan": just(None), "on_progress": just(None),
            "on_tick": just(None), "on_event": just(None), "folder": just(self._folder),
            "flat": st.booleans(), "num_envs": just(2), "vector_env.world": just("craft"),
            "source": just(self._table), "allow": st.sampled_from([None, "network"]), "origin": just(CODE),
        }  # fmt: skip
        known["Sandbox.kwargs"] = just({})
        return known[f"{method}.{name}" if f"{method}.{name}" in known else name]


def surface(kind: type) -> dict[str, Callable]:
    """The public methods of a class that are ours."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("sandbox")]
    names = {name for base in ours for name, what in vars(base).items() if inspect.isfunction(what)}
    names -= {name for name in names if hasattr(getattr(kind, name), "__deprecated__")}
    return {name: getattr(kind, name) for name in sorted(names) if not name.startswith("_")}


def functions(module) -> dict[str, Callable]:
    own = {name: what for name, what in vars(module).items() if getattr(what, "__module__", None) == module.__name__}
    return {name: what for name, what in own.items() if inspect.isfunction(what) and not name.startswith("_")}


def package() -> dict[str, Callable]:
    """What is called, but not what is returned or raised."""
    own = {name: getattr(sandbox, name) for name in sandbox.__all__}
    told = (sandbox.Finish, sandbox.Outcome, sandbox.World, Exception)
    return {name: what for name, what in own.items() if not (isinstance(what, type) and issubclass(what, told))}


# -- how it is called --------------------------------------------------------------------------------------------------


@st.composite
def broken(draw, whole: tuple):
    """A NamedTuple of arrays of which one is not as it should be."""
    k, change = draw(st.integers(0, len(whole) - 1)), draw(st.sampled_from(BREAKS))
    if not isinstance(whole[k], np.ndarray) or not whole[k].ndim:
        return whole
    return whole._replace(**{whole._fields[k]: change(whole[k])})


def hostile(draw, case: Case, method: str, name: str):
    value = draw(case.valid(method, name))
    kinds = [st.sampled_from(JUNK), st.sampled_from(case.foreign())]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        kinds.append(broken(value))
    return draw(st.one_of(kinds))


def shorter(value: object) -> str:
    try:
        return " ".join(repr(value)[:200].split())
    except Exception as error:
        return f"<{type(value).__name__}: {type(error).__name__}>"


def call(function: Callable, arguments: dict, case: Case, log) -> None:
    name = getattr(function, "__name__", "?")
    log.seek(0)
    log.truncate()
    log.write(f"{name}({', '.join(f'{key}={shorter(value)}' for key, value in arguments.items())})")
    log.flush()
    before, extra = case.bytes(), {}
    for key, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            given_ = arguments.pop(key)
            extra = {k: v for k, v in given_.items() if isinstance(k, str)} if isinstance(given_, dict) else {}
    try:
        found = function(**{**extra, **arguments})
        if inspect.isgenerator(found):
            list(itertools.islice(found, 5))
    except SandboxError as error:
        assert "\n" not in str(error), str(error)
        assert case.bytes() == before, "something has changed"


def attack(case: Case, function: Callable, method: str, bound: dict, examples: int, log) -> None:
    parameters = [name for name in inspect.signature(function).parameters if name not in bound]
    for name in parameters:
        case.valid(method, name)  # a parameter that is not known here

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.data())
    def one(data):
        case.begin()
        spoilt = data.draw(st.sets(st.sampled_from(parameters), min_size=1, max_size=2)) if parameters else ()
        arguments = {
            name: hostile(data.draw, case, method, name) if name in spoilt else data.draw(case.valid(method, name))
            for name in parameters
        }
        call(function, {**{key: make() for key, make in bound.items()}, **arguments}, case, log)

    one()


# -- descriptions ------------------------------------------------------------------------------------------------------

VALUES = [
    None, True, -1, 0, 1, 5, 99, 127, 128, 255, 2**31, -(2**31), 10**30, 0.5, -0.5, 1e300, float("nan"), float("inf"),
    "", "x", "none", "\x00", [], {}, [0], [[0, 0]], {"row": 0}, [None],
]  # fmt: skip


@st.composite
def mutated(draw, given):
    """A description in which something is left out, repeated or another value; once or twice."""
    for _ in range(draw(st.integers(1, 2))):
        given = _mutated(draw, given)
    return given


def _mutated(draw, given):
    if isinstance(given, dict | list) and given and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(given) if isinstance(given, dict) else range(len(given))))
        copy, what = given.copy(), draw(st.integers(0, 9))
        if what == 0:
            del copy[key]
        elif what == 1 and isinstance(copy, list):
            copy.append(copy[key])
        else:
            copy[key] = _mutated(draw, copy[key])
        return copy
    if isinstance(given, str) and len(given) > 1 and draw(st.booleans()):
        at = draw(st.integers(0, len(given) - 1))
        return given[:at] + draw(st.sampled_from("# .@xTGrW~\x00")) + given[at + 1 :]
    if isinstance(given, int) and draw(st.booleans()):
        return given + draw(st.sampled_from([-1000, -1, 1, 2, 40, 1000]))
    return draw(st.sampled_from(VALUES))


def places(case: Case, examples: int, log) -> None:
    """Whatever can be placed is a state: it is described, seen, painted, played on."""
    env, rng = case.env, np.random.default_rng(0)
    given_ = [env.describe(state, 0) for state in (env.reset([5]), case.played)]

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.sampled_from(given_).flatmap(mutated))
    def one(description):
        state = env.reset([5])
        before = env.digest(state)
        log.seek(0)
        log.truncate()
        log.write(f"place({shorter(description)}) of {case.name}")
        log.flush()
        try:
            env.place(state, 0, description)
        except UsageError as error:
            assert "\n" not in str(error) and env.digest(state) == before
            return
        for _ in range(3):
            described = env.describe(state)
            env.place(state, 0, described)
            assert env.describe(state) == described
            view = env.observe(state)
            assert np.isfinite(view.vector).all()
            assert all(env.render_text(state, 0, agent) for agent in range(env.agents))
            env.render(state, 0, 60)
            env.progress(state)
            pair = rng.integers(0, len(env.verbs) * env.world.targets, (1, env.agents))
            env.step(state, np.stack([pair // env.world.targets, pair % env.world.targets], axis=-1))
        for policy in env.world.policies:
            decide(env, state, policy)

    one()


def decide(env, state, policy: str) -> None:
    """Let all agents follow a policy for a tick."""
    assignment, loops = env.assign_policies([policy] * env.agents)
    view, actions = env.observe(state), np.zeros((1, env.agents, 2), np.int32)
    loops.choose(state, view, 0, env.params, env.memory(1), assignment, actions)
    env.step(state, actions)


def attacks(part: str) -> Iterator[Callable[[int, IO], None]]:
    """Of one world, of the models, or of the package: each is called with how many examples, and where to log calls."""
    if part in WORLDS:
        case = Case(part)
        for name, method in surface(sandbox.Environment).items():
            yield partial(attack, case, method, name, {"self": lambda: case.env})
        for name, function in functions(imagine).items():
            yield partial(attack, case, function, name, {})
        yield partial(places, case)
    elif part == "models":
        for case in (Played(False), Played(True)):
            for name, method in surface(sandbox.Sandbox).items():
                yield partial(attack, case, method, name, {"self": lambda case=case: case.model})
            for name, function in functions(intervene).items():
                yield partial(attack, case, function, name, {})
    else:
        case = Package()
        for name, function in package().items():
            yield partial(attack, case, function, name, {})


def main(examples: int, parts: list[str]) -> int:
    """How many attacks have succeeded."""
    faulthandler.enable()
    broke = 0
    for part in parts or [*WORLDS, "models", "package"]:
        for each in attacks(part):
            with tempfile.TemporaryFile("w+", errors="backslashreplace") as log:
                try:
                    each(examples, log)
                except Exception:
                    broke += 1
                    log.seek(0)
                    print(f"\n== {part}: {log.read()}\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        print("done:", part, flush=True)
    return broke


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]) > 0)
