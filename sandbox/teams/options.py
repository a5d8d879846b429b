"""``[team]`` of a scenario."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.teams.graphs import NetworkTable
from sandbox.teams.tasks import TaskTable


class TeamTable(BaseModel):
    """How the agents of a scenario work together. Without ``[team]``, each works alone."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    protocol: str = "independent"
    """How work is shared; docs/teams.md explains the protocols."""
    network: NetworkTable = NetworkTable()
    """Who can speak to whom: the name of a kind, or a table with its options."""
    lead: int = Field(0, ge=0)
    """Number of the agent that manages, plans or calls on speakers."""
    patience: int = Field(60, ge=1)
    """Ticks without news after which others stop waiting for an agent."""
    words: int = Field(6, ge=1, le=64)
    """Most messages that an agent sends in one tick."""
    tasks: list[TaskTable] | Literal["generated"] = []
    """The shared task as a graph: a table for each task, or "generated"; without it, the world's own task."""
    stop: str = ""
    """Condition that ends an episode, besides the world's own, such as "stall(100) | messages(5000)"."""
    absent: list[int] = []
    """Numbers of agents that are present but do nothing, to measure their contribution."""
