"""How many frames a second are made and how often a page polls: fewer if many sessions share the processor.

Every poll returns the same number of frames, at about the same cost. If polls take longer than the time they cover,
frames and polls become rarer together, and each poll covers more time. The simulation itself does not change.
"""

FPS = 24  # frames a second, if there is time
LOOK = 1.0  # seconds between two polls of a working runner; the canvas plays on meanwhile
MOST = 8  # maximum factor by which both become rarer
BUSY, CALM = 0.8, 0.2  # share of the covered time spent on making frames: above, rarer; below, more frequent
PATIENCE = 8  # calm polls in a row before frames become more frequent again


class FrameRate:
    """The frame rate of one session. Not thread-safe: its owner synchronises."""

    def __init__(self) -> None:
        self._times, self._calm = 1, 0

    @property
    def fps(self) -> int:
        """Frames a second."""
        return FPS // self._times

    @property
    def look(self) -> float:
        """Seconds between two polls."""
        return LOOK * self._times

    @property
    def frames(self) -> float:
        """Frames from one poll to the next."""
        return self.fps * self.look

    def cut(self, speed: float) -> tuple[int, int]:
        """Ticks between two shots at a speed in ticks a second, and frames of each shot."""
        return max(1, round(speed / self.fps)), max(1, round(self.fps / speed))

    def took(self, seconds: float, frames: int) -> None:
        """Note the seconds that some frames took to make. A few single frames are ignored."""
        if frames < 0.5 * self.frames:
            return
        share = seconds * self.fps / frames
        self._calm = self._calm + 1 if share < CALM and self._times > 1 else 0
        if share > BUSY:
            self._times = min(2 * self._times, MOST)
        elif self._calm >= PATIENCE:
            self._times, self._calm = self._times // 2, 0
