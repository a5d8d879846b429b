"""What is being shown: one film, or two in step, with a camera for each. The runner's thread works on it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sandbox.fronts.studio.show.episode import Box, Camera
from sandbox.fronts.studio.show.film import Film
from sandbox.fronts.studio.show.places import new_folder
from sandbox.fronts.studio.show.snapshot import Counters
from sandbox.oversight.approvals import Approvals

Frames = list[np.ndarray]  # (H, W, 3) uint8 each


class Live(NamedTuple):
    """An order: play a scenario."""

    scenario: Mapping[str, Any]
    seed: int
    whole: bool = False  # play it to the end at once, to look at it from there

    def film(self, people: Approvals) -> Film:
        return Film.begin(self.scenario, self.seed, new_folder(self.scenario["world"]["name"], self.seed), people)


class Recorded(NamedTuple):
    """An order: show a trial of a run."""

    folder: Path
    trial: int = 0
    whole: bool = True

    def film(self, _: Approvals) -> Film:
        return Film.open(self.folder, self.trial)


Order = tuple[Live | Recorded, ...]


class Showing:
    """Raises UsageError where a scenario cannot run, RecordError where a record cannot be used."""

    def __init__(self, order: Order, people: Approvals, box: Box):
        self.films = tuple(one.film(people) for one in order)
        self.unread = [film for film, one in zip(self.films, order, strict=True) if one.whole]
        self.cameras = [Camera(film.model.stage, box) for film in self.films]

    def warm_up(self) -> None:
        """Compile what a tick needs."""
        for film in self.films:
            film.model.stage.warm_up([group.policy for group in film.scenario.roster()])

    def read(self) -> bool:
        """Play what is to be known as a whole, for as long as a page can wait; whether all is known, at tick 0."""
        while self.unread:
            if not self.unread[0].seek(1 << 30):
                return False
            self.unread.pop(0).seek(0)
        return True

    @property
    def over(self) -> bool:
        return all(film.over for film in self.films)

    @property
    def tick(self) -> int:
        return max(film.tick for film in self.films)

    def advance(self, ticks: int, parts: int, seconds: float) -> list[Frames]:
        """Some ticks, in about ``seconds`` at most, the last of them painted in ``parts`` frames, for each film."""
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

    def still(self, box: Box) -> list[Frames]:
        """The present states in another size."""
        for camera in self.cameras:
            camera.box = box
        return self._shoot(1)

    def _shoot(self, parts: int) -> list[Frames]:
        shots = zip(self.films, self.cameras, strict=True)
        return [camera.shoot(film.model.state, parts) for film, camera in shots]

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
