"""Memories of agents: the stored past, and the part of it that a prompt contains.

===========  ===========================================================================================
``options``  ``memory = {...}`` of a scenario
``tokens``   the estimate of tokens by which texts are cut
``search``   entries that are searched by vector and by words
``window``   the latest experiences that fit
``blocks``   core blocks, recall and archival memory, in the terms of MemGPT (Packer and others 2023) and Letta
``atlas``    the kind ``map``: the agent's belief about its world, above a window
``group``    the memories of a group of agents; a memory rebuilt from its edits
===========  ===========================================================================================

Every change is an ``Edit`` (``core.decision``), which goes into the trace of the decision and into the run's chain of
events. A memory is the result of its edits in order, so it can be rebuilt from any record.
"""

from typing import Protocol

from sandbox.core.decision import Edit


class Memory(Protocol):
    """The memory of one agent."""

    now: int

    def remember(self, tick: int, words: str, did: str, why: str) -> None:
        """Store an experience: the percept of a tick as text, the action, and its reason."""
        ...

    def recall(self, query: str, k: int) -> list[str]:
        """At most ``k`` texts relevant to a query, best first."""
        ...

    def context(self, now: str = "") -> str:
        """The text for the prompt, within the budget of tokens; ``now`` is the agent's percept as text."""
        ...

    def apply(self, edit: Edit) -> None:
        """Apply an edit."""
        ...

    def taken(self) -> tuple[Edit, ...]:
        """The edits since the last call."""
        ...


class Journal:
    """The edits of a memory, which are kept until they are recorded; subclasses implement ``apply``."""

    def __init__(self):
        self._fresh: list[Edit] = []

    def edit(self, edit: Edit) -> None:
        """Apply an edit and note it for the record."""
        self.apply(edit)
        self._fresh.append(edit)

    def taken(self) -> tuple[Edit, ...]:
        """The edits since the last call."""
        edits, self._fresh = tuple(self._fresh), []
        return edits
