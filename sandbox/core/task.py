"""A task: what a team is told to achieve. How far it is stands in the world's state; ``World.progress`` reads it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """Something to be achieved in a world; ``texts`` are paraphrases of the same instruction."""

    name: str
    texts: tuple[str, ...]
