"""Who answers where a recorded trial is made again: the record of what language models and people have said."""

from collections.abc import Mapping

from sandbox.agents.reasoners.llm.playback import Recorded
from sandbox.core.decision import Call
from sandbox.core.people import Action, Question
from sandbox.record import CallDone, HumanActed, ModelUsed, Run


def calls_of(run: Run, trial: int) -> Recorded:
    """What language models answered in a recorded trial; nothing else answers in a replay."""
    calls, prices = [], {}
    for event in run.milestones("model", "call"):
        if isinstance(event, CallDone) and event.trial == trial:
            calls.append(Call(**event.model_dump(exclude={"kind", "trial"})))
        elif isinstance(event, ModelUsed) and event.trial == trial:
            prices.setdefault(event.agents[0], []).append(event.price)
    return Recorded(calls, prices)


class Answers:
    """What people answered in a recorded trial, by ``Question.key``; what is not there, nobody answered in time."""

    def __init__(self, given: Mapping[tuple[int, int, bool], Action]):
        self._given = given

    def ask(self, questions: list[Question]) -> list[Action | None]:
        return [self._given.get(question.key) for question in questions]


def answers_of(run: Run, trial: int) -> Answers:
    """What people answered in a recorded trial; nobody else is asked in a replay."""
    given = {}
    for event in run.milestones("human", "review"):
        if event.trial == trial and isinstance(event, HumanActed):
            given[event.tick, event.agent, True] = event.action
        elif event.trial == trial and event.by == "human":
            given[event.tick, event.agent, False] = event.enforced
    return Answers(given)
