"""What is read off an episode of the hosted tier: how far it is, how it ended, what it has earned and got wrong."""

from sandbox.core.finish import Finish
from sandbox.engine.play import Tally


class Measures:
    """The measures of a model, from the arrays of its one lane: ``state``, ``tally``, and the loops that settle it."""

    @property
    def ticks(self) -> int:
        return int(self.state.tick[0])

    @property
    def finish(self) -> Finish:
        return Finish(int(self.state.done[0]))  # compared with an enumeration, a scalar of NumPy's swallows Ctrl-C

    def settle(self) -> Tally:
        """What is counted of the episode so far."""
        cast, loops = self.kernels
        loops.settle(self.state, 0, self.stage.rules, cast, self.tally)
        return self.tally

    @property
    def tasks_done(self) -> int:
        """Parts of the shared task, or task objects where the team has them."""
        return int(self.settle().progress[0, 0])

    @property
    def tasks_total(self) -> int:
        return int(self.settle().progress[0, 1])

    @property
    def reward(self) -> float:
        """Sum over agents and ticks so far."""
        return float(self.tally.reward.sum())

    @property
    def invalid_actions(self) -> int:
        return int(self.tally.invalid.sum())

    @property
    def refused_actions(self) -> int:
        return int(self.tally.refused.sum())
