"""One episode as it is watched: the model, the camera that shoots it, and how its counters went."""

import time
from collections.abc import Mapping

from sandbox.fronts.studio.show.camera import Box, Camera, Shot
from sandbox.fronts.studio.show.snapshot import Counters
from sandbox.fronts.studio.show.strip import View
from sandbox.model import Sandbox


class Episode:
    """A model from reset to finish. Raises UsageError where the scenario cannot run."""

    def __init__(self, scenario: Mapping, seed: int, box: Box):
        self.model = Sandbox(scenario, rng=seed)
        self.camera = Camera(self.model.stage, box)
        self._course = [(0, self.model.tasks_done)]

    def warm_up(self) -> None:
        """Compile what a tick needs."""
        self.model.stage.warm_up([group.policy for group in self.model.scenario.roster()])

    def advance(self, ticks: int, parts: int, seconds: float) -> Shot:
        """Some ticks, as many as fit into ``seconds`` but one at least; the last of them is shot in ``parts`` frames."""
        model, until = self.model, time.monotonic() + seconds
        for _ in range(ticks):
            if model.running:
                self.camera.note(model.state)
                model.step()
                if model.tasks_done != self._course[-1][1]:
                    self._course.append((model.ticks, model.tasks_done))
            if time.monotonic() > until:
                break
        return self.camera.shoot(model.state, parts)

    def still(self, box: Box, view: View) -> Shot:
        """The present state in another size, or another part of it."""
        self.camera.box, self.camera.view = box, view
        return self.camera.shoot(self.model.state, 1, still=True)

    def counters(self) -> Counters:
        model = self.model
        return Counters(
            tick=model.ticks,
            done=model.tasks_done,
            total=model.tasks_total,
            reward=model.reward,
            refused=model.refused_actions,
            finish=model.finish.words,
            over=not model.running,
            task=model.stage.task.texts[0],
            course=tuple(self._course),
            error=model.error,
        )
