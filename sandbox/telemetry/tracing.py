"""Traces: the events of a run as OpenTelemetry spans, by the conventions for generative AI.

By https://github.com/open-telemetry/semantic-conventions-genai, v0.1.0; other names begin with ``sandbox.``.
``docs/traces.md`` shows the tree, and explains the common clock of ticks and calls.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider, set_span_in_context

from sandbox.core.speech import Act
from sandbox.engine.registry import find
from sandbox.record import (
    CallDone,
    Changed,
    Event,
    HumanActed,
    MessageSaid,
    ModelUsed,
    Placed,
    Resumed,
    Reviewed,
    RunStarted,
    TickDone,
    TrialFinished,
    TrialStarted,
)
from sandbox.scenario import Scenario
from sandbox.scenario.capabilities import record
from sandbox.scenario.recorded import read_scenario
from sandbox.telemetry.genai import OPERATION, content_attributes, error_type, request_attributes

SECOND = 1_000_000_000  # ns, the unit of OpenTelemetry's times

AGENT = "gen_ai.agent.name"


class Spans:
    """Makes spans from events: call it with each event, in order. Then ``close`` it.

    Parameters
    ----------
    provider : receives the spans.
    origin : time of the first tick, seconds since 1970.
    content : whether spans contain the texts of prompts, replies and messages.
    """

    def __init__(self, provider: TracerProvider, origin: float, content: bool = False) -> None:
        self._tracer = provider.get_tracer("sandbox", version("sandbox"))
        self._now = round(origin * SECOND)
        self._content = content
        self._scenario: Scenario | None = None
        self._trial: _Trial | None = None
        self.traces: list[str] = []  # the id of each trial's trace, hexadecimal

    def __call__(self, event: Event) -> None:
        trial = self._trial
        match event:
            case RunStarted():
                self._scenario = read_scenario(event.scenario, record("that is traced"))
            case TrialStarted():
                self._begin(event)
            case ModelUsed():
                trial.models |= dict.fromkeys(event.agents, event)
            case CallDone():
                trial.calls.append(event)
            case HumanActed() | MessageSaid() | Reviewed():
                trial.notes.append(event)
            case TickDone():
                self._tick(trial, event)
            case TrialFinished():
                trial.outcome = event.outcome
            case Resumed():
                trial.outcome = {}
            case Changed():
                trial.follow(read_scenario(event.scenario, record("that is traced")))
            case Placed():
                trial.root.add_event(
                    "sandbox.placed", {"sandbox.tick": event.tick, "sandbox.keys": sorted(event.patch)}, self._now
                )

    def close(self) -> None:
        """End the present trial: with its outcome, or without one if the run was killed."""
        trial, self._trial = self._trial, None
        if trial is None:
            return
        told = {f"sandbox.{key}": value for key, value in trial.outcome.items() if value is not None}
        trial.root.set_attributes(told | {"sandbox.seed": str(trial.seed), "sandbox.finished": bool(trial.outcome)})
        if trial.outcome.get("error"):
            _fail(trial.root, "infrastructure", trial.outcome["error"])
        trial.root.end(self._now)

    def _begin(self, event: TrialStarted) -> None:
        self.close()
        scenario = self._scenario
        name = scenario.title or scenario.world.name
        told = {OPERATION: "invoke_workflow", AGENT: name, "sandbox.trial": event.trial}
        root = self._tracer.start_span(f"invoke_workflow {name}", Context(), attributes=told, start_time=self._now)
        self._trial = _Trial(event, scenario, root)
        self.traces.append(f"{root.get_span_context().trace_id:032x}")

    def _tick(self, trial: "_Trial", event: TickDone) -> None:
        """The spans of one tick; it lasts until its calls have ended."""
        start, laid = self._now, list(trial.lay(self._now))
        self._now = max([start + trial.tick, *(end for _, _, end in laid)])
        told = {
            "sandbox.tick": event.tick,
            "sandbox.digest": event.digest,
            "sandbox.reward": float(event.reward.sum()),
        }
        acted = Counter(event.actions[:, 0].tolist())
        told |= {f"sandbox.actions.{trial.verbs[verb]}": count for verb, count in sorted(acted.items())}
        told |= {f"sandbox.events.{kind}": count for kind, count in Counter(note.kind for note in trial.notes).items()}
        tick = self._span("tick", trial.root, start, self._now, told)
        calls, notes = defaultdict(list), defaultdict(list)
        for call, begin, end in laid:
            calls[call.agent].append((call, begin, end))
        for note in trial.notes:
            notes[note.agent].append(note)
        for agent in trial.thinkers:
            self._turn(trial, tick, agent, event, start, calls[agent], notes[agent])
        trial.calls.clear()
        trial.notes.clear()

    def _turn(
        self, trial: "_Trial", tick: Span, agent: int, event: TickDone, start: int, calls: list, notes: list
    ) -> None:  # fmt: skip
        """One decision of an agent: its calls, then its action."""
        verb, target = event.actions[agent].tolist()
        who = {AGENT: trial.names[agent], "sandbox.agent": agent}
        acted = max((end for _, _, end in calls), default=start)
        told = {OPERATION: "invoke_agent", **who, "sandbox.reward": float(event.reward[agent])}
        turn = self._span(
            f"invoke_agent {who[AGENT]}", tick, start, self._now, told, notes=[(note, acted) for note in notes]
        )
        for call, begin, end in calls:
            self._chat(trial.models[agent], call, turn, begin, end, who)
        name = trial.verbs[verb]
        told = {OPERATION: "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.type": "function", **who}
        self._span(f"execute_tool {name}", turn, acted, self._now, told | {"sandbox.target": target})

    def _chat(self, model: ModelUsed, call: CallDone, turn: Span, begin: int, end: int, who: dict) -> None:
        asked = request_attributes(model)
        told = asked | who | {
            "gen_ai.usage.input_tokens": call.input_tokens,
            "gen_ai.usage.output_tokens": call.output_tokens,
            "sandbox.sample": call.sample,
            "sandbox.attempt": call.attempt,
            "sandbox.money": call.money,
        }  # fmt: skip
        if self._content:
            told |= content_attributes(model, call)
        error = (error_type(call), call.error if self._content else "") if call.error else None
        self._span(f"chat {asked['gen_ai.request.model']}", turn, begin, end, told, SpanKind.CLIENT, error)

    def _span(
        self, name: str, parent: Span, begin: int, end: int, told: Mapping[str, Any],
        kind: SpanKind = SpanKind.INTERNAL, error: tuple[str, str] | None = None, notes: Iterable[tuple] = (),
    ) -> Span:  # fmt: skip
        """A span from ``begin`` to ``end``, ns; ``error`` is its type and, if content may be shown, its message."""
        span = self._tracer.start_span(name, set_span_in_context(parent), kind, told, start_time=begin)
        for note, at in notes:
            span.add_event(f"sandbox.{note.kind}", self._trial.about(note, self._content), at)
        if error:
            _fail(span, *error)
        span.end(end)
        return span


class _Trial:
    """The state of the present trial."""

    def __init__(self, event: TrialStarted, scenario: Scenario, root: Span) -> None:
        self.root, self.seed = root, event.seed
        self.tick = round(scenario.tick_seconds * SECOND)
        self.verbs = find(scenario.world.name).verbs
        self.names = [entry.name for entry in event.agents]
        self.models: dict[int, ModelUsed] = {}
        self.calls: list[CallDone] = []  # of the next tick, as are the notes
        self.notes: list[HumanActed | MessageSaid | Reviewed] = []
        self.outcome: dict[str, Any] = {}
        self.follow(scenario)

    def follow(self, scenario: Scenario) -> None:
        """Continue with this scenario."""
        roster = scenario.roster()
        self.thinkers = [row for row, group in enumerate(roster) if group.hosted]
        self._samples = [group.llm.samples if group.llm else 1 for group in roster]

    def about(self, note: HumanActed | MessageSaid | Reviewed, content: bool) -> dict[str, Any]:
        """An agent's note in a tick as attributes; an action is a verb and its target as text."""
        told = note.model_dump(exclude={"kind", "trial", "tick", "agent"} | (set() if content else {"text"}))
        if isinstance(note, MessageSaid):
            told["act"] = Act(note.act).name.lower()
        return {
            f"sandbox.{key}": f"{self.verbs[value[0]]} {value[1]}" if isinstance(value, tuple) else value
            for key, value in told.items()
        }

    def lay(self, start: int) -> Iterator[tuple[CallDone, int, int]]:
        """The calls with begin and end, ns: agents and samples in parallel, attempts of each in sequence.

        A judge begins when all samples are written; summaries of memory come before the samples.
        """
        free: dict[tuple[int, int], int] = {}  # start of a sample's next attempt
        ended: dict[int, int] = {}  # end of an agent's last call so far
        begun: dict[int, int] = {}  # start of an agent's samples
        for call in self.calls:
            agent, alone = call.agent, call.sample >= self._samples[call.agent]
            at = ended.get(agent, start) if alone else free.get((agent, call.sample), begun.get(agent, start))
            end = at + round(call.seconds * SECOND)
            free[agent, call.sample] = end
            ended[agent] = max(end, ended.get(agent, end))
            if alone:
                begun[agent] = end
            yield call, at, end


def _fail(span: Span, kind: str, words: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR, words or None)
