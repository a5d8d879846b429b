"""Who works on what: the pieces of work of an episode, for worlds that tell them (``World.gantt``)."""

from collections import deque
from dataclasses import dataclass

from sandbox.core.telling import Span
from sandbox.model import Sandbox

SPAN = 3 * 1440.0  # minutes that are drawn
MOST = 10_000  # pieces of work that are kept; three days of a hundred people have fewer


@dataclass(frozen=True)
class Work:
    """Three days of work, up to the present."""

    rows: tuple[str, ...]  # who works
    kinds: tuple[str, ...]  # on what
    clock: float  # now, minutes since a Monday, 0:00
    spans: tuple[Span, ...]  # the end of what is under way is None


class Diary:
    """Collects the pieces of work tick by tick."""

    def __init__(self):
        self._ended: deque[tuple[int, Span]] = deque(maxlen=MOST)  # with the tick in which it ended
        self._tick = 0

    def note(self, model: Sandbox) -> None:
        """Take the latest tick; ticks seen before are not counted again."""
        env = model.env
        if not env.world.gantt or model.ticks <= self._tick:
            return
        self._tick = model.ticks
        spans = env.world.gantt.spans(model.state, 0, env.params)
        self._ended += [(model.ticks, one) for one in spans if one.end is not None]

    def forget(self, tick: int) -> None:
        """Forget all ticks after this one."""
        self._ended = deque((one for one in self._ended if one[0] <= tick), MOST)
        self._tick = min(self._tick, tick)

    def work(self, model: Sandbox) -> Work | None:
        """The days before the model's present tick; None in a world without such a chart."""
        env, gantt = model.env, model.env.world.gantt
        if not gantt:
            return None
        now = gantt.clock(model.state, 0, env.params)
        ended = [one for tick, one in self._ended if tick <= model.ticks and (one.end or 0) > now - SPAN]
        running = [one for one in gantt.spans(model.state, 0, env.params) if one.end is None]
        return Work(gantt.rows(env.params), gantt.kinds(env.params), now, (*ended, *running))
