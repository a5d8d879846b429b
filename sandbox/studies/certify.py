"""Reliability certificates: a claim, its trials and their result, in a file that can be verified.

The claim: the scenario's success rate over its conditions (``[sweep]``, each equally often) and over the seeds is at
least R, at confidence C. It is earned if Clopper and Pearson's one-sided lower bound reaches R. The number of allowed
failures is fixed beforehand; one more ends the trials at once.

The bound assumes independent trials, so no two of them share a seed: trial k of condition c has seed
s + c * each + k, where s is the scenario's seed and ``each`` the trials of a condition.

A certificate follows from the claim and the table of its trials alone. The file is a copy; code that shows a
certificate recomputes it (``read``).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sandbox.analysis.autonomy import COLUMNS, decided
from sandbox.analysis.measures import MAX_ERRORS
from sandbox.core.errors import RecordError, SandboxError, UsageError
from sandbox.record.store import DATABASE
from sandbox.record.table import Rows, read_whole
from sandbox.record.whole import within, write_text
from sandbox.running import reexecute
from sandbox.running.batch import Progress, play_all
from sandbox.running.claims import CLAIM, FILE, FORMAT, Claim, Count, Course, claim, in_words
from sandbox.scenario import AGENTS, REASONERS, TEAM, Scenario
from sandbox.scenario.capabilities import NOTHING, Grant
from sandbox.statistics import lower_bound

VOID = (
    "made by an earlier version of sandbox, whose strata shared their seeds and whose root did not cover success: "
    "void; certify again in another folder"
)
_bound = lru_cache(maxsize=1024)(lower_bound)


class Void(RecordError):
    """A certificate that is invalid, whatever its trials are."""


def certify(
    scenario: Scenario,
    stated: Claim,
    out: str | Path,
    workers: int | None = None,
    on: str | None = None,
    on_plan: Callable[[list[Scenario]], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> dict:
    """Run the trials of a claim, write ``certificate.json`` into the folder ``out``, and return its content.

    The same call again continues where the last one ended. Raises UsageError if ``out`` contains trials that were run
    before this claim was stated: a claim made after its outcomes are known proves nothing.
    """

    def told(progress: Progress) -> None:
        if on_progress:
            on_progress(progress)

    _state(Path(out), stated)
    play_all(scenario, out, stated.each, workers, on, on_plan, told, Course(stated, scenario.trials.max_errors))
    batch = reexecute.opened(out, read_whole(out), stated.each, scenario.origin.grant)
    certificate = made(stated, batch, counted(stated, batch))
    write_text(Path(out) / FILE, json.dumps(certificate, indent=2) + "\n")
    return certificate


def _state(folder: Path, stated: Claim) -> None:
    """Write the claim into the folder before any trial is run there."""
    path = within(folder, CLAIM)
    if path.is_file():
        before = _json(path)
        if before == stated.as_dict():
            return
        found = "another claim" if before.get("format") == FORMAT else f"a claim {VOID.partition('; ')[0]}"
        raise UsageError(f"{folder}: holds {found}; choose another folder")
    if (folder / DATABASE).is_file():
        raise UsageError(f"{folder}: holds trials that were run before the claim was stated; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(stated.as_dict()))


# -- evaluation of the trials ------------------------------------------------------------------------------------------


def made(stated: Claim, batch: reexecute.Opened, course: Course) -> dict:
    """The certificate that follows from a claim and its trials."""
    found = batch.found
    refusal = refused(stated, course, [bool(each.reasoners & set(REASONERS)) for each in batch.planned])
    rows = pd.DataFrame({name: [getattr(row.outcome, name) for row in batch.rows] for name in COLUMNS})
    return {
        "format": FORMAT,
        "claim": stated.as_dict(),
        "earned": not refusal,
        "refusal": refusal,
        **_counted(course.all, stated),
        "decisions": decided(rows)._asdict(),
        "strata": [
            {"overrides": overrides, **_counted(count, stated)}
            for overrides, count in zip(stated.strata, course.each, strict=True)
        ],
        "failed": [
            {"overrides": stated.strata[row.condition], **{name: getattr(row.outcome, name) for name in FAILED}}
            for row in batch.rows if row.outcome.error is None and not row.outcome.success
        ],
        "errors": course.all.errors,
        "scenario": found.scenario,
        "scenario_hash": Scenario.model_validate(found.scenario).hash,
        "versions": found.facts.get("versions"),
        "root": found.root(stated.as_dict()),
        "created": found.created,
    }  # fmt: skip


FAILED = ("seed", "finish", "ticks")  # columns that are listed for a failed trial


def counted(stated: Claim, batch: reexecute.Opened) -> Course:
    """The counts of a batch's trials for a claim."""
    course = Course(stated, batch.found.facts.get("max_errors", MAX_ERRORS))
    for row in batch.rows:
        course.add(row.condition, row.trial, [row.outcome])
    return course


def _counted(found: Count, stated: Claim) -> dict:
    """Trials that count, failures among them, and the lower bound of the success rate."""
    successes = found.trials - found.failures
    bound = _bound(successes, found.trials, stated.confidence) if found.trials else 0.0
    return {"trials": found.trials, "failures": found.failures, "bound": bound}


def refused(stated: Claim, course: Course, tested: Sequence[bool]) -> str:
    """Why the claim is not earned; empty if it is. ``tested``: of each condition, whether agents are under test.

    An infrastructure error refuses the claim, because the missing trial might have been a failure.
    """
    found = course.all
    if stated.of == AGENTS and found.others:
        return (
            f"{found.others:,} of {found.own + found.others:,} decisions were a fallback's, not the agents' own; "
            f'the scenario may say claim = "{TEAM}", which is another claim'
        )
    if found.failures > stated.failures:
        return f"{found.failures:,} of {found.trials:,} trials failed, {stated.failures:,} may"
    if found.trials < stated.total:
        why = "it was stopped before the end"
        if found.errors:
            why = f"{found.errors:,} of {course.place:,} are infrastructure errors"
        return f"{found.trials:,} trials count, {stated.total:,} are needed: {why}"
    bound = _counted(found, stated)["bound"]
    if bound < stated.reliability:
        return f"the bound is {bound:.7f}"
    idle = [in_words(stated.strata[k]) for k, count in enumerate(course.each) if tested[k] and not count.own]
    return f"the agents under test made no decision: {idle[0]}" if stated.of == AGENTS and idle else ""


# -- verification ------------------------------------------------------------------------------------------------------


class Read(NamedTuple):
    """A certificate recomputed from its trials, and the differences to its file, as texts."""

    certificate: dict
    problems: list[str]
    batch: reexecute.Opened


def read(folder: str | Path, allow: Grant = NOTHING) -> Read:
    """Recompute the certificate in a folder from its rows; no trial is executed.

    Raises RecordError if the folder has no certificate, and Void if an earlier version made it. A row that does not
    belong to the claim is reported as a problem.
    """
    folder = Path(folder)
    file, said = _json(within(folder, FILE)), _json(within(folder, CLAIM))
    if not file.get("format") == said.get("format") == FORMAT:
        raise Void(f"{folder / FILE}: {VOID}")
    found = read_whole(folder)
    stated = _stated(folder, found, said)
    batch = reexecute.opened(folder, found, stated.each, allow)
    course = counted(stated, batch)
    certificate = made(stated, batch, course)
    problems = [
        *_differing(CLAIM, said, stated.as_dict()), *_differing(FILE, file, certificate),
        *reexecute.misplaced(batch), *_uncounted(stated, batch, course),
    ]  # fmt: skip
    return Read(certificate, problems, batch)


def _uncounted(stated: Claim, batch: reexecute.Opened, course: Course) -> Iterator[str]:
    """Problems, unless the trials are exactly the first ones of each condition up to the decision of the claim."""
    planned = batch.found.facts.get("planned")
    if planned != stated.total:
        yield f"planned is {planned}, the claim takes {stated.total}"
    if not course.over:
        yield "trials of the claim are missing"
    elif beyond := max(len(batch.found.rows) - course.place, 0):
        yield f"{beyond:,} trials lie beyond those that count for the claim"


def check(
    folder: str | Path, sample: int = 100, root: str | None = None,
    on_trial: reexecute.OnTrial = lambda done, of: None, allow: Grant = NOTHING,
) -> reexecute.Checked:  # fmt: skip
    """Recompute a certificate and compare it with its file; then execute trials again, as ``reexecute.check`` does.

    The sample is drawn anew at each call: one forged trial of n is found with chance ``sample`` / n.
    """
    certificate, problems, batch = read(folder, allow)
    now = certificate["root"]
    executed, differing = reexecute.execute(batch, sample, on_trial, allow)
    problems = reexecute.first([*problems, *reexecute.against(now, None, root)]) + reexecute.first(differing)
    trials = len(batch.found.rows)
    return reexecute.Checked(now, trials, trials, executed, batch.lost, problems, certificate)


def _stated(folder: Path, found: Rows, said: dict) -> Claim:
    """The claim, recomputed from its chosen numbers."""
    try:
        chosen = (said[name] for name in ("reliability", "confidence", "failures"))
        return claim(Scenario.model_validate(found.scenario), *chosen)
    except (SandboxError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{folder / CLAIM}: no claim ({error.__class__.__name__})") from None


def _json(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else "it is damaged"
        raise RecordError(f"{path}: no certificate ({why})") from None
    return found if isinstance(found, dict) else {}


def _differing(name: str, said: dict, follows: dict, prefix: str = "") -> list[str]:
    """Each entry of a file that differs from the recomputed one."""
    follows, problems = json.loads(json.dumps(follows)), []
    for key in {**follows, **said}:
        own, due = said.get(key), follows.get(key)
        if isinstance(own, dict) and isinstance(due, dict) and key != "scenario":
            problems += _differing(name, own, due, f"{prefix}{key}.")
        elif own != due or (key in said) != (key in follows) or isinstance(own, bool) != isinstance(due, bool):
            problems.append(f"{name}: {prefix}{key} is {_short(own)}; its trials give {_short(due)}")
    return problems


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
