"""Environments for learners: PettingZoo's and Gymnasium's own checks, and whole trajectories compared."""

import copy
import json
import pickle
import subprocess
import sys
import warnings

import cloudpickle
import crafter
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from pettingzoo.test import parallel_api_test, parallel_seed_test

np.Inf = np.inf  # which overcooked-ai asks for

from overcooked_ai_py.mdp.actions import Action  # noqa: E402
from overcooked_ai_py.mdp.overcooked_env import OvercookedEnv  # noqa: E402
from overcooked_ai_py.mdp.overcooked_mdp import OvercookedGridworld  # noqa: E402

import sandbox  # noqa: E402
from sandbox.core.errors import UsageError  # noqa: E402
from sandbox.core.world import digested  # noqa: E402
from sandbox.engine import registry  # noqa: E402

SMALL = {
    "warehouse": {"layout": "tiny", "agents": 3, "max_ticks": 60},
    "wildfire": {"height": 32, "width": 32},
    "craft": {"size": 24, "agents": 2},
    "web": {"agents": 2},
}


def _env(world: str, **options):
    return sandbox.parallel_env(world, **{**SMALL.get(world, {}), **options})


def _trajectory(peer_env, seed: int, ticks: int = 60) -> list[bytes]:
    """The whole state after reset and after every tick of random legal play, and all that the agents were given."""
    rng, told = np.random.default_rng(1), []
    given, _ = peer_env.reset(seed=seed)
    for _ in range(ticks):
        told.append(peer_env.state().tobytes() + b"".join(_bytes(given[name]) for name in sorted(given)))
        if not peer_env.agents:
            break
        actions = {name: rng.choice(np.flatnonzero(given[name]["action_mask"])) for name in peer_env.agents}
        given, rewards, *_ = peer_env.step(actions)
        told.append(json.dumps(rewards).encode())
    return told


def _bytes(given: dict) -> bytes:
    return given["action_mask"].tobytes() + b"".join(part.tobytes() for part in given["observation"].values())


@pytest.mark.parametrize("world", registry.names())
def test_pettingzoo_finds_nothing_wrong(world):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(_env(world), num_cycles=80)
        parallel_api_test(_env(world, flat=True), num_cycles=80)
        parallel_seed_test(lambda: _env(world, flat=True), num_cycles=20)


@pytest.mark.parametrize("world", registry.names())
def test_a_seed_fixes_the_whole_trajectory(world):
    peer_env = _env(world)
    first, other, again = _trajectory(peer_env, 7), _trajectory(peer_env, 8), _trajectory(peer_env, 7)
    assert first == again == _trajectory(_env(world), 7)
    assert first != other and len(first) > 20


@pytest.mark.parametrize("world", registry.names())
def test_gymnasium_finds_nothing_wrong(world):
    options = {key: value for key, value in SMALL.get(world, {}).items() if key != "agents"}
    peer_env = sandbox.gym_env(world, render_mode="rgb_array", **options)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        check_env(peer_env)
    known = ("infinity", "does not have a spec", "not having a spec")  # vectors have no bounds; it is not registered
    told = [str(warning.message) for warning in raised]
    assert not [text for text in told if not any(reason in text for reason in known)], told


def test_the_seed_of_an_episode_is_the_seed_of_a_trial():
    peer_env = _env("warehouse")
    peer_env.reset(seed=5)
    env = sandbox.make("warehouse", **SMALL["warehouse"])
    state = env.reset([5])
    for _ in range(60):
        peer_env.step(dict.fromkeys(peer_env.agents, 1))
        env.step(state, np.tile(np.array([1, 0], np.int32), (1, 3, 1)))
    fields = (getattr(state, name)[0] for name in digested(type(state)))
    assert peer_env.state().tobytes() == b"".join(field.tobytes() for field in fields)
    assert peer_env.agents == []


def test_what_is_given_stays_as_it_was():
    peer_env = _env("warehouse")
    given, _ = peer_env.reset(seed=1)
    before = _bytes(given["agent_0"])
    peer_env.step(dict.fromkeys(peer_env.agents, 2))
    assert _bytes(given["agent_0"]) == before


def test_renderings():
    picture = _env("warehouse", render_mode="rgb_array")
    picture.reset(seed=1)
    assert picture.render().shape[2] == 3
    words = _env("warehouse", render_mode="ansi")
    words.reset(seed=1)
    assert "You are robot 2" in words.render()


TINY = {"layout": "tiny", "max_ticks": 12}
COPIES = [
    lambda peer_env: pickle.loads(pickle.dumps(peer_env)),
    lambda peer_env: cloudpickle.loads(cloudpickle.dumps(peer_env)),
    copy.deepcopy,
]
MAKERS = {
    "gym": lambda **options: sandbox.gym_env("warehouse", **TINY, **options),
    "team": lambda **options: sandbox.parallel_env("warehouse", **TINY, agents=2, **options),
    "vector": lambda **options: sandbox.vector_env("warehouse", 3, **TINY, **options),
}


def _act(peer_env, kind: str, action: int):
    """An action of every agent, or lane."""
    if kind == "gym":
        return peer_env.step(action)
    return peer_env.step(np.full(3, action) if kind == "vector" else dict.fromkeys(peer_env.possible_agents, action))


def _same(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) or (isinstance(a, np.ndarray) and a.dtype.kind == "O"):
        return len(a) == len(b) and all(map(_same, a, b))
    return np.array_equal(a, b)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("copied", COPIES, ids=["pickle", "cloudpickle", "deepcopy"])
def test_an_environment_is_copied_with_its_state_at_any_point(kind, copied):
    peer_env = MAKERS[kind](flat=True)
    assert _same(copied(peer_env).reset(seed=4), peer_env.reset(seed=4)), "before reset"
    for tick in range(12):
        other = copied(peer_env)
        ours, theirs = _act(peer_env, kind, tick % 5), _act(other, kind, tick % 5)
        assert _same(ours, theirs)
    over = copied(peer_env)
    assert _same(over.reset(), peer_env.reset()), "the seed of the next episode is copied as well"


@pytest.mark.parametrize("kind", MAKERS)
def test_flat_is_window_vector_and_task_in_one(kind):
    nested, flat = MAKERS[kind](), MAKERS[kind](flat=True)
    dicts, _ = nested.reset(seed=2)
    flats, info = flat.reset(seed=2)
    for _ in range(3):
        if kind == "team":
            pairs = [(dicts[name], flats[name], info[name]["action_mask"]) for name in nested.agents]
            assert flats["agent_0"] in flat.observation_space("agent_0")
            assert all((flat.action_masks()[name] == info[name]["action_mask"]).all() for name in nested.agents)
        else:
            pairs = [(dicts, flats, info["action_mask"])]
            assert flats in flat.observation_space and dicts in nested.observation_space
            assert flat.action_masks().dtype == bool and (flat.action_masks() == info["action_mask"]).all()
        for given, one, mask in pairs:
            parts, lead = given["observation"], one.shape[:-1]
            assert one.dtype == np.float32 and (given["action_mask"] == mask).all()
            columns = [parts[name].reshape(*lead, -1) for name in ("window", "vector", "task")]
            assert np.array_equal(one, np.concatenate(columns, axis=-1))
        dicts, (flats, *_, info) = _act(nested, kind, 1)[0], _act(flat, kind, 1)


def test_messages_are_part_of_a_flat_observation():
    peer_env = _env("wildfire", flat=True)
    spec, size = sandbox.make("wildfire", **SMALL["wildfire"]).spec, peer_env.observation_space("agent_0").shape[0]
    assert spec.messages and size == len(spec.channels) * spec.side**2 + len(spec.vector) + 4 + 4 * spec.messages


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("flat", [True, False])
def test_lanes_are_the_same_episodes_as_single_environments(mode, flat):
    options = {**TINY, "deliveries": 1, "flat": flat}
    ours = sandbox.vector_env("warehouse", 3, autoreset_mode=mode, **options)
    theirs = SyncVectorEnv([lambda: sandbox.gym_env("warehouse", **options)] * 3, autoreset_mode=mode)
    assert ours.metadata["autoreset_mode"] == theirs.metadata["autoreset_mode"]
    assert ours.observation_space == theirs.observation_space and ours.action_space == theirs.action_space
    assert _same(ours.reset(seed=[5, 9, 2**64 - 1]), theirs.reset(seed=[5, 9, 2**64 - 1]))
    rng, ends = np.random.default_rng(0), 0
    for _ in range(45):
        actions = rng.integers(0, 5, 3)
        found, expected = ours.step(actions), theirs.step(actions)
        assert _same(found, expected)
        over = found[2] | found[3]
        ends += over.sum()
        if mode == "Disabled" and over.any():
            ready = [peer_env.reset(options={"reset_mask": over}) for peer_env in (ours, theirs)]
            assert _same(*ready)
    assert ends > 6


@pytest.mark.parametrize("world", ["craft", "kitchen", "web"])
def test_lanes_tell_what_single_environments_tell(world):
    options = {**SMALL.get(world, {}), "agents": 1, "max_ticks": 8, "flat": True}
    ours = sandbox.vector_env(world, 2, autoreset_mode="SameStep", **options)
    theirs = SyncVectorEnv([lambda: sandbox.gym_env(world, **options)] * 2, autoreset_mode="SameStep")
    assert _same(ours.reset(seed=3), theirs.reset(seed=3))
    for tick in range(12):
        actions = np.full(2, tick % ours.single_action_space.n)
        assert _same(ours.step(actions), theirs.step(actions))


def test_messages_under_way_stay_in_their_lane():
    options = {
        **SMALL["wildfire"],
        "max_ticks": 5,
        "perturb": {"message_delay": 1.0, "sensor_noise": 0.5},
        "flat": True,
    }
    ours = sandbox.vector_env("wildfire", 2, **options)
    theirs = SyncVectorEnv([lambda: sandbox.gym_env("wildfire", **options)] * 2)
    assert _same(ours.reset(seed=1), theirs.reset(seed=1))
    for tick in range(14):
        actions = np.array([tick % 4, 3])
        assert _same(ours.step(actions), theirs.step(actions))


def test_gymnasiums_vector_wrappers_take_it():
    peer_env = RecordEpisodeStatistics(sandbox.vector_env("warehouse", 2, flat=True, **TINY))
    peer_env.reset(seed=1)
    for _ in range(12):
        *_, info = peer_env.step(peer_env.action_space.sample())
    assert info["episode"]["l"].tolist() == [12, 12]


WRONG = {
    "render_mode": (
        lambda: MAKERS["gym"](render_mode="rgb_aray"),
        "unknown render_mode 'rgb_aray'; did you mean 'rgb_array'",
    ),
    "option": (lambda: MAKERS["team"](layuot="tiny"), "did you mean 'layout'"),
    "team for one": (lambda: MAKERS["gym"](agents=3), "expected 1, got 3; for a team there is parallel_env"),
    "lanes": (lambda: sandbox.vector_env("warehouse", 0), "num_envs: expected a whole number from 1 on, got 0"),
    "autoreset": (
        lambda: MAKERS["vector"](autoreset_mode="Next"),
        "unknown autoreset_mode 'Next'; did you mean 'NextStep'",
    ),
    "agent's space": (lambda: MAKERS["team"]().action_space("agent_7"), "unknown agent 'agent_7'"),
}


@pytest.mark.parametrize("make, told", WRONG.values(), ids=WRONG)
def test_what_cannot_be_made_is_told(make, told):
    with pytest.raises(UsageError, match=told):
        make()


@pytest.mark.parametrize("kind", MAKERS)
def test_a_step_needs_an_episode_that_runs(kind):
    peer_env = MAKERS[kind](render_mode="ansi", **({"autoreset_mode": "Disabled"} if kind == "vector" else {}))
    for call in (lambda: _act(peer_env, kind, 0), peer_env.render):
        with pytest.raises(UsageError, match="no episode has begun; call reset"):
            call()
    peer_env.reset(seed=1)
    for _ in range(12):
        _act(peer_env, kind, 0)
    with pytest.raises(UsageError, match=r"is over \(tick limit\); call reset"):
        _act(peer_env, kind, 0)
    peer_env.reset()
    _act(peer_env, kind, 0)


@pytest.mark.parametrize("action", [-1, 5, 10**30, 1.0, "left", None, True, [1], np.float32(1), np.array([1])])
def test_an_action_is_the_number_of_a_pair(action):
    told = "expected a whole number 0..4, got"
    peer_env = MAKERS["gym"]()
    peer_env.reset(seed=1)
    with pytest.raises(UsageError, match=told):
        peer_env.step(action)
    team = MAKERS["team"]()
    team.reset(seed=1)
    with pytest.raises(UsageError, match=f"action of agent_1: {told}"):
        team.step({"agent_0": 1, "agent_1": action})


@pytest.mark.parametrize("action", [np.int64(1), np.uint8(1), np.array(1)])
def test_numbers_of_any_width_are_actions(action):
    peer_env, other = MAKERS["gym"](), MAKERS["gym"]()
    peer_env.reset(seed=np.int64(1))
    other.reset(seed=1)
    assert _same(peer_env.step(action), other.step(1))


def test_actions_of_a_team_are_by_name():
    team = MAKERS["team"]()
    team.reset(seed=1)
    with pytest.raises(UsageError, match="unknown agent 'agent_2'; did you mean"):
        team.step({"agent_2": 0})
    with pytest.raises(UsageError, match="expected an action for each agent, by name"):
        team.step([0, 1])


@pytest.mark.parametrize(
    "actions, told",
    [
        ([0, 1], "expected 3 whole numbers"), (np.zeros(3), "got float64 of shape"), (np.zeros((3, 1), int), "shape"),
        ([0, 1, 5], r"action in lane 2: expected a whole number 0\.\.4, got 5"), ([0, -1, 0], "lane 1"),
        (None, "got object"),
    ],
)  # fmt: skip
def test_actions_of_lanes_are_one_array(actions, told):
    peer_env = MAKERS["vector"]()
    peer_env.reset(seed=1)
    with pytest.raises(UsageError, match=told):
        peer_env.step(actions)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "3", True])
@pytest.mark.parametrize("kind", MAKERS)
def test_a_seed_is_a_whole_number(kind, seed):
    with pytest.raises(UsageError, match=r"seed: expected a whole number 0\.\.2\*\*64-1"):
        MAKERS[kind]().reset(seed=seed)


@pytest.mark.parametrize("given", [{"seed": [1, 2]}, {"options": {"reset_mask": [True] * 3}}])
def test_lanes_are_reset_all_or_by_a_mask(given):
    with pytest.raises(UsageError, match="^reset: "):
        MAKERS["vector"]().reset(**given)


def test_info_says_what_was_achieved():
    peer_env = sandbox.gym_env("warehouse", layout="tiny", deliveries=1)
    _, info = peer_env.reset(seed=1)
    assert (info["success"], info["is_success"], info["tasks_done"], info["tasks_total"]) == (False, False, 0, 1)
    state = peer_env._episodes.state
    state.delivered[0] = 1  # as if a shelf had been brought
    *_, info = peer_env.step(0)
    assert info["tasks_done"] == 1 and info["finish"] in ("running", "completed")
    assert info["success"] == (info["finish"] == "completed")


def test_craft_tells_what_crafter_tells():
    peer = crafter.Env(seed=1)
    peer.reset()
    *_, expected = peer.step(0)
    peer_env = sandbox.gym_env("craft", size=24)
    peer_env.reset(seed=1)
    *_, info = peer_env.step(0)
    assert expected.keys() - info.keys() == {"semantic"}  # the whole map: that would be the state
    assert info["achievements"].keys() == expected["achievements"].keys()
    assert info["inventory"] == expected["inventory"] and info["discount"] == expected["discount"]
    row, col = peer_env._episodes.state.pos[0, 0].tolist()
    assert info["player_pos"].tolist() == [col, row]


def test_the_kitchen_tells_what_overcooked_tells():
    mdp = OvercookedGridworld.from_layout_name("cramped_room")
    peer = OvercookedEnv.from_mdp(mdp, horizon=400, info_level=0)
    peer_env = sandbox.parallel_env("kitchen", layout="cramped_room", reward="shaped", soups=0)
    peer_env.reset(seed=1)
    rng, shaped = np.random.default_rng(3), 0.0
    for verbs in rng.integers(0, 6, (300, 2)).tolist():
        _, sparse, _, expected = peer.step([Action.INDEX_TO_ACTION[verb] for verb in verbs])
        _, rewards, *_, infos = peer_env.step({f"agent_{cook}": verb for cook, verb in enumerate(verbs)})
        for cook, info in enumerate(infos.values()):
            for name in ("sparse_r_by_agent", "shaped_r_by_agent"):
                assert info[name].tolist() == list(expected[name])
            assert rewards[f"agent_{cook}"] == sparse + expected["shaped_r_by_agent"][cook]
        shaped += sum(expected["shaped_r_by_agent"])
    assert shaped > 0


def test_a_missing_extra_is_named():
    code = (
        "import sys; sys.modules['pettingzoo'] = None\nimport sandbox\n"
        "try: sandbox.parallel_env('warehouse')\nexcept sandbox.core.errors.UsageError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "pettingzoo" in told and "pip install 'sandbox[rl]'" in told
