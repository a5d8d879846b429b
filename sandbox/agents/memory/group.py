"""The memories of a group of agents, made from options; and a memory rebuilt from its edits."""

from collections.abc import Iterable

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.memory import Memory
from sandbox.agents.memory.atlas import Atlas
from sandbox.agents.memory.blocks import Blocks
from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.memory.window import Nothing, Window
from sandbox.core.decision import Edit


def memory_for(options: MemoryOptions, beliefs: Beliefs | None = None, agent: int = 0) -> Memory:
    """An empty memory; one of the kind "map" gets its map from ``beliefs``."""
    if options.kind == "map":
        return Atlas(options, beliefs, agent)
    return {"none": lambda _: Nothing(), "window": Window, "blocks": Blocks}[options.kind](options)


def restored(options: MemoryOptions, edits: Iterable[Edit]) -> Memory:
    """The memory of an agent after these edits. It contains no map, which is drawn anew in each tick."""
    memory = memory_for(options)
    for edit in edits:
        memory.apply(edit)
    return memory
