"""Memories of agents: what they keep of past ticks, and what of it a prompt contains.

===========  ===========================================================================================
``options``  ``memory = {...}`` of a scenario
``tokens``   the estimate by which texts are measured and cut
``store``    entries that are searched by vector and by words
``journal``  what all memories share
``window``   the latest experiences that fit
``blocks``   core blocks, recall and archival memory, in the terms of MemGPT (Packer and others 2023) and Letta
``atlas``    what the agent believes of its world, above a window: the kind ``map``
``minds``    the memories of a group of agents; a memory made again from its edits
===========  ===========================================================================================

Every change is an ``Edit`` (``core.decision``): it goes into the trace of the decision and from there into the run's
chain of events, and a memory is nothing but its edits, applied in order. So it is made again from any record.
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
