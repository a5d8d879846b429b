"""The conformance suite over every world of ours, and what it asks of others."""

import dataclasses

import numpy as np
import pytest

import sandbox
from sandbox.testing import Conformance

COURIER = "type octile\nheight 9\nwidth 12\nmap\n" + "\n".join(
    ["............", ".@@..TT..@@.", "............", "..@......@..", "............"]
    + [".@@......@@.", "............", "...@@..@@...", "............"]
)


class TestWarehouse(Conformance):
    world = "warehouse"
    cases = [
        {"layout": "tiny", "agents": 4},
        {"layout": "small", "agents": 7, "board": False, "sight": 2, "reward": "two_stage"},
        {"layout": COURIER, "agents": 6},
    ]


class TestKitchen(Conformance):
    world = "kitchen"
    cases = [{"layout": "cramped_room"}, {"layout": "forced_coordination", "reward": "shaped", "sight": 2}]


class TestWildfire(Conformance):
    world = "wildfire"
    cases = [
        {"height": 32, "width": 32, "agents": 4, "save": 0.6},  # what the oracle saves whatever goes wrong
        {"layout": "valley", "height": 36, "width": 44, "agents": 7, "sight": 3, "messages": 2, "save": 0.6},
    ]


class TestCraft(Conformance):
    world = "craft"
    cases = [{"size": 32, "agents": 2, "goal": "wood_tools", "max_ticks": 300}]


class TestWeb(Conformance):
    world = "web"
    cases = [{"layout": "all", "agents": 2, "max_ticks": 120}]


class TestOffice(Conformance):
    world = "office"
    cases = [
        {"cases": 6, "max_ticks": 300},
        {"layout": "lead-to-cash", "cases": 5, "agents": 3, "review": 0.5, "speed": 0.3, "max_ticks": 200},
    ]


class TestRooms(Conformance):
    world = "rooms"
    cases = [{"layout": "studio", "wishes": 4, "max_ticks": 80}]


@pytest.mark.parametrize(("seen_wrong", "unseen_wrong", "passes"), [
    (False, False, True), (False, True, True), (True, False, False), (True, True, False),
])  # fmt: skip
def test_a_world_may_be_believed_rightly_also_out_of_view(seen_wrong, unseen_wrong, passes):
    """Twelve facts, six of them in view; beliefs have a seed of their own, so their facts can be told apart."""
    env = sandbox.make("web", layout="login-user")
    view = np.arange(12) < 6

    def facts(state, lane, params):
        believed = state.seed[lane] < 100
        return np.where(believed & np.where(view, seen_wrong, unseen_wrong), -1, np.arange(12))

    env.world = dataclasses.replace(env.world, ground_truth=facts, visible=lambda *_: view)
    real = env.reset
    env.reset = lambda seeds: real([seed + 1000 for seed in seeds])
    check = Conformance().test_what_is_in_view_is_believed_as_it_is
    if passes:
        check(env)
    else:
        with pytest.raises(AssertionError):
            check(env)
