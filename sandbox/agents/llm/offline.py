"""Clients without a model: a script, the record of a run, and one that only captures requests."""

from collections.abc import Iterable, Mapping, Sequence

from sandbox.agents.llm.options import Line
from sandbox.agents.llm.parsing import tidy
from sandbox.agents.llm.request import Answer, Client, Reply, Request, compact
from sandbox.agents.tools.functions import Functions
from sandbox.core.decision import Answered, Call
from sandbox.core.errors import RecordError

ENDED = "the script has ended"

Price = tuple[float, float]  # US dollars for one token: input, output


class Script:
    """A scripted model: each agent gets the lines in order, one for each of its calls, and an error after the last."""

    def __init__(self, lines: Iterable[Line]):
        self._lines, self._next = tuple(lines), {}

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        return [self._answer(request.agent) for request in requests]

    def _answer(self, agent: int) -> Answer:
        at = self._next.setdefault(agent, 0)
        self._next[agent] += 1
        if at >= len(self._lines):
            return Answer(error=ENDED)
        line = self._lines[at]
        if line.error:
            return Answer(error=line.error, retry=True, outage=True)
        return Answer(tidy(Reply(text=line.text or _text(line))), tokens=(0, line.tokens))

    def close(self) -> None:
        """There is nothing to give back."""


def _text(line: Line) -> str:
    parts = line.model_dump(include={"reason", "subgoal", "verb", "target", "tool", "arguments"}, exclude_defaults=True)
    return compact(parts).decode()


class Recorded:
    """The answers of a recorded trial. A request that is not in the record is an error.

    The user's ``functions`` answer from the record, too; ``answered`` has the answers of the user's own code, by the
    tick that was decided and the agent.
    """

    def __init__(self, calls: Iterable[Call], prices: Mapping[int, Sequence[Price]], until: int | None,
                 functions: Functions, answered: Mapping[tuple[int, int], Answered] | None = None,
                 versions: Mapping[int, Sequence[str]] | None = None):  # fmt: skip
        self.functions, self.answered = functions, answered or {}
        self._versions = {agent: iter(found) for agent, found in (versions or {}).items()}
        self._calls = {(call.tick, call.agent, call.sample, call.attempt): call for call in calls}
        self._prices = {agent: iter(found) for agent, found in prices.items()}
        self.until = until  # the last recorded tick of a run that goes on after it; None: the run ends with its record
        self.elapsed = max(
            (call.began + call.seconds for call in self._calls.values() if call.began is not None), default=0.0
        )  # seconds from the beginning of the trial to the end of its last call

    def price(self, agent: int) -> Price | None:
        """US dollars for one token in the group whose first agent this is; after a recorded change, the new price."""
        nothing = (0.0, 0.0) if self.until is None else None
        return next(self._prices.get(agent, iter(())), nothing)

    def version(self, agent: int) -> str | None:
        """The version of the user's own code in the group whose first agent this is, likewise."""
        nothing = "" if self.until is None else None
        return next(self._versions.get(agent, iter(())), nothing)

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Answer:
        call = self._calls.get((request.tick, request.agent, request.sample, request.attempt))
        if call is None or call.key != request.key:
            what = "no call was recorded" if call is None else "the prompt or its settings are not the recorded ones"
            place = f"tick {request.tick}, agent {request.agent}, attempt {request.attempt}"
            raise RecordError(f"language model: {place}: {what}; nothing is asked in a replay")
        tokens, told = (call.input_tokens, call.output_tokens), {"without": call.without, "began": call.began}
        if call.reply is None:
            return Answer(None, call.error, call.retry, tokens, call.seconds, outage=call.outage, **told)
        return Answer(Reply(**call.reply), "", False, tokens, call.seconds, **told)

    def close(self) -> None:
        """There is nothing to give back."""


class Rehearsed:
    """A script whose answers were recorded. It answers again, and in a recorded tick the answers must be the same."""

    def __init__(self, recorded: Recorded, script: Script):
        self._recorded, self._script = recorded, script

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        answers, until = self._script.ask(requests, within), self._recorded.until
        if until is None or requests[0].tick <= until:  # all are of one tick
            told = self._recorded.ask(requests, within)
            for request, one, other in zip(requests, told, answers, strict=True):
                if one.reply != other.reply:
                    place = f"tick {request.tick}, agent {request.agent}, attempt {request.attempt}"
                    raise RecordError(f"language model: {place}: the script says something else")
        return answers

    def close(self) -> None:
        """There is nothing to give back."""


class Captured:
    """Stores the first request of each agent, and answers none."""

    until = None

    def __init__(self):
        self.functions, self.requests = Functions(), {}

    def price(self, agent: int) -> Price:
        return 0.0, 0.0

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        for request in requests:
            self.requests.setdefault(request.agent, request)
        return [Answer(error="nothing is asked")] * len(requests)

    def close(self) -> None:
        """There is nothing to give back."""


class Continued:
    """The client of a resumed run: the record answers up to its last tick, then the model itself."""

    def __init__(self, recorded: Recorded, model: Client):
        self._recorded, self._model = recorded, model

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        if requests[0].tick > self._recorded.until:  # all are of one tick
            return self._model.ask(requests, within)
        return self._recorded.ask(requests, within)

    def close(self) -> None:
        self._model.close()
