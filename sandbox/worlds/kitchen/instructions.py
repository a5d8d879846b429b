"""What a cook can be told to do."""

import numpy as np

from sandbox.core.instructions import Instructed, Instruction
from sandbox.worlds.kitchen.state import DCOL, DROW, Cell, Params, Pot, State, Thing


def _holding(thing: int):
    return lambda s, agent, params: s.holding[:, agent] == thing


def _served(s: State, agent: int, params: Params) -> np.ndarray:
    return s.served


def _potted(s: State, agent: int, params: Params) -> np.ndarray:
    return (s.pots[:, :, Pot.ONIONS] + s.pots[:, :, Pot.TOMATOES]).sum(axis=1)


def _put_down(s: State, agent: int, params: Params) -> np.ndarray:
    return (s.items > 0).sum(axis=(1, 2))


def _at_serving(s: State, agent: int, params: Params) -> np.ndarray:
    row, col = s.pos[:, agent, 0] + DROW[s.facing[:, agent]], s.pos[:, agent, 1] + DCOL[s.facing[:, agent]]
    return params.plan[row, col] == Cell.SERVING


def _place(layout: str) -> dict:
    return {"layout": layout, "agents": 1, "scattered": True, "soups": 0, "sight": 3}


INSTRUCTED = Instructed(
    instructions=(
        Instruction(
            ("pick up an onion", "take an onion", "get an onion from the crate", "fetch an onion", "grab one onion"),
            _holding(Thing.ONION),
        ),
        Instruction(
            ("pick up a dish", "take a plate", "get a dish from the stack", "fetch a clean plate", "grab one dish"),
            _holding(Thing.DISH),
        ),
        Instruction(
            (
                "put the ingredient into the pot", "drop what you hold into the pot", "add the vegetable to the soup",
                "fill the pot", "throw it into the cooking pot",
            ),
            _potted,
        ),
        Instruction(
            (
                "put it down on a counter", "leave what you hold on the counter", "lay it on the worktop",
                "set it down on a table", "place it on a free counter",
            ),
            _put_down,
        ),
        Instruction(
            (
                "go to the serving window", "walk to the serving hatch", "stand where soups are served",
                "move to the place of serving", "go and face the serving window",
            ),
            _at_serving,
        ),
        Instruction(
            ("serve the soup", "deliver the soup", "bring the soup to the guests", "hand out the soup",
             "serve the finished soup"),
            _served,
        ),
    ),
    places=tuple(map(_place, ("cramped_room", "asymmetric_advantages", "coordination_ring"))),
    held_out=(_place("counter_circuit"),),
    starts=60,
)  # fmt: skip
