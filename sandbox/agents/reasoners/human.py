"""The reasoner ``human``: a person decides, and where nobody does in time, the agent's fallback."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.decision import Decision, Percept, Trace
from sandbox.core.people import Action, People, Question


class HumanOptions(BaseModel):
    """``human`` of ``[[agents]]``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    patience: float = Field(30.0, ge=0, le=86_400)  # seconds in which a tick waits for the person


class Human:
    """Asks ``people`` for every agent of a group at once; ``question`` makes the question of an agent's row."""

    def __init__(self, options: HumanOptions, people: People, question: Callable[[int, float], Question]):
        self._patience, self._people, self._question = options.patience, people, question

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        asked = [self._question(percept.agent, self._patience) for percept in percepts]
        return [self._decision(answer) for answer in self._people.ask(asked)]

    def _decision(self, answer: Action | None) -> Decision:
        if answer is None:
            return Decision(None, 0, Trace(fallback="no person answered"))
        return Decision(*answer, Trace(person=answer))
