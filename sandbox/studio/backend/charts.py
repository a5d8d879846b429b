"""The measures of an episode by tick, thinned out to a fixed size."""

from dataclasses import dataclass

from sandbox.engine.play import Talk
from sandbox.model import Sandbox
from sandbox.studio.backend.wording import number

MOST = 600  # points


@dataclass(frozen=True)
class Point:
    """Counts up to a tick, over the whole team."""

    tick: int
    done: int  # parts of the shared task
    total: int  # 0: the task has no end
    reward: float | None  # None if it is not finite
    messages: int
    lost: int
    tokens: int
    money: float | None  # US dollars
    refused: int  # actions that were illegal when they were chosen
    failed: int  # legal actions that were prevented
    own: tuple[float | None, ...] = ()  # the lines of the world's own charts now, one chart after the other

    @property
    def share(self) -> float | None:
        """Share of the task that is done; None if the task has no end."""
        return self.done / self.total if self.total else None


def point_of(model: Sandbox) -> Point:
    """The point of the model's present tick."""
    stats, usage, env = model.finalise(), model.usage, model.env
    own = tuple(number(each) for chart in env.world.charts for each in chart.values(model.state, 0, env.params))
    return Point(
        model.ticks, *stats.progress[0].tolist(), number(stats.reward.sum()),
        int(stats.talk[0, Talk.MESSAGES]), int(stats.talk[0, Talk.LOST_MESSAGES]), usage.tokens,
        number(usage.money), int(stats.invalid.sum()), int(stats.refused.sum()), own,
    )  # fmt: skip


class Series:
    """Points of one episode: at first every tick, then every second, every fourth; the latest is always included."""

    def __init__(self):
        self._points: list[Point] = []
        self._every, self._latest, self._model = 1, None, None

    def note(self, model: Sandbox) -> None:
        """Take the latest tick, or the reset; ticks seen before are not counted again."""
        self._model = model
        if model.ticks % self._every == 0:
            self._count(model)

    def _count(self, model: Sandbox) -> None:
        if self._latest and model.ticks <= self._latest.tick:
            return
        self._latest = point_of(model)
        if self._latest.tick % self._every == 0:
            self._points.append(self._latest)
        if len(self._points) >= MOST:
            self._every *= 2
            self._points = [point for point in self._points if point.tick % self._every == 0]

    def forget(self, tick: int) -> None:
        """Forget all ticks after this one."""
        self._points = [point for point in self._points if point.tick <= tick]
        self._latest = self._points[-1] if self._points else None

    def points(self) -> tuple[Point, ...]:
        """Oldest first, the latest tick included; fewer than MOST + 1."""
        if self._model:
            self._count(self._model)
        last = () if not self._latest or self._points[-1:] == [self._latest] else (self._latest,)
        return (*self._points, *last)
