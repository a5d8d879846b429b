"""Measuring: contestants take turns in one run, so that what the machine gives is the same for all."""

import time
from collections.abc import Callable
from statistics import median


def seconds(work: Callable, *arguments) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


class Pace:
    """What was measured of one contestant, a line for each round: joint steps, seconds, seconds of CPU time."""

    def __init__(self, name: str, work: Callable[[], int]):
        self.name, self.work, self.rounds = name, work, []

    def run(self) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        steps = self.work()
        self.rounds.append((steps, time.perf_counter() - wall, time.process_time() - cpu))

    def rates(self) -> list[float]:
        return [steps / wall for steps, wall, _ in self.rounds]

    @property
    def rate(self) -> float:
        return median(self.rates())

    @property
    def cpu_rate(self) -> float:
        """Steps a second of CPU time: what a core does that is not shared."""
        return median(steps / cpu for steps, _, cpu in self.rounds)

    @property
    def cores(self) -> float:
        """How many cores the machine gave."""
        return median(cpu / wall for _, wall, cpu in self.rounds)
