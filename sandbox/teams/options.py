"""``[team]`` of a scenario."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.teams.graphs import NetworkTable
from sandbox.teams.tasks import TaskTable


class TeamTable(BaseModel):
    """How the agents of a scenario work together. Without ``[team]`` each is for itself, as the world has it."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    protocol: str = "independent"
    """How work is shared out; docs/teams.md explains the protocols."""
    network: NetworkTable = NetworkTable()
    """Who can speak to whom: the name of a kind, or a table with its options."""
    lead: int = Field(0, ge=0)
    """Number of the agent that manages, plans or calls on speakers."""
    patience: int = Field(60, ge=1)
    """Ticks without news after which nobody waits for an agent any longer."""
    words: int = Field(6, ge=1, le=64)
    """Most messages that an agent sends in one tick."""
    tasks: list[TaskTable] | Literal["generated"] = []
    """The shared task as a graph: a table for each task, or "generated"; without it, the world's own task."""
    stop: str = ""
    """When to end, besides the world's own end, such as "stall(100) | messages(5000)"."""
    absent: list[int] = []
    """Numbers of agents that are there but do nothing, which shows what they contribute."""
