"""What a designer can be told to do."""

import numpy as np

from sandbox.core.instructions import Instructed, Instruction
from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.state import Deal, Item, Params, State, Thing


def _placed(category: str):
    def count(s: State, agent: int, params: Params) -> np.ndarray:
        own = params.thing[:, Thing.CATEGORY] == catalogue().categories.index(category)
        return np.append(False, own)[s.item[:, :, Item.THING]].sum(axis=1)

    return count


def _removed(s: State, agent: int, params: Params) -> np.ndarray:
    return -(s.item[:, :, Item.THING] > 0).sum(axis=1)


def _asks(s: State, agent: int, params: Params) -> np.ndarray:
    return s.deal[:, Deal.ASKED] > 0


def _proposed(s: State, agent: int, params: Params) -> np.ndarray:
    return s.deal[:, Deal.PROPOSED]


INSTRUCTED = Instructed(
    instructions=(
        Instruction(
            ("place a bed", "put in a bed", "add something to sleep in", "furnish it with a bed", "put a bed here"),
            _placed("bed"),
        ),
        Instruction(
            ("place a sofa", "put in a sofa", "add a couch", "furnish it with a sofa", "put a sofa here"),
            _placed("sofa"),
        ),
        Instruction(
            ("place a wardrobe", "put in a wardrobe", "add a closet for clothes", "furnish it with a wardrobe",
             "put a wardrobe here"),
            _placed("wardrobe"),
        ),
        Instruction(
            ("place a plant", "put in a plant", "add something green", "furnish it with a potted plant",
             "put a plant here"),
            _placed("plant"),
        ),
        Instruction(
            ("remove an item", "take a piece of furniture out", "throw something out of the plan",
             "delete one of the things", "remove a piece of furniture"),
            _removed,
        ),
        Instruction(
            ("ask the client", "find out what the client wishes", "ask for a wish", "talk to the client",
             "ask the client for a wish"),
            _asks,
        ),
        Instruction(
            ("propose the plan", "present your plan", "submit the design", "show the plan for approval",
             "propose your plan to the client"),
            _proposed,
        ),
    ),
    places=({"layout": "studio"}, {"layout": "two-rooms"}),
    held_out=({"layout": "family"},),
    centred=False,
    starts=6,
)  # fmt: skip
