"""The reasoner ``python:...``: the user's own code decides, here or in a process of its own, or its record does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.python.api import Made, Seat, Setting, told
from sandbox.agents.python.host import ENDING, STARTING, Gone, Host, found, given_back
from sandbox.agents.python.options import PythonOptions, version_of
from sandbox.agents.speech import Speech, brief, observed
from sandbox.agents.surroundings import surroundings
from sandbox.core.decision import Answered, Decision, Percept, Trace
from sandbox.core.errors import RecordError, UsageError, unknown
from sandbox.core.plain import utf8
from sandbox.core.world_model import check_base

SIDE = 32  # pixels of a cell of an observation's picture
PASSED = "it gave no answer in this tick"
SAID = 100  # messages of an agent in one tick

ByAgent = Mapping[tuple[int, int], Answered]  # recorded answers, by the tick that was decided and the agent


class Served:
    """Answers the questions of an agent's code about its own observation."""

    def __init__(self, beliefs: Beliefs, fallback: str, speeches: Mapping[int, Speech]):
        self._beliefs, self._env, self._fallback, self._speeches = beliefs, beliefs.env, fallback, speeches
        self._percepts: dict[int, Percept] = {}

    def perceive(self, percepts: Iterable[Percept]) -> None:
        self._percepts = {percept.agent: percept for percept in percepts}

    def __call__(self, what: str, agent: int, *given: Any) -> Any:
        """The answer to one question; raises UsageError for an invalid one."""
        known: dict[str, Callable[..., Any]] = {
            "brief": self._brief, "words": self._words, "picture": self._picture, "speak": self._speak,
        }  # fmt: skip
        if what not in known or agent not in self._percepts:
            raise UsageError(f"no '{what}' of agent {agent} in this tick")
        try:
            return known[what](self._percepts[agent], *given)
        except (TypeError, ValueError) as error:  # arguments of the code
            raise UsageError(f"{what}: {error}") from None

    def said(self, agent: int) -> tuple:
        """The messages of an agent in this tick."""
        return self._speeches[agent].taken()[:SAID] if agent in self._speeches else ()

    def _brief(self, percept: Percept, name: str) -> str:
        return brief(self._env, name)

    def _words(self, percept: Percept) -> str:
        return observed(self._env, percept, self._speeches.get(percept.agent))

    def _picture(self, percept: Percept) -> np.ndarray:
        check_base(self._fallback, self._env.world, "picture: fallback")
        self._beliefs.perceive(percept)
        return surroundings(self._env, self._beliefs.of(percept.agent, 1).state, percept.agent, SIDE)[..., :3]

    def _speak(self, percept: Percept, name: str, arguments: Sequence[Any] = (), named: Any = None) -> str:
        speech = self._speeches.get(percept.agent)
        functions = speech.functions if speech else {}
        if name not in functions:
            raise unknown("speech act", name, functions)
        return functions[name](*arguments, **(named or {}))


class Source(Protocol):
    """Where the answers of a group come from."""

    version: str  # SHA-256 of the file of the code, or empty

    def answers(self, percepts: Sequence[Percept]) -> list[Answered]: ...
    def close(self) -> None: ...


class Here:
    """An object of the caller, in this process: its errors are caught, but nothing stops it."""

    def __init__(self, thing: Any, options: PythonOptions, setting: Setting, served: Served):
        self._served, self._seat, self._error, self.version = served, None, "", version_of(thing)
        try:
            self._seat = Seat(thing, options.options, setting)
        except Exception as error:
            self._error = told(error)

    def answers(self, percepts: Sequence[Percept]) -> list[Answered]:
        if self._seat is None:
            return [Answered(None, error=self._error)] * len(percepts)
        self._served.perceive(percepts)
        made = self._seat.answer(percepts, self._served)
        return [Answered(one.action, self._served.said(one.agent), "", one.error) for one in made]

    def close(self) -> None:
        if self._seat:
            with suppress(Exception):  # the trial is over
                self._seat.close()


class Apart:
    """The code of a target in a process of its own. Raises UsageError if there is no such code."""

    def __init__(self, target: str, options: PythonOptions, setting: Setting, served: Served):
        self._options, self._setting, self._served = options, setting, served
        self._host: Host | None
        self._host, self.version = found(target)
        begun = self._asked("begin", options.options, setting, within=STARTING)
        self._error = str(begun.get("error", ""))

    def answers(self, percepts: Sequence[Percept]) -> list[Answered]:
        if self._error:
            return [Answered(None, error=self._error)] * len(percepts)
        self._served.perceive(percepts)
        answer = self._asked("decide", list(percepts), within=self._options.patience)
        made = [] if "error" in answer else _read(answer.get("answers"), self._setting, percepts)
        printed = str(answer.get("printed", ""))
        if not made:
            self._error = str(answer.get("error") or "its answer is not one of this package's")
            return [Answered(None, printed=printed, error=self._error)] * len(percepts)
        return [Answered(one.action, self._served.said(one.agent), printed if k == 0 else "", one.error)
                for k, one in enumerate(made)]  # fmt: skip

    def close(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            with suppress(Gone):
                host.ask(("end",), ENDING)
                given_back(host)

    def _asked(self, *request: Any, within: float) -> dict[str, Any]:
        if self._host is None:
            return {"error": self._error}
        try:
            return self._host.ask(request, within, self._served)
        except Gone as error:
            self._host = None
            return {"error": str(error)}


def _read(answers: Any, setting: Setting, percepts: Sequence[Percept]) -> list[Made]:
    """The answers of another process; empty if they are invalid."""
    try:
        made = [Made(int(agent), None if pair is None else (int(pair[0]), int(pair[1])), str(error))
                for agent, pair, error in answers]  # fmt: skip
    except (TypeError, ValueError, IndexError, OverflowError):
        return []
    wanted = [percept.agent for percept in percepts]
    within = all(_possible(one.action, setting) for one in made if one.action)
    return made if within and [one.agent for one in made] == wanted else []


def _possible(pair: tuple[int, int], setting: Setting) -> bool:
    return 0 <= pair[0] < len(setting.verbs) and 0 <= pair[1] < setting.targets


class Remembered:
    """A record, in which the code is not needed; after tick ``until`` the ``live`` code answers."""

    def __init__(self, answers: ByAgent, version: str, setting: Setting, until: int | None, live: Callable[[], Source]):
        self._answers, self.version, self._setting, self._until, self._make = answers, version, setting, until, live
        self._live: Source | None = None

    def answers(self, percepts: Sequence[Percept]) -> list[Answered]:
        if self._until is not None and percepts[0].tick >= self._until:  # all are of one tick
            self._live = self._live or self._make()
            return self._live.answers(percepts)
        return [self._answer(percept.tick + 1, percept.agent) for percept in percepts]

    def _answer(self, tick: int, agent: int) -> Answered:
        answer = self._answers.get((tick, agent))
        if answer is None or (answer.action and not _possible(answer.action, self._setting)):
            what = "no answer is recorded" if answer is None else f"{answer.action} is not an action"
            raise RecordError(f"python: tick {tick}, agent {agent}: {what}")
        return answer

    def close(self) -> None:
        if self._live:
            self._live.close()


class Unasked:
    """Asks nobody."""

    version = ""

    def answers(self, percepts: Sequence[Percept]) -> list[Answered]:
        return [Answered(None, error="nothing is asked")] * len(percepts)

    def close(self) -> None:
        """There is nothing to give back."""


class Own:
    """Decides for a group by the answers of a source. An agent that fails is not asked again: its fallback acts."""

    def __init__(self, source: Source, rows: Sequence[int]):
        self._source, self._rows, self._failed = source, set(rows), dict[int, str]()

    @property
    def version(self) -> str:
        """SHA-256 of the file of its code, or empty."""
        return self._source.version

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        able = [percept for percept in percepts if percept.agent not in self._failed]
        given = self._source.answers(able) if able else ()
        kept = (each._replace(printed=utf8(each.printed), error=utf8(each.error)) for each in given)
        answers = dict(zip((percept.agent for percept in able), kept, strict=True))
        return [self._decision(percept.agent, answers.get(percept.agent)) for percept in percepts]

    def _decision(self, agent: int, answer: Answered | None) -> Decision:
        if answer is None:
            why = self._failed[agent]
            return Decision(None, 0, Trace(fallback=why, failure=why))
        if answer.action:
            return Decision(*answer.action, Trace(answer.printed, answered=answer), answer.said)
        answer = answer._replace(said=())
        if answer.error:
            self._failed[agent] = answer.error
        why = answer.error or PASSED
        return Decision(None, 0, Trace(answer.printed, fallback=why, failure=answer.error, answered=answer))

    def retire(self, agents: Sequence[int]) -> dict:
        """Remove these agents; the code ends with its last one."""
        self._rows -= set(agents)
        if not self._rows:
            self.close()
        return {}

    def close(self) -> None:
        self._source.close()
