"""An agent of the Mesa model: a row of the world's arrays, and a reasoner."""

import mesa

from sandbox.core.errors import UsageError


class Agent(mesa.Agent):
    """One agent of a ``Sandbox``. Its properties read the arrays of the world; it holds no state of its own."""

    def __init__(self, model: mesa.Model, row: int, role: str, reasoner: str):
        super().__init__(model)
        self.row = row
        self.role = role
        self.reasoner = reasoner

    @property
    def name(self) -> str:
        return f"{self.role}-{self.row}"

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column in the world."""
        row, col = self.model.state.pos[0, self.row].tolist()
        return row, col

    @property
    def pos(self) -> tuple[int, int] | None:
        """Its place in the world's arrays, as ``cell``; None where the world has no places."""
        return self.cell if self.model.env.world.cells else None

    @pos.setter
    def pos(self, place: None) -> None:
        """Ignored: Mesa sets None when it creates an agent."""
        if place is not None:
            raise UsageError("agent.pos: the world moves its agents; expected model.intervene({...})")

    @property
    def reward(self) -> float:
        """Reward of the last tick."""
        return float(self.model.state.reward[0, self.row])

    @property
    def earned(self) -> float:
        """Sum of rewards so far."""
        return float(self.model.stats.reward[0, self.row])
