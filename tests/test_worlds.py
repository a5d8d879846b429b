"""The conformance suite over every world of ours."""

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
