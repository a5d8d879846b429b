"""Measuring: contestants take turns in one run, so that what the machine gives is the same for all."""

import time
from collections.abc import Callable

from benchmarks.report import Figure, Target


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

    @property
    def rates(self) -> list[float]:
        """Steps a second on the clock, by round."""
        return [steps / wall for steps, wall, _ in self.rounds]

    @property
    def cpu_rates(self) -> list[float]:
        """Steps a second of CPU time: what a core does that is not shared."""
        return [steps / cpu for steps, _, cpu in self.rounds]

    def figure(
        self, unit: str = "steps", cpu: bool = False, beside: Figure | None = None, target: Target | None = None
    ) -> Figure:
        """Its rates: ``unit`` a second, of CPU time if ``cpu``."""
        unit = f"{unit}/CPU s" if cpu else f"{unit}/s"
        return Figure(self.name, unit, self.cpu_rates if cpu else self.rates, beside, target)


def in_turns(rounds: int, *paces: Pace) -> None:
    """Run the contestants one after the other, so many times: what else the machine does hits all alike."""
    for _ in range(rounds):
        for pace in paces:
            pace.run()
