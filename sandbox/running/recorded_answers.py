"""The recorded answers of language models and people, for executing a recorded trial again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sandbox.agents.llm.offline import Recorded
from sandbox.agents.tools.functions import Functions
from sandbox.core.decision import Answered, Call, ToolUse
from sandbox.core.people import Action, Nobody, People, Question
from sandbox.core.speech import Act, Said
from sandbox.record import AgentAnswered, CallDone, CodeUsed, Event, HumanActed, ModelUsed, Reviewed, Run, ToolAnswered
from sandbox.record.events import Described
from sandbox.scenario.capabilities import NOTHING, Grant

ANSWERS = ("model", "call", "tool", "code", "answered")  # kinds of events with which a trial needs no call


def calls_of(run: Run, trial: int, until: int | None = None, allow: Grant = NOTHING) -> Recorded:
    """Answers of language models, and of the user's code, in a trial; after tick ``until`` they answer themselves.

    A function without records is called only if ``allow`` grants it.
    """
    return recorded_of(run.milestones(*ANSWERS, trial=trial), until, allow)


def recorded_of(events: Iterable[Event], until: int | None = None, allow: Grant = NOTHING) -> Recorded:
    """The same from the ``events`` of a trial; other kinds than ANSWERS are ignored."""
    calls: list[Call] = []
    used: list[ToolUse] = []
    prices: dict[int, list[tuple[float, float]]] = {}  # of the model of a group, by its first agent
    specs: dict[str, Described] = {}
    answered: dict[tuple[int, int], Answered] = {}
    versions: dict[int, list[str]] = {}  # of the code of a group, by its first agent
    for event in events:
        if isinstance(event, CallDone):
            calls.append(Call(**event.model_dump(exclude={"kind", "trial"})))
        elif isinstance(event, ToolAnswered):
            used.append(ToolUse(**event.model_dump(exclude={"kind", "trial"})))
        elif isinstance(event, CodeUsed):
            versions.setdefault(event.agents[0], []).append(event.version)
        elif isinstance(event, AgentAnswered):
            answered[event.tick, event.agent] = _answer(event)
        elif isinstance(event, ModelUsed):
            prices.setdefault(event.agents[0], []).append(event.price)
            specs |= event.functions
    return Recorded(calls, prices, until, Functions(used, until, specs, allow.has_function), answered, versions)


def _answer(event: AgentAnswered) -> Answered:
    said = tuple(Said(Act(one["act"]), one["to"], one["task"], one["value"], one["text"]) for one in event.said)
    return Answered(event.action, said, event.printed, event.error, event.joules)


class Answers:
    """The actions of people in a recorded trial: their ``acts`` by tick and agent, and likewise what they ``allowed``.

    An agent for which a person acted is controlled in that tick, whether the person was asked or had taken it over. A
    missing entry means that nobody answered in time. After tick ``until``, ``people`` act.
    """

    def __init__(
        self, acts: Mapping[int, Mapping[int, Action]], allowed: Mapping[tuple[int, int], Action], until: int | None,
        people: People,
    ):  # fmt: skip
        self._acts, self._allowed, self._until, self._people = acts, allowed, until, people

    def ask(self, questions: list[Question]) -> list[Action | None]:
        if self._over(questions[0].tick):  # all are of one tick
            return self._people.ask(questions)
        return [None if one.said is None else self._allowed.get((one.tick, one.agent)) for one in questions]

    def held(self, tick: int) -> Mapping[int, Action | None]:
        return self._people.held(tick) if self._over(tick) else self._acts.get(tick, {})

    def _over(self, tick: int) -> bool:
        return self._until is not None and tick > self._until


def answers_of(run: Run, trial: int, until: int | None = None, people: People | None = None) -> Answers:
    """The actions of people in a recorded trial; after tick ``until``, ``people`` act if given."""
    acts: dict[int, dict[int, Action]] = defaultdict(dict)
    allowed: dict[tuple[int, int], Action] = {}
    for event in run.milestones("human", "review", trial=trial):
        if isinstance(event, HumanActed):
            acts[event.tick][event.agent] = event.action
        elif isinstance(event, Reviewed) and event.by == "human":
            allowed[event.tick, event.agent] = event.enforced
    return Answers(acts, allowed, until, people or Nobody())
