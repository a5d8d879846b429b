"""What a robot can be told to do."""

import numpy as np

from sandbox.core.instructions import Instructed, Instruction
from sandbox.worlds.warehouse.state import Cell, Params, State


def _carries(requested: bool):
    def count(s: State, agent: int, params: Params) -> np.ndarray:
        load, lanes = s.carrying[:, agent], np.arange(len(s.seed))
        return (load > 0) & ((s.requested[lanes, load - 1] > 0) == requested)

    return count


def _empty(s: State, agent: int, params: Params) -> np.ndarray:
    return s.carrying[:, agent] == 0


def _at_goal(s: State, agent: int, params: Params) -> np.ndarray:
    return s.grid[np.arange(len(s.seed)), s.pos[:, agent, 0], s.pos[:, agent, 1]] == Cell.GOAL


def _place(layout: str) -> dict:
    return {"layout": layout, "agents": 1, "deliveries": 0, "sight": 3}


INSTRUCTED = Instructed(
    instructions=(
        Instruction(
            (
                "pick up a requested shelf", "lift a shelf that is on the order board", "load a shelf that was ordered",
                "take a shelf somebody wants", "lift one of the requested shelves",
            ),
            _carries(True),
        ),
        Instruction(
            (
                "pick up a shelf that nobody wants", "lift a shelf without an order", "load a shelf nobody ordered",
                "take a shelf that is not requested", "lift one of the shelves nobody asked for",
            ),
            _carries(False),
        ),
        Instruction(
            (
                "put the shelf down", "unload the shelf", "set your load down in a free slot", "drop the shelf",
                "put down the load that you carry",
            ),
            _empty,
        ),
        Instruction(
            (
                "drive to a goal", "go to the delivery station", "move to the place of delivery",
                "head for the exit where goods leave", "drive to the station where shelves are delivered",
            ),
            _at_goal,
        ),
    ),
    places=tuple(map(_place, ("tiny", "small", "large"))),
    held_out=(_place("medium"),),
    starts=60,
)  # fmt: skip
