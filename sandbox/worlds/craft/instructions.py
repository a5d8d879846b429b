"""What a player can be told to do."""

import numpy as np

from sandbox.core.instructions import Instructed, Instruction
from sandbox.worlds.craft.state import Achievement, Body, Params, State


def _achieved(achievement: int):
    return lambda s, agent, params: s.achieved[:, agent, achievement]


def _asleep(s: State, agent: int, params: Params) -> np.ndarray:
    return s.body[:, agent, Body.SLEEPING]


def _place(size: int) -> dict:
    return {"size": size, "agents": 1, "goal": "none"}


INSTRUCTED = Instructed(
    instructions=(
        Instruction(
            ("collect wood", "chop a tree", "get some wood", "cut wood from a tree", "gather wood"),
            _achieved(Achievement.COLLECT_WOOD),
        ),
        Instruction(
            ("drink water", "go and drink", "quench your thirst", "have a drink from the lake", "drink some water"),
            _achieved(Achievement.COLLECT_DRINK),
        ),
        Instruction(
            ("collect a sapling", "get a sapling from the grass", "search the grass for a plant", "take a seedling",
             "gather a sapling"),
            _achieved(Achievement.COLLECT_SAPLING),
        ),
        Instruction(
            ("eat a cow", "hunt a cow", "get meat", "kill a cow for food", "go and eat a cow"),
            _achieved(Achievement.EAT_COW),
        ),
        Instruction(
            ("mine stone", "collect a stone", "dig for stone", "break a rock", "gather stone"),
            _achieved(Achievement.COLLECT_STONE),
        ),
        Instruction(
            ("place a stone", "put a stone down", "set a stone in front of you", "build with a stone",
             "place one of your stones"),
            _achieved(Achievement.PLACE_STONE),
        ),
        Instruction(
            ("place a table", "build a table", "put up a workbench", "set up a crafting table", "build a work table"),
            _achieved(Achievement.PLACE_TABLE),
        ),
        Instruction(
            ("plant the sapling", "put the sapling into the grass", "set the plant into the ground", "sow your sapling",
             "plant a sapling here"),
            _achieved(Achievement.PLACE_PLANT),
        ),
        Instruction(
            ("go to sleep", "sleep now", "lie down and rest", "take a nap", "go to bed and sleep"),
            _asleep,
        ),
    ),
    places=(_place(32), _place(48)),
    held_out=(_place(64),),
)  # fmt: skip
