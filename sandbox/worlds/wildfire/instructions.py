"""What a crew can be told to do."""

import numpy as np

from sandbox.core.instructions import Instructed, Instruction
from sandbox.worlds.wildfire.state import Count, Crew, Kind, Params, State


def _stands_on(kind: int):
    def count(s: State, agent: int, params: Params) -> np.ndarray:
        return s.land[np.arange(len(s.seed)), s.pos[:, agent, 0], s.pos[:, agent, 1]] & 7 == kind

    return count


def _water_left(s: State, agent: int, params: Params) -> np.ndarray:
    return s.crew[:, agent, Crew.TANKS]


def _water_used(s: State, agent: int, params: Params) -> np.ndarray:
    return -s.crew[:, agent, Crew.TANKS]


def _rescued(s: State, agent: int, params: Params) -> np.ndarray:
    return s.tally[:, Count.RESCUED]


def _at_home(s: State, agent: int, params: Params) -> np.ndarray:
    return (s.pos[:, agent] == s.crew[:, agent, Crew.HOME_ROW : Crew.HOME_COL + 1]).all(axis=1)


def _place(layout: str) -> dict:
    return {"layout": layout, "agents": 1, "save": 1.0}


INSTRUCTED = Instructed(
    instructions=(
        Instruction(
            ("spray water", "douse what is around you", "use your water", "empty a tank of water here",
             "pour out water around you"),
            _water_used,
        ),
        Instruction(
            ("refill the tanks", "get new water", "fill up with water", "take on water at the river",
             "refill with fresh water"),
            _water_left,
        ),
        Instruction(
            ("cut a fire break", "clear the fuel here", "cut down the trees here", "make a break in the vegetation",
             "cut a break against the fire"),
            _stands_on(Kind.BREAK),
        ),
        Instruction(
            ("rescue a household", "save the people in a house", "bring the family to safety", "evacuate a building",
             "rescue the people from a house"),
            _rescued,
        ),
        Instruction(
            ("go to a road", "walk to the street", "get onto the road", "move to the next road",
             "go and stand on a road"),
            _stands_on(Kind.ROAD),
        ),
        Instruction(
            ("return to your station", "go home", "come back to base", "walk back to the station",
             "go back to your home station"),
            _at_home,
        ),
    ),
    places=(_place("village"), _place("valley")),
    held_out=(_place("plain"),),
)  # fmt: skip
