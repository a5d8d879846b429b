"""What is being asked: a question is open until it has an answer or has failed."""

from typing import NamedTuple

from sandbox.agents.actor import Actor
from sandbox.agents.reasoners.llm.actions import Choice
from sandbox.agents.reasoners.llm.ledger import Worst
from sandbox.agents.reasoners.llm.request import Request
from sandbox.core.decision import Call, Percept

ACT, JUDGE, SUMMARY = "act", "judge", "summary"


class Question:
    """One sample of one agent's decision, the judge's of all of them, or what to keep in memory."""

    def __init__(self, percept: Percept, told: str, sample: int, kind: str = ACT):
        self.percept, self.told, self.sample, self.kind = percept, told, sample, kind
        self.prompt = told  # with what was wrong with the last reply
        self.attempt = 0  # requests so far: attempts that failed, and tools that answered
        self.failures, self.used = 0, 0  # of these
        self.wait, self.tokens = 0.0, 0
        self.calls: list[Call] = []
        self.choice: Choice | None = None
        self.actor: Actor | None = None  # the program which the choice is the first action of
        self.text = ""  # a summary
        self.failure = ""

    @property
    def open(self) -> bool:
        return self.choice is None and not self.text and not self.failure

    @property
    def judges(self) -> bool:
        return self.kind == JUDGE


class Asked(NamedTuple):
    """A request of a round, and everyone who asks just that."""

    request: Request
    worst: Worst
    questions: list[Question]
