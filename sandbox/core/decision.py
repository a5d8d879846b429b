"""What a reasoner is handed, and what it answers."""

from typing import Any, NamedTuple, Protocol


class Percept(NamedTuple):
    """What one agent perceives in one tick: its row of the observation's arrays."""

    agent: int
    tick: int
    window: Any  # (C, K, K) int8
    vector: Any  # (V,) float32
    mask: Any  # (A,) bool
    inbox: Any  # (M, 4) int32


class Decision(NamedTuple):
    """The action of one agent: indices into the world's verbs and the verb's targets."""

    verb: int
    target: int = 0


class Reasoner(Protocol):
    """Decides for a batch of agents at once; one that follows a world's compiled policy is no object but a name."""

    def decide(self, percepts: list[Percept]) -> list[Decision]: ...
