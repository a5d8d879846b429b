"""``[team]`` of a scenario."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.teams.graphs import NetworkTable
from sandbox.teams.tasks import TaskTable


class TeamTable(BaseModel):
    """How the agents of a scenario work together. Without ``[team]`` each is for itself, as the world has it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    protocol: str = "independent"
    network: NetworkTable = NetworkTable()
    lead: int = Field(0, ge=0)  # the agent that manages, plans or gives the word
    patience: int = Field(60, ge=1)  # ticks without news after which an agent is no longer waited for
    words: int = Field(6, ge=1, le=64)  # messages that an agent can say in a tick
    tasks: list[TaskTable] | Literal["generated"] = []  # the shared task as a graph; without it, the world's own
    stop: str = ""  # when to end, besides the world's own end: "stall(100) | messages(5000)"
    absent: list[int] = []  # agents that are there but do nothing: what did they contribute?
