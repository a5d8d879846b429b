"""Who answers where a recorded trial is made again: the record of what language models and people have said."""

from collections.abc import Mapping

from sandbox.agents.reasoners.llm.playback import Recorded
from sandbox.core.decision import Call
from sandbox.core.people import Action, Nobody, People, Question
from sandbox.record import CallDone, HumanActed, ModelUsed, Run


def calls_of(run: Run, trial: int, until: int | None = None) -> Recorded:
    """What language models answered in a recorded trial; after tick ``until`` they answer themselves, else nobody."""
    calls, prices = [], {}
    for event in run.milestones("model", "call"):
        if isinstance(event, CallDone) and event.trial == trial:
            calls.append(Call(**event.model_dump(exclude={"kind", "trial"})))
        elif isinstance(event, ModelUsed) and event.trial == trial:
            prices.setdefault(event.agents[0], []).append(event.price)
    return Recorded(calls, prices, until)


class Answers:
    """What people answered in a recorded trial, by ``Question.key``; what is not there, nobody answered in time.

    After tick ``until`` it is ``people`` who answer.
    """

    def __init__(self, given: Mapping[tuple[int, int, bool], Action], until: int | None, people: People):
        self._given, self._until, self._people = given, until, people

    def ask(self, questions: list[Question]) -> list[Action | None]:
        if self._until is not None and questions[0].tick > self._until:  # all are of one tick
            return self._people.ask(questions)
        return [self._given.get(question.key) for question in questions]


def answers_of(run: Run, trial: int, until: int | None = None, people: People | None = None) -> Answers:
    """What people answered in a recorded trial; after tick ``until`` it is ``people`` who answer, else nobody."""
    given = {}
    for event in run.milestones("human", "review"):
        if event.trial == trial and isinstance(event, HumanActed):
            given[event.tick, event.agent, True] = event.action
        elif event.trial == trial and event.by == "human":
            given[event.tick, event.agent, False] = event.enforced
    return Answers(given, until, people or Nobody())
