"""The conformance suite: what every world must satisfy.

    from sandbox.testing import Conformance

    class TestMyWorld(Conformance):
        world = "my-world"
        cases = [{"layout": "small", "agents": 3}]

Every test runs for every case (keywords of ``sandbox.make``). Needs pytest.
"""

import json
import os
import pickle
import subprocess
import sys
from random import Random
from typing import Any, ClassVar

import networkx as nx
import numpy as np
import pytest

from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.core.intervention import ANY, Intervention
from sandbox.core.plain import without_nulls
from sandbox.core.speech import KIND_BITS, task_code
from sandbox.core.teamwork import AgentStatus, OpenTask, TaskState
from sandbox.core.world import FIXED
from sandbox.engine.coordination.team import Assignment
from sandbox.engine.draw import IMAGINED, draw
from sandbox.engine.environment import Environment, make
from sandbox.engine.faults import blur
from sandbox.model import Sandbox
from sandbox.teams.tasks import graph_of_tasks
from sandbox.testing_setup import TICKS, SetupConformance, facts, goes_on, random_actions, rollout, same, scenario_of
from sandbox.testing_telling import TellingConformance

LAWFUL = ("idle", "random", "rules", "oracle")  # policies that choose what the mask allows
INTERVENED = (0, 12, 30, 60)  # ticks of a good policy before the intervention

_TWIN = """
import json, sys, numpy
from sandbox.testing import first_digests
numpy.seterr(all="ignore")
print(json.dumps([first_digests(each) for each in json.loads(sys.argv[1])]))
"""


def stale(env: Environment, state, lane: int = 0) -> list[str]:
    """The cached fields of a lane that ``World.refresh`` would change."""
    fresh = env.allocate(1)
    env.fork(state, lane, fresh, 0)
    env.world.refresh(fresh, 0, env.params)
    pairs = zip(state._fields, state, fresh, strict=True)
    return [name for name, field, other in pairs if not np.array_equal(field[lane], other[0])]


def first_digests(scenario: dict, ticks: int = 15) -> list[str]:
    """Digests of the state after each of the first ticks of the hosted tier."""
    model, found = Sandbox(scenario, rng=12), []
    while model.running and model.ticks < ticks:
        model.step()
        found.append(model.latest.digest)
    return found


def offers_of(env: Environment, obs, agent: int, before: int = 0) -> tuple[list, list]:
    """The open tasks that an agent of lane 0 knows, and its own status; the arrays are filled with ``before`` first."""
    own = np.full(len(AgentStatus), before, np.int32)
    open_tasks = np.full((env.world.teamwork.open_tasks, 4), before, np.int32)
    own[AgentStatus.FINISHED] = 0
    env.world.teamwork.look(obs, 0, agent, env.params, np.zeros(len(Assignment), np.int32), own, open_tasks)
    return open_tasks[open_tasks[:, OpenTask.CODE] != 0].tolist(), own.tolist()


class Conformance(SetupConformance, TellingConformance):
    """Inherit, name your world, list cases. ``oracle_seeds``: number of seeds on which the oracle must succeed."""

    world: ClassVar[str]
    cases: ClassVar[list[dict[str, Any]]] = [{}]
    oracle_seeds: ClassVar[int] = 200

    @pytest.fixture(scope="class")
    def env(self, case) -> Environment:
        return make(self.world, **case)

    def pytest_generate_tests(self, metafunc):
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", self.cases, ids=str, scope="class")

    # -- determinism ---------------------------------------------------------------------------------------------------

    def test_same_seed_same_digests(self, env):
        first = [env.digest(s, 1) for s in rollout(env, env.reset([3, 4]), TICKS)]
        again = [env.digest(s, 0) for s in _alone(env, 4, first)]
        assert env.digest(env.reset([4])) != env.digest(env.reset([5]))
        assert again == first

    @pytest.mark.parametrize("severity", [0.0, 0.4], ids=["clean", "perturbed"])
    def test_hosted_equals_compiled_at_every_tick(self, env, case, severity):
        """The loops of batches, stopped after one tick, after two, and so on, equal the hosted tier."""
        for policy in env.world.policies:
            model = Sandbox(scenario_of(env, case, policy, severity), rng=12)
            played = [model.env.play([11, 12], policy, ticks=ticks) for ticks in range(1, TICKS + 1)]
            for tick, (state, _) in enumerate(played):
                if not model.running:
                    break
                model.step()
                assert model.latest.digest == env.digest(state, 1), (policy, tick)
            assert model.error is None
            assert model.reward == played[-1][1].reward[1].sum()
            assert model.invalid_actions == played[-1][1].invalid[1].sum()

    def test_lanes_and_threads_do_not_matter(self, env):
        for policy in env.world.policies:
            many, stats = env.play(range(200), policy, ticks=TICKS, threads=2)
            if policy in LAWFUL:
                assert not stats.invalid.any(), f"{policy} chooses what its mask forbids"
            for seed in (0, 77, 199):
                assert same(env.play([seed], policy, ticks=TICKS)[0], many, 0, seed), policy

    def test_kernels_equal_their_python_twins(self, env, case):
        """The same episodes without Numba, by the interpreter and NumPy, which checks every index."""
        scenarios = [scenario_of(env, case, policy, 0.4) for policy in env.world.policies]
        assert _twin(scenarios) == [first_digests(each) for each in scenarios]

    # -- states --------------------------------------------------------------------------------------------------------

    def test_save_and_restore_is_continuation(self, env):
        state = env.reset([5])
        list(rollout(env, state, TICKS // 2))
        restored = pickle.loads(pickle.dumps(state))
        for a, b in zip(rollout(env, state, 20, 9), rollout(env, restored, 20, 9), strict=True):
            assert same(a, b)

    def test_arrays_are_as_their_annotations_say(self, env):
        """Those of a new state, of one that was played, of one that was loaded, and of the policies' memory."""
        world, params, (played, _) = env.world, env.params, env.play([5, 6], "random", ticks=3)
        for state in (env.reset([5, 6]), played, pickle.loads(pickle.dumps(played))):
            assert facts(state) == world.state_shapes(params)
        assert facts(env.memory(2)) == world.memory_shapes(params)

    def test_place_is_the_inverse_of_describe(self, env):
        state, other = env.reset([5]), env.reset([6])
        for _ in rollout(env, state, TICKS):
            described = json.loads(json.dumps(env.describe(state), sort_keys=True))
            for given in (described, without_nulls(described)):
                env.place(other, 0, given)
                assert env.describe(other) == described
                assert same(state, other)

    def test_cached_fields_repeat_the_others(self, env):
        """However a lane came about: reset, played by each policy, played at random, placed, believed."""
        world, params = env.world, env.params
        if world.refresh is None:
            return
        for policy in world.policies:
            state, _ = env.play([5, 6], policy, ticks=TICKS)
            assert stale(env, state, 0) == stale(env, state, 1) == []
        state, other, memory = env.reset([5]), env.reset([6]), env.memory(1)
        assert stale(env, state) == []
        for k, _ in enumerate(rollout(env, state, TICKS)):
            env.place(other, 0, env.describe(state))
            assert stale(env, state) == stale(env, other) == []
            if world.believe and k % 10 == 0:
                obs, believed = env.observe(state), env.allocate(1)
                world.believe(obs, 0, 0, memory, params, np.uint64(k), believed, 0)
                for _ in rollout(env, believed, 5):
                    assert stale(env, believed) == []

    def test_forks_are_isolated(self, env):
        state, fork = env.reset([5, 6]), env.allocate(3)
        before = env.digest(state, 1)
        env.fork(state, 1, fork, 2)
        assert same(state, fork, 1, 2)
        list(rollout(env, fork, 10))
        assert env.digest(state, 1) == before != env.digest(fork, 2)

    def test_nothing_is_lost_that_the_rules_conserve(self, env):
        state = env.reset([8])
        kept = env.world.conserved(state, 0, env.params)
        for _ in rollout(env, state, TICKS):
            assert env.world.conserved(state, 0, env.params) == kept

    def test_done_lanes_stand_still(self, env):
        state = env.reset([8])
        state.done[0] = Finish.STOPPED
        before = env.digest(state)
        env.step(state, random_actions(env, state, np.random.default_rng(0)))
        assert env.digest(state) == before

    # -- observations and actions --------------------------------------------------------------------------------------

    def test_observations_are_within_their_spec(self, env):
        state, spec = env.reset([5, 6]), env.spec
        obs = env.observation(2)
        for _ in rollout(env, state, TICKS // 2):
            env.observe(state, obs)
            assert obs.window.shape == (2, env.agents, len(spec.channels), spec.side, spec.side)
            assert obs.vector.shape == (2, env.agents, len(spec.vector))
            assert obs.window.min() >= spec.low and obs.window.max() <= spec.high
            assert np.isfinite(obs.vector).all()
            assert obs.mask.any(axis=2).all(), "somebody can do nothing at all"

    def test_illegal_actions_have_no_effect_but_the_clock(self, env):
        state, targets = env.reset([5]), env.world.targets
        pairs = [(v, t) for v in range(len(env.verbs)) for t in range(targets)]
        outside = [(-1, 0), (len(env.verbs), 0), (0, targets), (0, -1), (99, 99)]
        for _ in rollout(env, state, TICKS // 4):
            mask = env.observe(state).mask[0]
            for agent in range(min(env.agents, 3)):
                illegal = [pair for k, pair in enumerate(pairs) if not mask[agent, k]] + outside
                for pair in illegal:  # a failed action is a verb out of range, which worlds must ignore
                    idle, tried = env.allocate(1), env.allocate(1)
                    env.fork(state, 0, idle, 0)
                    env.fork(state, 0, tried, 0)
                    actions = np.zeros((1, env.agents, 2), np.int32)
                    actions[..., 0] = env.params.noop
                    env.step(idle, actions)
                    actions[0, agent] = pair
                    env.world.step(tried, 0, actions, env.params)
                    assert same(idle, tried), (agent, pair)

    def test_words_and_pictures_never_fail(self, env):
        state = env.reset([5])
        trail = np.tile(state.pos[0][:, None], (1, 4, 1))
        for _ in rollout(env, state, TICKS // 4):
            assert all(env.render_text(state, 0, agent) for agent in range(env.agents))
            for size in (40, 300):
                picture = env.render(state, 0, size, trail, 0.5)
                assert picture.dtype == np.uint8 and picture.shape[2] == 3 and picture.std() > 0
        assert [tool["name"] for tool in env.world.tools(env.params)] == list(env.verbs)
        assert len(env.task.texts) >= 3

    def test_imagination_has_dice_of_its_own(self, env):
        """Two beliefs from one observation differ only by their seeds, and neither uses the world's random draws."""
        if env.world.believe is None:
            return
        state, obs, memory = env.reset([5]), env.observation(1), env.memory(1)
        list(rollout(env, state, 5))
        env.observe(state, obs)
        believed = env.allocate(2)
        for lane in range(2):
            seed = draw(np.uint64(17), 5, IMAGINED, lane)
            env.world.believe(obs, 0, 0, memory, env.params, np.uint64(seed), believed, lane)
        assert len({int(state.seed[0]), *believed.seed.tolist()}) == 3
        seen = env.observe(believed)
        assert np.array_equal(seen.vector[0, 0, :2], obs.vector[0, 0, :2])
        list(rollout(env, believed, 20))

    def test_what_teams_can_share_out_is_there_and_verified(self, env):
        """Task objects form a graph; open tasks known to an agent are valid; the state determines each status."""
        if (work := env.world.teamwork) is None:
            return
        params, objects, state = env.params, work.generate(env.params), env.reset([5])
        codes = {
            task_code(kind, k) for kind in range(len(work.kinds)) for k in range(len(work.arguments(params, kind)))
        }
        assert nx.is_directed_acyclic_graph(graph_of_tasks(objects))
        for _ in rollout(env, state, TICKS // 4):
            obs, asked = env.observe(state), {task_code(one.kind, one.argument) for one in objects}
            for agent in range(min(env.agents, 3)):
                open_tasks, (free, cell, _) = found = offers_of(env, obs, agent)
                assert found == offers_of(env, obs, agent, before=7), "something is left of the tick before"
                assert free in (0, 1) and cell >= -1
                assert all(cell >= -1 and cost >= 0 and 0 <= host < env.agents for _, cell, cost, host in open_tasks)
                asked |= {code for code, *_ in open_tasks}
            assert asked <= codes
            for kind, argument in (divmod(code, 1 << KIND_BITS) for code in asked):
                stands, _, cell = work.check(state, 0, params, np.int32(kind - 1), np.int32(argument), np.int32(0))
                assert stands in (TaskState.OPEN, TaskState.DONE, TaskState.FAILED) and cell >= -1

    def test_what_is_in_view_is_believed_as_it_is(self, env):
        """Except for one fact in a hundred, such as a thing that was moved; hidden facts are wrong more often."""
        if env.world.believe is None:
            return
        state, memory, world, params, wrong = env.reset([5]), env.memory(1), env.world, env.params, ([], [])
        for k, _ in enumerate(rollout(env, state, 20)):
            obs, believed = env.observe(state), env.allocate(1)
            world.believe(obs, 0, 0, memory, params, np.uint64(k), believed, 0)
            differ = world.ground_truth(state, 0, params) != world.ground_truth(believed, 0, params)
            seen = world.visible(state, 0, 0, params)
            wrong[0].extend(differ[seen])
            wrong[1].extend(differ[~seen])
        assert len(wrong[0]) > 100 and np.mean(wrong[0]) < 0.01
        assert not any(wrong[1]) or np.mean(wrong[1]) > np.mean(wrong[0])

    def test_noise_puts_nobody_off_the_map_of_a_belief(self, env):
        if env.world.believe is None:
            return
        state, memory = env.reset([5]), env.memory(1)
        for k, _ in enumerate(rollout(env, state, 20)):
            obs, believed = env.observe(state), env.allocate(1)
            blur(np.uint64(k), np.int32(k), 0, 0.5, obs.window[0, 0])
            env.world.believe(obs, 0, 0, memory, env.params, np.uint64(k), believed, 0)
            assert (believed.pos >= -1).all() and (believed.pos[0, 0] == state.pos[0, 0]).all()

    def test_interventions_leave_a_state_that_goes_on(self, env):
        """Each intervention, in a new or a played state, alone or after others; an impossible one gives its reason."""
        known, done = env.world.interventions, set()
        if not known:
            return
        for ticks in INTERVENED:
            policy = "oracle" if "oracle" in env.world.policies else "random"
            played, _ = env.play([5], policy, ticks=ticks)
            for first in range(len(known) if played.done[0] == Finish.RUNNING else 0):
                state = env.allocate(1)
                env.fork(played, 0, state, 0)
                for each in (*known[first:], *known[:first]):
                    if _intervene(env, state, each, Random(ticks)):
                        done.add(each.name)
                goes_on(env, state)
        assert done == {each.name for each in known}

    # -- success -------------------------------------------------------------------------------------------------------

    def test_the_oracle_succeeds_and_the_idle_do_not(self, env):
        """In every episode; a world without an oracle must be solved in some, by one of its policies."""
        state, _ = env.play(range(self.oracle_seeds), "idle", threads=None)
        assert not (state.done == Finish.COMPLETED).any()
        if "oracle" in env.world.policies:
            state, _ = env.play(range(self.oracle_seeds), "oracle", threads=None)
            assert (state.done == Finish.COMPLETED).all(), np.flatnonzero(state.done != Finish.COMPLETED)
            return
        played = (env.play(range(self.oracle_seeds), policy, threads=None)[0] for policy in env.world.policies)
        assert any((state.done == Finish.COMPLETED).any() for state in played)

    def test_every_perturbation_leaves_the_oracle_able_to_succeed(self, env, case):
        for perturbation in env.perturbations if "oracle" in env.world.policies else ():
            perturbed = make(self.world, **case, perturb={perturbation.name: 1.0})
            state, _ = perturbed.play(range(self.oracle_seeds // 2), "oracle", threads=None)
            failed = np.flatnonzero(state.done != Finish.COMPLETED)
            assert len(failed) == 0, (perturbation.name, failed)


def _alone(env: Environment, seed: int, first: list):
    """The same random actions as in ``rollout`` over two lanes, for the second lane alone."""
    state, rng = env.reset([seed]), np.random.default_rng(0)
    pair = env.reset([0, seed])
    for _ in first:
        env.step(state, random_actions(env, pair, rng)[1:])
        yield state


def _twin(scenarios: list[dict]) -> list[list[str]]:
    peer_env, command = {**os.environ, "NUMBA_DISABLE_JIT": "1"}, [sys.executable, "-c", _TWIN, json.dumps(scenarios)]
    done = subprocess.run(command, capture_output=True, text=True, env=peer_env)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def _intervene(env: Environment, state, each: Intervention, dice: Random) -> bool:
    """Perform it if possible, and check that only the drawn keys differ; returns whether it was possible."""
    before, text = env.describe(state), json.dumps(env.describe(state))
    try:
        patch = json.loads(json.dumps(each.patch(env.params, before, ANY, dice)))
    except UsageError as error:
        assert "\n" not in str(error)
        return False
    assert patch and not {*FIXED} & patch.keys() and json.dumps(before) == text
    kept = env.world.conserved(state, 0, env.params)
    env.place(state, 0, patch)
    after, copy = env.describe(state), env.reset([6])
    assert set() < {key for key in after if after[key] != before[key]} <= patch.keys()
    env.place(copy, 0, after)
    assert env.digest(copy) == env.digest(state)
    assert env.world.conserved(state, 0, env.params) == kept
    return True
