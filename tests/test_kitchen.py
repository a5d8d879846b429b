"""Our kitchen against the overcooked-ai package, step by step: it is the record. Then the kitchen's own promises."""

from pathlib import Path

import numpy as np
import pytest

np.Inf = np.inf  # overcooked-ai 1.1.0 was written for NumPy 1

import overcooked_ai_py  # noqa: E402
from overcooked_ai_py.mdp.actions import Action, Direction  # noqa: E402
from overcooked_ai_py.mdp.overcooked_mdp import OvercookedGridworld  # noqa: E402

import sandbox  # noqa: E402
from sandbox.core.errors import UsageError  # noqa: E402
from sandbox.core.finish import Finish  # noqa: E402
from sandbox.worlds.kitchen.layouts import CLASSIC, load  # noqa: E402
from sandbox.worlds.kitchen.state import Verb  # noqa: E402

FILES = Path(overcooked_ai_py.__file__).parent / "data" / "layouts"
PEER_NAME = {"counter_circuit": "counter_circuit_o_1order"}
SEEDS, STEPS = 50, 400
FACING = dict(zip(Direction.ALL_DIRECTIONS, ("north", "south", "east", "west"), strict=True))


def _thing(peer):
    if peer is None or peer.name != "soup":
        return peer and peer.name
    return {"name": "soup", "ingredients": sorted(peer.ingredients)}


def _peer_view(mdp, state):
    """The package's state in the terms of ``describe``."""
    players, objects, pots = [], [], []
    for p in state.players:
        (col, row), facing = p.position, FACING[p.orientation]
        players.append((row, col, facing, _thing(p.held_object)))
    for (col, row), thing in sorted(state.objects.items(), key=lambda pair: pair[0][::-1]):
        if mdp.get_terrain_type_at_pos((col, row)) == "X":
            objects.append((row, col, _thing(thing)))
    for col, row in mdp.get_pot_locations():
        soup = state.objects.get((col, row))
        if soup is None:
            pots.append((row, col, [], -1, False))
        else:
            pots.append((row, col, sorted(soup.ingredients), soup._cooking_tick, soup.is_ready))
    return players, objects, pots


def _our_view(stage, state):
    d = stage.describe(state)
    soup = ("name", "ingredients")
    return (
        [(p["row"], p["col"], p["facing"], p["holding"]) for p in d["players"]],
        [
            (o["row"], o["col"], {k: o[k] for k in soup} if "ingredients" in o else o["name"])
            for o in d["objects"]
        ],
        [(p["row"], p["col"], p["ingredients"], p["cooking_ticks"], p["ready"]) for p in d["pots"]],
    )  # fmt: skip


def _compare(stage, mdp, seed, choose, steps=STEPS):
    """Play both for ``steps`` and compare everything at every step; returns (soups served, sparse reward in all)."""
    ours, peer, earned, soups = stage.reset([seed]), mdp.get_standard_start_state(), 0.0, 0
    for step in range(steps):
        assert _our_view(stage, ours) == _peer_view(mdp, peer), (seed, step)
        actions = choose(ours, step)
        joint = [Action.INDEX_TO_ACTION[verb] for verb in actions[:, 0]]
        peer, infos = mdp.get_state_transition(peer, joint)
        stage.step(ours, actions[None])
        sparse = sum(infos["sparse_reward_by_agent"])
        assert ours.reward[0].tolist() == pytest.approx([sparse] * stage.agents), (seed, step)
        assert ours.shaped[0].tolist() == infos["shaped_reward_by_agent"], (seed, step)
        soups += sum(infos["event_infos"]["soup_delivery"])
        earned += sparse
    return soups, earned


def _random(rng, agents):
    verbs = rng.integers(0, 6, (STEPS, agents))

    def choose(state, step):
        return np.stack([verbs[step], np.zeros(agents, np.int64)], axis=-1).astype(np.int32)

    return choose


def _policy(stage, policy):
    teams, loops = stage.teams([policy] * stage.agents)
    memory, obs, actions = stage.memory(1), stage.observation(1), np.zeros((1, stage.agents, 2), np.int32)

    def choose(state, step):
        stage.observe(state, obs)
        loops.choose(state, obs, 0, stage.rules, memory, teams, actions)
        return actions[0].copy()

    return choose


def _endless(layout, **options):
    return sandbox.make("kitchen", layout=layout, soups=0, max_ticks=10_000, **options)


# -- beside the record -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", list(CLASSIC))
def test_random_play_is_equal_at_every_step(layout):
    """5 layouts x 50 seeds x 400 random joint steps."""
    stage = _endless(layout)
    mdp = OvercookedGridworld.from_layout_name(PEER_NAME.get(layout, layout))
    for seed in range(SEEDS):
        _compare(stage, mdp, seed, _random(np.random.default_rng(seed), 2))


@pytest.mark.parametrize("policy", ["rules", "oracle"])
@pytest.mark.parametrize("layout", list(CLASSIC))
def test_play_that_serves_soups_is_equal(layout, policy):
    stage = _endless(layout)
    mdp = OvercookedGridworld.from_layout_name(PEER_NAME.get(layout, layout))
    soups, earned = _compare(stage, mdp, 7, _policy(stage, policy))
    assert soups >= 5 and earned == 20 * soups
