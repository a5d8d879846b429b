"""How many frames a second are made and how often a page polls: fewer if many sessions share the processor.

Every look brings the same number of frames, and costs about the same; so where looks take longer than there is time,
frames and looks become rarer together, and each look covers more of it. What is played is the same at any thrift.
"""

FPS = 24  # frames a second, where there is time
LOOK = 1.0  # seconds between two looks at a runner that is at work; the canvas plays on meanwhile
MOST = 8  # times rarer than that
BUSY, CALM = 0.8, 0.2  # of the time that a look covers, what making its frames may take before anything changes
PATIENCE = 8  # calm looks in a row, before frames become more frequent again


class FrameRate:
    """Of one session. Not thread-safe: its owner sees to that."""

    def __init__(self) -> None:
        self._times, self._calm = 1, 0

    @property
    def fps(self) -> int:
        """Frames a second."""
        return FPS // self._times

    @property
    def look(self) -> float:
        """Seconds between two looks."""
        return LOOK * self._times

    @property
    def frames(self) -> float:
        """Frames from one look to the next."""
        return self.fps * self.look

    def cut(self, speed: float) -> tuple[int, int]:
        """Ticks that go by from one shot to the next at this many a second, and frames of that shot."""
        return max(1, round(speed / self.fps)), max(1, round(self.fps / speed))

    def took(self, seconds: float, frames: int) -> None:
        """Learn that some frames took this long to make. A few that stand alone tell nothing."""
        if frames < 0.5 * self.frames:
            return
        share = seconds * self.fps / frames
        self._calm = self._calm + 1 if share < CALM and self._times > 1 else 0
        if share > BUSY:
            self._times = min(2 * self._times, MOST)
        elif self._calm >= PATIENCE:
            self._times, self._calm = self._times // 2, 0
