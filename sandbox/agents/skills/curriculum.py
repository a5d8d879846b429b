"""Which achievement comes next."""

from collections import Counter
from collections.abc import Collection
from random import Random

import networkx as nx


class Curriculum:
    """Proposes what has not been done yet: what is in reach, or, as an ablation, anything (``random``).

    In reach is what takes nothing that has not been done. Of these it proposes one that has failed least often.
    """

    def __init__(self, graph: nx.DiGraph, rng: Random, random: bool = False):
        self._graph, self._rng, self._random, self.failures = graph, rng, random, Counter()

    def propose(self, done: Collection[str]) -> str | None:
        """The next task; None where there is none left."""
        left = [node for node in self._graph if node not in done]
        if not self._random:
            left = [node for node in left if set(self._graph.predecessors(node)) <= set(done)]
            fewest = min((self.failures[node] for node in left), default=0)
            left = [node for node in left if self.failures[node] == fewest]
        return self._rng.choice(left) if left else None
