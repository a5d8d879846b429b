"""Runs as logs of Inspect AI (extra ``inspect``), which ``inspect view`` and ``read_eval_log`` open.

Inspect's own types and its own writer make the file, since its form changes with their version. A trial is a sample.
What agents did is executed again from the record (``running.transcript``): calls of language models and of tools,
actions, messages, and the guard's reviews are events, within a span for each turn of an agent.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from inspect_ai.dataset import Sample
from inspect_ai.event import (
    Event,
    InfoEvent,
    ModelEvent,
    SampleInitEvent,
    ScoreEvent,
    SpanBeginEvent,
    SpanEndEvent,
    ToolEvent,
)
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalError,
    EvalLog,
    EvalMetric,
    EvalResults,
    EvalSample,
    EvalScore,
    EvalSpec,
    EvalStats,
    write_eval_log,
)
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageTool,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.scorer import Score
from inspect_ai.tool import ToolCall, ToolCallError

from sandbox.analysis.measures import tick_limit
from sandbox.analysis.results import results
from sandbox.core.decision import Call
from sandbox.record.table import holds_a_run, read_table
from sandbox.record.whole import replacing
from sandbox.running.transcript import Transcript, Turn, transcript
from sandbox.statistics import pass_hat

SCORER = "outcome"
PASSES = 8  # k of pass_hat
MOST = 2_000  # turns of a sample, the last ones


def score_of(told: Mapping[str, Any], limit: int) -> Score:
    """The score of an outcome: ``success``, ``steps`` (of a failed trial the tick ``limit``), and ``score``.

    The latter is the share of the tasks that are done, their number in a world without an end.
    """
    done, total, steps = told["tasks_done"], told["tasks_total"], told["steps_to_completion"]
    value = {
        "success": float(told["success"]), "steps": float(limit if steps is None else steps),
        "score": done / total if total else float(done),
    }  # fmt: skip
    words = f"{done} of {total or 'no end of'} tasks in {told['ticks']} ticks"
    return Score(value=value, answer=told["finish"], explanation=words, metadata=dict(told))


def write_eval(
    folder: str | Path, file: str | Path, trials: Sequence[int],
    on_trial: Callable[[int, int], None] = lambda done, of: None,
) -> None:  # fmt: skip
    """Write a log of these trials, by their numbers in the ``results`` of the folder.

    ``on_trial`` gets the numbers of finished trials and of all. Raises RecordError if a trial does not run as recorded,
    or if its calls of language models were not kept.
    """
    rows = results(folder)
    single = holds_a_run(folder)
    overrides = {0: {}} if single else read_table(folder).overrides
    scenario, created = rows.attrs["scenario"], datetime.fromisoformat(rows.attrs["created"])
    samples = []
    for number in trials:
        told = {name: _plain(value) for name, value in rows.loc[number].items()}
        own = overrides[told["condition"]]
        limit = tick_limit(scenario, own, rows[rows["condition"] == told["condition"]])
        found = None if told["error"] else transcript(folder, told["trial"] if single else number)
        name = told["seed"] if len(overrides) == 1 else f"{_words(own)}, seed {told['seed']}"
        samples.append(_sample(name, told, limit, found, created))
        on_trial(len(samples), len(trials))
    with replacing(file) as part:
        write_eval_log(_log(rows, samples, Path(folder), created), str(part), format="eval")


def _plain(value: Any) -> Any:
    """A value of a table for JSON; None if it is missing."""
    return None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value


def _words(overrides: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in overrides.items()) or "as the scenario stands"


# -- a sample ----------------------------------------------------------------------------------------------------------


def _sample(name: Any, told: dict[str, Any], limit: int, found: Transcript | None, created: datetime) -> EvalSample:
    world = f"{told['world']}, seed {told['seed']}"
    sample = EvalSample(id=name, epoch=1, input=world, target="")
    if found is None:
        sample.error = EvalError(message=str(told["error"]), traceback="", traceback_ansi="")
        return sample
    score, turns = score_of(told, limit), found.turns[-MOST:]
    sample.scores = {SCORER: score}
    sample.metadata = {
        "seed": told["seed"], "turns": len(found.turns), "reasoners": list(found.reasoners),
        "findings": {each.what: f"tick {each.tick}: {each.text}" for each in found.findings},
    }  # fmt: skip
    sample.messages = [message for turn in turns for message in _messages(turn)]
    clock = _Clock(created)
    sample.events = [
        SampleInitEvent(sample=Sample(input=world, id=name), timestamp=created, working_start=0.0),
        *(event for turn in turns for event in _events(turn, found.reasoners[turn.agent], clock)),
        ScoreEvent(score=score, scorer=SCORER, timestamp=clock.now, working_start=clock.passed),
    ]
    sample.model_usage = _usage(found)
    sample.total_time = told["seconds"]
    return sample


class _Clock:
    """The time of events: a record knows how long calls took, but not when; so they follow each other."""

    def __init__(self, start: datetime):
        self._start, self.passed = start, 0.0

    @property
    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.passed)

    def at(self, span: str) -> dict[str, Any]:
        return {"timestamp": self.now, "working_start": self.passed, "span_id": span}


def _key(turn: Turn) -> str:
    return f"tick-{turn.tick}-agent-{turn.agent}"


def _events(turn: Turn, reasoner: str, clock: _Clock) -> Iterator[Event]:
    """The events of one agent's turn, in a span."""
    key = _key(turn)
    yield SpanBeginEvent(id=key, name=f"tick {turn.tick}, {turn.name}", type="agent", **clock.at(key))
    for text in turn.heard:
        yield InfoEvent(source="heard", data=text, **clock.at(key))
    for call in turn.calls:
        yield _call(call, reasoner, clock, key)
    for number, use in enumerate(turn.tools):
        yield ToolEvent(
            id=f"{key}-tool-{number}", function=use.tool, arguments=_arguments(use.arguments), result=use.answer,
            failed=use.failed, **clock.at(key),
        )  # fmt: skip
    for source, text in (("thought", turn.thought), *(("said", text) for text in turn.said), ("guard", turn.reviewed)):
        if text:
            yield InfoEvent(source=source, data=text, **clock.at(key))
    lost = turn.refused or turn.failure
    yield ToolEvent(
        id=f"{key}-act", function="act", arguments={"action": turn.did}, result=turn.came,
        error=ToolCallError("unknown", lost) if lost else None, **clock.at(key),
    )  # fmt: skip
    yield SpanEndEvent(id=key, **clock.at(key))


def _call(call: Call, model: str, clock: _Clock, span: str) -> ModelEvent:
    """A call of a language model. Its instructions are those of its scenario; the prompt is what follows them."""
    at, reply = clock.at(span), call.reply or {}
    clock.passed += call.seconds
    said = "\n".join(part for part in (reply.get("thinking", ""), reply.get("text", "")) if part)
    tool = reply.get("tool")
    calls = [ToolCall(f"{span}-call", tool, _arguments(reply.get("arguments", "")))] if tool else None
    message = ChatMessageAssistant(content=said, tool_calls=calls, model=model, source="generate")
    output = ModelOutput(
        model=model, choices=[ChatCompletionChoice(message=message)] if call.reply else [], usage=_tokens([call]),
        time=call.seconds, error=None if call.reply else call.error,
    )  # fmt: skip
    return ModelEvent(
        model=model, input=[ChatMessageUser(content=call.prompt)], tools=[], tool_choice="auto",
        config=GenerateConfig(), output=output, error=call.error or None, completed=clock.now,
        working_time=call.seconds, metadata={"attempt": call.attempt, "key": call.key}, **at,
    )  # fmt: skip


def _arguments(text: str) -> dict[str, Any]:
    """The arguments of a call; text that is no object of JSON is one argument."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = text
    return found if isinstance(found, dict) else {"text": text}


def _messages(turn: Turn) -> list[ChatMessage]:
    """One agent's turn as a conversation: what it saw, what it answered, what came of it."""
    call = ToolCall(f"{_key(turn)}-act", "act", {"action": turn.did})
    said = "\n".join(part for part in (turn.thought, *turn.said) if part)
    return [
        ChatMessageUser(content=f"tick {turn.tick}, {turn.name}:\n" + "\n".join([*turn.heard, turn.saw])),
        ChatMessageAssistant(content=said, tool_calls=[call]),
        ChatMessageTool(content=turn.came, tool_call_id=call.id, function="act"),
    ]


def _tokens(calls: Sequence[Call]) -> ModelUsage:
    given, made = (sum(getattr(call, name) for call in calls) for name in ("input_tokens", "output_tokens"))
    return ModelUsage(
        input_tokens=given, output_tokens=made, total_tokens=given + made, total_cost=sum(call.money for call in calls)
    )


def _usage(found: Transcript) -> dict[str, ModelUsage]:
    """The tokens of each model; calls that several agents share are in the turn of the first."""
    calls: dict[str, list[Call]] = {}
    for turn in found.turns:
        if turn.calls:
            calls.setdefault(found.reasoners[turn.agent], []).extend(turn.calls)
    return {model: _tokens(own) for model, own in calls.items()}


# -- the log -----------------------------------------------------------------------------------------------------------


def _log(rows: Any, samples: list[EvalSample], folder: Path, created: datetime) -> EvalLog:
    scenario = rows.attrs["scenario"]
    scores = [sample.scores[SCORER].value for sample in samples if sample.scores]
    who = dict.fromkeys(name for sample in samples for name in sample.metadata.get("reasoners", ()))
    usage: dict[str, ModelUsage] = {}
    for sample in samples:
        for model, used in sample.model_usage.items():
            usage[model] = usage[model] + used if model in usage else used
    name, at = scenario["world"]["name"], created.isoformat()
    number = sha256(json.dumps([str(folder.resolve()), at]).encode()).hexdigest()[:22]
    return EvalLog(
        status="success",
        eval=EvalSpec(
            created=at, task=f"sandbox/{name}", task_id=number, run_id=number, eval_id=number, model=", ".join(who),
            task_display_name=scenario.get("title") or name, config=EvalConfig(epochs=1),
            dataset=EvalDataset(name=name, samples=len(samples), sample_ids=[sample.id for sample in samples]),
            packages={"sandbox": rows.attrs.get("versions", {}).get("sandbox", "")},
            metadata={"scenario": scenario, "root": rows.attrs.get("root"), "trials": len(rows)},
        ),
        results=EvalResults(
            total_samples=len(samples), completed_samples=len(scores),
            scores=[_metrics(name, [each[name] for each in scores]) for name in ("success", "steps", "score")],
        ),
        stats=EvalStats(started_at=at, completed_at=at, model_usage=usage), samples=samples,
    )  # fmt: skip


def _metrics(name: str, values: list[float]) -> EvalScore:
    n = len(values)
    told = {"mean": float(np.mean(values)) if n else np.nan}
    told["stderr"] = float(np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else 0.0
    if name == "success":
        told["pass_hat"] = pass_hat(int(sum(values)), n, PASSES)
    metrics = {key: EvalMetric(name=key, value=value) for key, value in told.items()}
    return EvalScore(name=name, scorer=SCORER, scored_samples=n, unscored_samples=0, metrics=metrics)
