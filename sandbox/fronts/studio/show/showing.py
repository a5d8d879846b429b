"""What is being shown: one film, or two in step, with a camera for each. The runner's thread works on it."""

import time

from sandbox.core.errors import RecordError
from sandbox.fronts.studio.show.camera import Box, Camera, Shot
from sandbox.fronts.studio.show.film import Film
from sandbox.fronts.studio.show.orders import Order
from sandbox.fronts.studio.show.snapshot import Counters
from sandbox.fronts.studio.show.strip import View
from sandbox.oversight.approvals import Approvals


class Showing:
    """Raises UsageError where a scenario cannot run, RecordError where a record cannot be used."""

    def __init__(self, order: Order, people: Approvals, box: Box):
        self.films = tuple(one.film(people) for one in order)
        self._order = order
        self.unread = [k for k, one in enumerate(order) if one.whole]
        self.cameras = [Camera(film.model.stage, box) for film in self.films]
        for film in self.films:
            film.model.stage.paint(film.model.state)  # compiled here, not where somebody waits for a picture

    def warm_up(self) -> None:
        """Compile what a tick needs."""
        for film in self.films:
            film.model.stage.warm_up([group.policy for group in film.scenario.roster()])

    def read(self) -> bool:
        """Play what is to be known as a whole, for as long as a page can wait; whether all is known, at tick 0.

        Raises RecordError where an episode does not come to the state that is recorded of it.
        """
        while self.unread:
            film, order = self.films[self.unread[0]], self._order[self.unread[0]]
            if not film.seek(1 << 30):
                return False
            if order.digest and film.past.digests[-1:] != [order.digest]:
                raise RecordError(f"seed {film.model.seed}: it does not come to the state that the batch recorded")
            film.seek(0)
            self.unread.pop(0)
        return True

    @property
    def over(self) -> bool:
        return all(film.over for film in self.films)

    @property
    def tick(self) -> int:
        return max(film.tick for film in self.films)

    def advance(self, ticks: int, parts: int, seconds: float) -> list[Shot]:
        """Some ticks, in about ``seconds`` at most, the last of them shot in ``parts`` frames, for each film."""
        until = time.perf_counter() + seconds
        for _ in range(ticks):
            for film, camera in zip(self.films, self.cameras, strict=True):
                if not film.over:
                    camera.note(film.model.state)
                    film.advance()
            if time.perf_counter() > until:
                break
        return self._shoot(parts)

    def seek(self, tick: int) -> bool:
        """Bring all films to a tick, or towards it; whether they are there."""
        there = [film.seek(tick) for film in self.films]  # all of them
        for film, camera in zip(self.films, self.cameras, strict=True):
            camera.stage = film.model.stage
            camera.forget()
        return all(there)

    def still(self, box: Box, view: View) -> list[Shot]:
        """The present states in another size, or another part of them."""
        for camera in self.cameras:
            camera.box, camera.view = box, view
        return self._shoot(1, still=True)

    def _shoot(self, parts: int, still: bool = False) -> list[Shot]:
        shots = zip(self.films, self.cameras, strict=True)
        return [camera.shoot(film.model.state, parts, still=still) for film, camera in shots]

    def counters(self) -> tuple[Counters, ...]:
        return tuple(map(_counters, self.films))

    def close(self) -> None:
        for film in self.films:
            film.close()


def _counters(film: Film) -> Counters:
    model = film.model
    return Counters(
        tick=film.tick,
        head=film.head,
        live=film.live,
        done=model.tasks_done,
        total=model.tasks_total,
        reward=model.reward,
        refused=model.refused_actions,
        finish=model.finish.words,
        over=film.over,
        task=model.stage.task.texts[0],
        folder=str(film.folder),
        error=model.error or film.past.error,
    )
