"""The panel beside the picture, made by the runner's thread from a model, as frozen values."""

from dataclasses import dataclass
from typing import NamedTuple

from sandbox.model import Sandbox
from sandbox.running.explain import has_tasks
from sandbox.studio.backend.agent import AgentSnapshot, insight
from sandbox.studio.backend.available_commands import AvailableCommands, offer_of
from sandbox.studio.backend.charts import Point, Series, point_of
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.backend.feed import Event, Feed
from sandbox.studio.backend.forecast import Forecasts
from sandbox.studio.backend.gantt import Diary, Work
from sandbox.studio.backend.layers import available
from sandbox.studio.backend.solid import Modeller, Solid
from sandbox.studio.backend.team import TeamView, TeamWatch

CHARTS, EVENTS, AGENT, TEAM, INTERVENE, RECORD = "Charts", "Events", "Agent", "Team", "Intervene", "Record"
TRANSCRIPT, ABOUT, SOLID = "Transcript", "About", "3D"
NAMED = 10_000  # agents whose names are listed


class Look(NamedTuple):
    """The viewer's selection."""

    agent: int | None = None  # the selected one
    cell: tuple[int, int] | None = None  # the selected one: row, column
    layers: frozenset[str] = frozenset()  # drawn over the world
    panel: str = CHARTS  # beside the picture
    score: bool = True  # whether it is told what the team has reached


@dataclass(frozen=True, eq=False)
class Scene:
    """The data that an open panel draws."""

    tick: int
    names: tuple[str, ...]  # of the agents
    picked: int | None
    layers: tuple[str, ...]  # layers that apply to this episode
    jumps: tuple[Event, ...]  # important ticks
    now: Point | None = None
    points: tuple[Point, ...] = ()  # up to the last tick that was seen
    charts: tuple[tuple[str, str, tuple[str, ...]], ...] = ()  # name, unit and lines of the world's own
    work: Work | None = None  # who works on what
    tasks: bool = False  # whether the team has tasks of its own
    events: tuple[Event, ...] = ()
    insight: AgentSnapshot | None = None
    team: TeamView | None = None
    offer: AvailableCommands | None = None  # commands available now
    solid: Solid | None = None  # in three dimensions


class Chronicle:
    """Collects the data of an episode tick by tick, for the panels beside the picture."""

    def __init__(self, film: EpisodePlayer):
        self._series, self._feed, self._team, self._forecasts = Series(), Feed(), TeamWatch(), Forecasts()
        self._diary, self._modeller = Diary(), Modeller()
        film.on_tick = self.note
        self.note(film)

    def note(self, film: EpisodePlayer) -> None:
        """Take the present tick of a player; ticks seen before are not counted again."""
        self._series.note(film.model)
        self._diary.note(film.model)
        drawn = film.past.interventions.get(film.tick, ())
        told = film.transition
        self._feed.note(film.model, [event.patch for event in drawn if event.kind == "placed"], told)
        self._team.note(film.model)
        self._forecasts.note(film.model)

    def forget(self, tick: int, model: Sandbox) -> None:
        """Forget all ticks after ``tick``, which never happened; ``model`` is at it or before."""
        for each in (self._series, self._diary, self._feed, self._team, self._forecasts):
            each.forget(tick)
        self._series.note(model)
        self._feed.prime(model)

    def add(self, event: Event) -> None:
        """Add an event that does not come from the model."""
        self._feed.add(event)

    def scene(self, film: EpisodePlayer, look: Look) -> Scene:
        """The data for one way to look at the episode."""
        model, picked = film.model, look.agent if look.agent is not None and look.agent < film.agents else None
        looked, into = look.panel, picked if look.panel == AGENT else None
        self._forecasts.watch(model, into)
        return Scene(
            tick=film.tick,
            names=model.names if film.agents <= NAMED else (),
            picked=picked,
            layers=available(model),
            jumps=self._feed.jumps,
            now=point_of(model) if looked == CHARTS else None,
            points=self._series.points() if looked == CHARTS else (),
            charts=tuple(
                (chart.name, chart.unit, chart.lines(model.env.params) if chart.lines else ("now",))
                for chart in model.env.world.charts
            ),
            work=self._diary.work(model) if looked == CHARTS else None,
            tasks=has_tasks(model),
            events=self._feed.events if looked == EVENTS else (),
            insight=insight(model, into, self._forecasts.proved(model), film.transition) if into is not None else None,
            team=self._team.view(model, picked or 0) if looked == TEAM else None,
            offer=offer_of(model, film.people, picked, film.closed, look.cell) if looked == INTERVENE else None,
            solid=self._modeller.solid(model) if looked == SOLID and model.env.world.scene else None,
        )
