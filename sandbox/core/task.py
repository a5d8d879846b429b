"""A task: its surface text and its verifier in one object."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    """Something to be achieved in a world.

    ``texts`` are paraphrases of the same instruction; ``progress(state, lane)`` returns (done, total) read from the
    world's state, never from what an agent claims.
    """

    name: str
    texts: tuple[str, ...]
    progress: Callable[[Any, int], tuple[int, int]]

    def done(self, state: Any, lane: int) -> bool:
        done, total = self.progress(state, lane)
        return done >= total
