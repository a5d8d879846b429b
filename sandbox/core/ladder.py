"""What can be achieved in a world, and what each achievement takes: for agents that learn to climb."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

MAP = "rules"  # the policy that keeps the map of what a climber has seen; what it would do is not done


@dataclass(frozen=True, eq=False)
class Ladder:
    """The achievements of a world as data, and the few functions by which programs climb them.

    ``graph`` has a node for each achievement and an edge a -> b where b takes a; ``amount`` on the edge says how many
    must be at hand, ``leaves`` on a node which thing it leaves in the world, ``foe`` which it is against.
    ``milestones`` are nodes by short name. ``achieved`` reads the state and is the verifier's. The other functions are
    for beliefs: how much of each achievement is at hand, whether a kind of thing is known, and the verb of the next
    step to one: "" where the agent faces it, None where there is no way; ``by`` asks that the agent then stands beside
    another kind of thing.
    """

    graph: "nx.DiGraph"
    milestones: dict[str, str]
    places: tuple[str, ...]  # kinds of things
    verbs: tuple[str, ...]  # all but those that ``toward`` uses
    vitals: tuple[str, ...]  # what a body runs short of, each 0..9
    achieved: Callable[[Any, int, int], dict[str, int]]  # state, lane, agent -> how often each
    holding: Callable[[Any, int, int], dict[str, int]]  # the same of a belief -> how much of each, and the vitals
    knows: Callable[[Any, int, str], bool]  # whether a kind of thing is anywhere in a belief
    toward: Callable[[Any, int, int, str, str | None], str | None]
