"""Who answers without a model: a script, or the record of a run."""

from collections.abc import Iterable, Mapping

from sandbox.agents.reasoners.llm.options import Line
from sandbox.agents.reasoners.llm.request import Answer, Reply, Request, compact
from sandbox.core.decision import Call
from sandbox.core.errors import RecordError

ENDED = "the script has ended"


class Script:
    """Each agent gets the lines from the first on, one for each of its calls; after the last, an error."""

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
            return Answer(error=line.error, retry=True)
        return Answer(Reply(text=line.text or _text(line)), tokens=(0, line.tokens))

    def close(self) -> None:
        """There is nothing to give back."""


def _text(line: Line) -> str:
    parts = line.model_dump(include={"reason", "subgoal", "verb", "target", "tool", "arguments"}, exclude_defaults=True)
    return compact(parts).decode()


class Recorded:
    """The answers of a recorded trial. What was not asked then, or was asked in other words, is an error."""

    def __init__(self, calls: Iterable[Call], prices: Mapping[int, tuple[float, float]]):
        self._calls = {(call.tick, call.agent, call.sample, call.attempt): call for call in calls}
        self.prices = prices  # of a token, input and output, by the first agent of a group

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Answer:
        call = self._calls.get((request.tick, request.agent, request.sample, request.attempt))
        if call is None or call.key != request.key:
            what = "no call was recorded" if call is None else "the prompt or its settings are not the recorded ones"
            place = f"tick {request.tick}, agent {request.agent}, attempt {request.attempt}"
            raise RecordError(f"language model: {place}: {what}; nothing is asked in a replay")
        tokens = call.input_tokens, call.output_tokens
        if call.reply is None:
            return Answer(None, call.error, call.retry, tokens, call.seconds)
        return Answer(Reply(**call.reply), "", False, tokens, call.seconds)

    def close(self) -> None:
        """There is nothing to give back."""
