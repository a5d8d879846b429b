"""The shown episodes: one, or two in step, with a camera for each. The runner's thread works on it."""

import time
from itertools import takewhile

from sandbox.core.errors import RecordError
from sandbox.engine.shapes import DARK
from sandbox.oversight.approvals import Approvals
from sandbox.studio.backend import layers
from sandbox.studio.backend.beside import Chronicle, Look, Scene
from sandbox.studio.backend.camera import TRAIL, Camera, Click, Frame, Shot
from sandbox.studio.backend.cards import Cards
from sandbox.studio.backend.difference import names
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.backend.episode_source import Order
from sandbox.studio.backend.feed import Event
from sandbox.studio.backend.futures import believed
from sandbox.studio.backend.marks import Rect
from sandbox.studio.backend.snapshot import Counters

TOLD = 3  # agents that are named, at most
BELIEF = "belief"  # the layer that replaces the picture of the world


class Comparison:
    """One or two episodes in step. Raises UsageError if a scenario cannot run, RecordError for an unusable record."""

    def __init__(self, order: Order, people: Approvals, frame: Frame):
        self.films = tuple(one.film(people) for one in order)
        self._order = order
        self.unread = [k for k, one in enumerate(order) if one.whole]
        self.cameras = [Camera(film.model.env, frame.box) for film in self.films]
        self._frame, self._cards = frame, [Cards() for _ in self.films]
        self.chronicles = [Chronicle(film) for film in self.films]
        self.look, self.difference = Look(), None
        self._names = self._named()

    def draw(self) -> None:
        """Compile the kernels of a picture."""
        for film in self.films:
            film.model.env.render(film.model.state)

    def warm_up(self) -> None:
        """Compile the kernels of a tick."""
        for film in self.films:
            film.model.env.warm_up([group.policy for group in film.scenario.roster()])

    def read(self) -> bool:
        """Play episodes that must be known as a whole, for a limited time; returns whether all are known, at tick 0.

        Raises RecordError if an episode does not reach its recorded state.
        """
        while self.unread:
            film, order = self.films[self.unread[0]], self._order[self.unread[0]]
            if not film.seek(1 << 30):
                return False
            if order.digest and film.past.digests[-1:] != [order.digest]:
                raise RecordError(f"seed {film.model.seed}: it does not reach the state that the batch recorded")
            film.seek(0)
            self.unread.pop(0)
            self.difference = self._difference()
        return True

    @property
    def over(self) -> bool:
        return all(film.over for film in self.films)

    @property
    def hosted(self) -> bool:
        """Whether anything but compiled policies decides in one of them."""
        return any(film.hosted for film in self.films)

    @property
    def unsettled(self) -> bool:
        return any(film.unsettled for film in self.films)

    def settle(self, tick: int | None = None) -> None:
        """Record what was played ahead, up to a tick; all of it by default."""
        for film in self.films:
            film.settle(tick)

    def drop(self, tick: int) -> None:
        """Return to a tick that was shown; what was played ahead of it is forgotten."""
        for film, camera, chronicle in zip(self.films, self.cameras, self.chronicles, strict=True):
            head, seen = film.drop(tick), film.on_tick
            if film.tick == tick:
                continue
            film.on_tick = lambda film: None  # nothing is noted twice
            while not _seek(film, camera, tick):
                pass
            film.on_tick = seen
            chronicle.forget(head, film.model)

    def advance(self, ticks: int, parts: int, seconds: float, ahead: bool = False) -> list[Shot]:
        """Advance by at most ``ticks``, in about ``seconds``; returns a shot in ``parts`` frames for each episode.

        New ticks that are played ``ahead`` of what is shown are recorded by ``settle``.
        """
        began = time.perf_counter()
        for k in range(1, ticks + 1):
            for film, camera in zip(self.films, self.cameras, strict=True):
                if not film.over:
                    camera.note(film.model.state)
                    film.advance(ahead)
            spent = time.perf_counter() - began
            if spent + 0.5 * spent / k > seconds:  # one more tick would exceed the time further
                break
        return self._shoot(parts)

    def seek(self, tick: int) -> bool:
        """Bring all episodes to a tick, or towards it; returns whether all are there."""
        there = [_seek(film, camera, tick) for film, camera in zip(self.films, self.cameras, strict=True)]
        return all(there)

    def still(self, frame: Frame) -> list[Shot]:
        """Snapshots of the present states in another size or view."""
        self._frame = frame
        for camera in self.cameras:
            camera.box, camera.view = frame.box, frame.view
        return self._shoot(1, still=True)

    def _shoot(self, parts: int, still: bool = False) -> list[Shot]:
        each = zip(self.films, self.cameras, self._cards, strict=True)
        return [self._shot(film, camera, cards, parts, still) for film, camera, cards in each]

    def _shot(self, film: EpisodePlayer, camera: Camera, cards: Cards, parts: int, still: bool) -> Shot:
        model, agent = film.model, self.look.agent
        agent = agent if agent is not None and agent < film.agents else None
        camera.followed = (agent or 0) if self._frame.follow else None
        drawn = layers.marks(model, self.look.layers, agent, camera.before)
        if self.look.cell:
            drawn = (*drawn, Rect(self.look.cell, (1, 1), DARK, 0.12))
        state = believed(model, agent) if agent is not None and BELIEF in self.look.layers else None
        told = cards.of(layers.Look(model, agent, camera.before), film.transition, still)
        return camera.shoot(model.state, parts, drawn, state, still, told)

    def hit(self, click: Click, picture: int = 0) -> tuple[int | None, tuple[int, int] | None]:
        """The clicked agent of one episode, or else the cell."""
        agent, env = self.cameras[picture].nearest(click), self.films[picture].model.env
        if agent is not None or env.world.cells is None:
            return agent, None
        rows, cols = env.world.cells(env.params)
        return None, (min(int(click.row * rows), rows - 1), min(int(click.col * cols), cols - 1))

    def scene(self) -> Scene:
        """The data beside the picture of the first episode."""
        return self.chronicles[0].scene(self.films[0], self.look)

    def _difference(self) -> Event | None:
        """The first difference of two episodes, once both are known: the agents whose actions differ, as text."""
        if len(self.films) < 2 or self.unread:
            return None
        one, other = (film.past.digests for film in self.films)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
        if same == len(one) == len(other):
            return None
        found = Event(same + 1, -1, "difference", self._told(same + 1))
        self.chronicles[0].add(found)
        return found

    def _told(self, tick: int) -> str:
        acts = [film.actions(tick) for film in self.films]
        if not all(acts):
            ended = "left" if not acts[0] else "right"
            return f"the {ended} one has ended"
        names, verbs = self.films[0].model.names, self.films[0].model.env.verbs
        differ = [k for k, (a, b) in enumerate(zip(*acts, strict=False)) if a != b]
        if not differ:
            return "all do the same, and the world comes out differently"
        told = ", ".join(f"{names[k]} {verbs[acts[0][k][0]]} / {verbs[acts[1][k][0]]}" for k in differ[:TOLD])
        return f"{told}{' and others' if len(differ) > TOLD else ''}"

    def counters(self) -> tuple[Counters, ...]:
        return tuple(_counters(film, name) for film, name in zip(self.films, self._names, strict=True))

    def _named(self) -> tuple[str, ...]:
        if len(self.films) < 2:
            return ("",)
        folders = [f"{film.folder.name}, trial {film.trial}" for film in self.films]
        return names([film.scenario for film in self.films], [film.model.seed for film in self.films], folders)

    def close(self) -> None:
        for film in self.films:
            film.close()


def _seek(film: EpisodePlayer, camera: Camera, tick: int) -> bool:
    """Bring an episode to a tick, or towards it, with the trail of the ticks before; returns whether it is there."""
    if not 0 <= tick - film.tick <= TRAIL:
        there = film.seek(max(0, tick - TRAIL))
        camera.env = film.model.env
        camera.forget()
        if not there:
            return False
    while film.tick < tick and not film.over:
        camera.note(film.model.state)
        film.advance()
    return True


def _counters(film: EpisodePlayer, named: str) -> Counters:
    model = film.model
    world, params = model.env.world, model.env.params
    return Counters(
        tick=film.tick,
        head=film.head,
        live=film.live,
        done=model.tasks_done,
        total=model.tasks_total,
        reward=model.reward,
        refused=model.refused_actions,
        finish=model.verdict.words,
        autonomy=model.autonomy if model.reasoners else None,
        over=film.over,
        task=model.env.task.texts[0],
        folder=str(film.folder),
        trial=film.trial,
        world=film.scenario.world.name,
        title=film.scenario.title,
        seed=model.seed,
        gauges=world.gauges(model.state, 0, -1, params),
        named=named,
        shown=frozenset(world.shown(model.state, 0, params)),
        error=model.error or film.past.error or (film.over and model.outage) or None,
    )
