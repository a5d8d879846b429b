"""Reliability certificates: a claim, the trials that it takes, and what they showed, as a file that can be checked.

The claim: the scenario's success rate over its conditions (``[sweep]``, each equally often) and over the seeds is at
least R, at confidence C. It is earned where Clopper and Pearson's one-sided lower bound reaches R. How many failures
are allowed is fixed beforehand; one more, and the trials end at once.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from sandbox.autonomy import Decided, decided
from sandbox.core.errors import RecordError, UsageError
from sandbox.core.plain import plain, whole
from sandbox.record.chain import merkle_root
from sandbox.record.store import DATABASE
from sandbox.record.whole import within, write_text
from sandbox.scenario import AGENTS, REASONERS, TEAM, Scenario
from sandbox.scenario.sweep import conditions
from sandbox.statistics import lower_bound, trials_needed
from sandbox.trials import again
from sandbox.trials.batch import Progress, batch, plan
from sandbox.trials.results import results
from sandbox.trials.trial import versions

FILE, CLAIM = "certificate.json", "claim.json"


@dataclass(frozen=True)
class Claim:
    """What is to be certified, and the trials that it takes: in all, and of each condition."""

    reliability: float
    confidence: float
    failures: int  # allowed
    trials: int
    conditions: int
    each: int
    strata: list[dict]  # what each condition overrides
    of: str  # whose success: the agents' own, or the team's with its fallbacks

    @property
    def words(self) -> str:
        rate, confidence = f"{self.reliability:.10g}", f"{self.confidence:.10g}"
        told = [f"claim: success in at least {rate} of trials, at {confidence} confidence"]
        if self.conditions > 1:
            told.append(f"over {self.conditions} conditions, each equally often, {self.each:,} seeds of each:")
            told += [f"  {_words(overrides)}" for overrides in self.strata]
        told.append(f"it takes {self.each * self.conditions:,} trials with at most {self.failures} failures")
        if self.of == AGENTS:
            told.append("success of the agents: one decision of a fallback refuses the certificate")
        else:
            told.append(f"success of the {self.of}: decisions of fallbacks count")
        return "\n".join(told)


def _words(overrides: dict) -> str:
    return ", ".join(f"{key} = {value}" for key, value in overrides.items()) or "as the scenario stands"


def _share(value: float, what: str) -> float:
    share = plain(value, what)
    if not isinstance(share, float) or not 0 < share < 1:
        raise UsageError(f"{what}: expected a number between 0 and 1, got {value!r}")
    return share


def claim(scenario: Scenario, reliability: float, confidence: float, failures: int) -> Claim:
    """The claim for a scenario, before anything is run."""
    reliability, confidence = _share(reliability, "reliability"), _share(confidence, "confidence")
    failures = whole(failures, "failures", 0)
    needed, strata = trials_needed(reliability, confidence, failures), conditions(scenario.sweep)
    each = -(-needed // len(strata))
    return Claim(reliability, confidence, failures, needed, len(strata), each, strata, scenario.claim)


def certify(
    scenario: Scenario,
    stated: Claim,
    out: str | Path,
    workers: int | None = None,
    on: str | None = None,
    on_plan: Callable[[list[Scenario]], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> dict:
    """Run the trials of a claim, write ``certificate.json`` into the folder ``out``, and return what it says.

    The same call again goes on where the last one ended. Raises UsageError where ``out`` holds trials that were run
    before this claim was stated: a claim that knows its outcomes proves nothing.
    """

    def lost(progress: Progress) -> bool:
        if on_progress:
            on_progress(progress)
        others = stated.of == AGENTS and progress.fallbacks > 0
        broken = progress.errors > scenario.trials.max_errors * progress.total
        return others or broken or progress.failures > stated.failures

    _state(Path(out), stated)
    batch(scenario, out, stated.each, workers, on, on_plan=on_plan, on_progress=lost)
    rows = results(out)
    certificate = _certificate(scenario, stated, rows)
    write_text(Path(out) / FILE, json.dumps(certificate, indent=2) + "\n")
    return certificate


def _state(folder: Path, stated: Claim) -> None:
    """Put the claim into the folder before anything is run there."""
    path = within(folder, CLAIM)
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) == asdict(stated):
        return
    if path.is_file() or (folder / DATABASE).is_file():
        found = "another claim" if path.is_file() else "trials that were run before the claim was stated"
        raise UsageError(f"{folder}: holds {found}; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(asdict(stated)))


def _certificate(scenario: Scenario, stated: Claim, rows: pd.DataFrame) -> dict:
    whole, who = _bound(rows, stated.confidence), decided(rows)
    refusal = _refusal(scenario, stated, rows, whole, who)
    failed = rows[~rows["success"] & rows["error"].isna()]
    found = conditions(scenario.sweep)
    return {
        "claim": asdict(stated),
        "earned": not refusal,
        "refusal": refusal,
        **whole,
        "decisions": who._asdict(),
        "strata": [
            {"overrides": overrides, **_bound(rows[rows["condition"] == number], stated.confidence)}
            for number, overrides in enumerate(found)
        ],
        "failed": [
            {"overrides": found[row.condition], "seed": row.seed, "finish": row.finish, "ticks": row.ticks}
            for row in failed.itertuples()
        ],
        "errors": int(rows["error"].notna().sum()),
        "scenario": scenario.as_dict(),
        "scenario_hash": scenario.hash,
        "versions": versions(),
        "root": outcome_root(rows),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _refusal(scenario: Scenario, stated: Claim, rows: pd.DataFrame, found: dict, who: Decided) -> str:
    """Why the claim is not earned; empty where it is."""
    errors = int(rows["error"].notna().sum())
    if stated.of == AGENTS and who.by_others:
        return (
            f"{who.by_others:,} of {who.total:,} decisions were a fallback's, not the agents' own; "
            f'the scenario may say claim = "{TEAM}", which is another claim'
        )
    if found["trials"] < stated.trials and not found["failures"] > stated.failures:
        why = f"{errors:,} of {len(rows):,} are infrastructure errors" if errors else "it was stopped before the end"
        return f"{found['trials']:,} trials count, {stated.trials:,} are needed: {why}"
    if not (found["trials"] >= stated.trials and found["bound"] >= stated.reliability):
        return f"{found['failures']:,} of {found['trials']:,} trials failed, {stated.failures:,} may"
    if stated.of == AGENTS and (idle := _undecided(scenario, rows)):
        return f"the agents under test made no decision: {idle}"
    return ""


def _undecided(scenario: Scenario, rows: pd.DataFrame) -> str:
    """A condition, in words, in which agents are under test and none decided anything; empty if there is none."""
    for number, (overrides, each) in enumerate(zip(conditions(scenario.sweep), plan(scenario), strict=True)):
        if each.reasoners & set(REASONERS) and not decided(rows[rows["condition"] == number]).total:
            return _words(overrides)
    return ""


def _bound(rows: pd.DataFrame, confidence: float) -> dict:
    """Trials that count, failures among them, and the lower bound of the success rate."""
    counted = rows[rows["error"].isna()]
    trials, successes = len(counted), int(counted["success"].sum())
    bound = lower_bound(successes, trials, confidence) if trials else 0.0
    return {"trials": trials, "failures": trials - successes, "bound": bound}


def outcome_root(rows: pd.DataFrame) -> str:
    """Merkle root (RFC 6962) over condition, trial, seed, finish, ticks and final digest of each trial, hexadecimal."""
    columns = ["condition", "trial", "seed", "finish", "ticks", "digest"]
    return merkle_root(json.dumps(row).encode() for row in rows[columns].astype(object).values.tolist()).hex()


def check(
    folder: str | Path, sample: int = 100, on_trial: Callable[[int, int], None] = lambda done, of: None
) -> again.Checked:
    """Check a certificate: its root against the outcomes, then some trials executed again, as ``again.check`` does.

    The sample is drawn anew at each call: of n trials one that was forged shows with chance ``sample`` / n.
    """
    path = within(folder, FILE)
    try:
        certificate = json.loads(path.read_text(encoding="utf-8"))
        Scenario.model_validate(certificate["scenario"])
    except (OSError, ValueError, KeyError) as error:
        raise RecordError(f"{path}: no certificate ({error.__class__.__name__})") from None
    rows = results(folder)
    problems = []
    if outcome_root(rows) != certificate["root"]:
        problems.append("the outcomes are not those of the certificate: their Merkle roots differ")
    if _bound(rows, certificate["claim"]["confidence"])["bound"] != certificate["bound"]:
        problems.append("the bound does not follow from the outcomes")
    found = again.check(folder, sample, on_trial)
    return found._replace(problems=[*problems, *found.problems])
