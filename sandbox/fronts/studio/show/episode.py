"""One episode as it is watched: the model, the camera that paints it, and how its counters went."""

from collections import deque
from collections.abc import Mapping

import numpy as np

from sandbox.fronts.studio.show.snapshot import Counters
from sandbox.model import Sandbox

TRAIL = 12  # ticks
Box = tuple[int, int]  # width and height in pixels that a picture may take


def size_for(stage, box: Box) -> int:
    """The longest side (pixels) of the largest picture of this stage that fits into the box."""
    tall, wide = stage.world.canvas(stage.rules, 1000)
    return max(1, int(max(tall, wide) * min(box[0] / wide, box[1] / tall)))


class Camera:
    """Paints the state of one lane; agents glide from where they were to where they are, over a fading trail."""

    def __init__(self, stage, box: Box):
        self.stage, self.box = stage, box
        self._past = deque([np.full((stage.agents, 2), -1, np.int32)] * TRAIL, maxlen=TRAIL)

    def note(self, state) -> None:
        """Remember where everyone is, before a tick."""
        self._past.append(state.pos[0].copy())

    def shoot(self, state, parts: int) -> list[np.ndarray]:
        """``parts`` frames (H, W, 3) uint8 from the last place to the present one, which is the last frame."""
        size, past = size_for(self.stage, self.box), np.stack(self._past, axis=1)
        return [self.stage.paint(state, 0, size, past, part / parts) for part in range(1, parts + 1)]


class Episode:
    """A model from reset to finish. Raises UsageError where the scenario cannot run."""

    def __init__(self, scenario: Mapping, seed: int, box: Box):
        self.model = Sandbox(scenario, rng=seed)
        self.camera = Camera(self.model.stage, box)
        self._course = [(0, self.model.tasks_done)]

    def warm_up(self) -> None:
        """Compile what a tick needs."""
        self.model.stage.warm_up([group.policy for group in self.model.scenario.roster()])

    def advance(self, ticks: int, parts: int) -> list[np.ndarray]:
        """Some ticks, the last of them painted in ``parts`` frames."""
        model = self.model
        for _ in range(ticks):
            if model.running:
                self.camera.note(model.state)
                model.step()
                if model.tasks_done != self._course[-1][1]:
                    self._course.append((model.ticks, model.tasks_done))
        return self.camera.shoot(model.state, parts)

    def still(self, box: Box) -> list[np.ndarray]:
        """The present state in another size."""
        self.camera.box = box
        return self.camera.shoot(self.model.state, 1)

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
