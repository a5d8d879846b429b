"""The camera that paints an episode."""

from collections import deque

import numpy as np

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
        self.forget()

    def forget(self) -> None:
        """Where everyone has been."""
        self._past = deque([np.full((self.stage.agents, 2), -1, np.int32)] * TRAIL, maxlen=TRAIL)

    def note(self, state) -> None:
        """Remember where everyone is, before a tick."""
        self._past.append(state.pos[0].copy())

    def shoot(self, state, parts: int) -> list[np.ndarray]:
        """``parts`` frames (H, W, 3) uint8 from the last place to the present one, which is the last frame."""
        size, past = size_for(self.stage, self.box), np.stack(self._past, axis=1)
        return [self.stage.paint(state, 0, size, past, part / parts) for part in range(1, parts + 1)]
