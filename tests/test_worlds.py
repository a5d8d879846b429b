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


class TestCraft(Conformance):
    world = "craft"
    cases = [{"size": 32, "agents": 2, "goal": "wood_tools", "max_ticks": 300}]
