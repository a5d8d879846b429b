"""What one agent of a world can be told to do in words, for agents that are instructed (``nets.generalist``)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Instruction:
    """Something to do, in several wordings.

    ``count`` (state, agent, params) -> (L,) says for each lane how much of it there is; it is done as soon as there is
    more than in the beginning.
    """

    texts: tuple[str, ...]  # paraphrases; the first is its name, the last is kept out of training
    count: Callable[[Any, int, Any], np.ndarray]

    @property
    def name(self) -> str:
        return self.texts[0]


@dataclass(frozen=True)
class Instructed:
    """The instructions of a world, and the options of the places where they are learned and tested."""

    instructions: tuple[Instruction, ...]
    places: tuple[Mapping[str, Any], ...]
    held_out: tuple[Mapping[str, Any], ...]
    centred: bool = True  # windows have the agent in their middle
    starts: int = 20  # of each place, in a chunk of demonstrations
    policy: str = "rules"  # it plays, with random actions between, until an instruction is given
