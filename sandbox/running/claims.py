"""The claim of a certificate, and the trial that decides it.

Trials count in one fixed order: trial 0 of every condition, then trial 1 of every condition, and so on. The first trial
at which the claim is lost ends it, and no later one counts. So the counted trials do not depend on workers,
their number, or interruptions.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from sandbox.core.errors import UsageError
from sandbox.core.finish import Outcome
from sandbox.core.plain import plain, whole
from sandbox.scenario import AGENTS, Scenario
from sandbox.scenario.sweep import conditions
from sandbox.statistics import trials_needed

FILE, CLAIM = "certificate.json", "claim.json"
FORMAT = 2  # version of claims and certificates; in format 1 the strata shared seeds, which invalidates the bound


@dataclass(frozen=True)
class Claim:
    """The claim, and the trials that it needs: in total, and for each condition."""

    reliability: float
    confidence: float
    failures: int  # allowed
    trials: int
    conditions: int
    each: int
    strata: list[dict]  # overrides of each condition
    of: str  # whose success: the agents', or that of the team with its fallbacks

    @property
    def total(self) -> int:
        """All trials; a few more than needed if conditions do not divide them."""
        return self.each * self.conditions

    @property
    def words(self) -> str:
        rate, confidence = f"{self.reliability:.10g}", f"{self.confidence:.10g}"
        told = [f"claim: success in at least {rate} of trials, at {confidence} confidence"]
        if self.conditions > 1:
            told.append(f"over {self.conditions} conditions, each equally often, with {self.each:,} seeds of its own:")
            told += [f"  {in_words(overrides)}" for overrides in self.strata]
        told.append(f"it takes {self.total:,} trials with at most {self.failures} failures")
        if self.of == AGENTS:
            told.append("success of the agents: one decision of a fallback refuses the certificate")
        else:
            told.append(f"success of the {self.of}: decisions of fallbacks count")
        return "\n".join(told)

    def as_dict(self) -> dict:
        return {"format": FORMAT, **asdict(self)}


def in_words(overrides: dict) -> str:
    return ", ".join(f"{key} = {value}" for key, value in overrides.items()) or "as the scenario stands"


def claim(scenario: Scenario, reliability: float, confidence: float, failures: int) -> Claim:
    """The claim for a scenario, made before any trial."""
    reliability, confidence = _share(reliability, "reliability"), _share(confidence, "confidence")
    failures = whole(failures, "failures", 0)
    needed, strata = trials_needed(reliability, confidence, failures), conditions(scenario.sweep)
    each = -(-needed // len(strata))
    # Hoeffding (1956, theorem 4): up to n (1 - R) - 1 failures are no likelier for a mixture than for a single rate.
    if failures and len(strata) > 1 and each * len(strata) * (1 - reliability) < failures + 1:
        raise UsageError(f"confidence: {confidence} is too low for a bound over several conditions; 0.6 is enough")
    return Claim(reliability, confidence, failures, needed, len(strata), each, strata, scenario.claim)


def _share(value: float, what: str) -> float:
    share = plain(value, what)
    if not isinstance(share, float) or not 0 < share < 1:
        raise UsageError(f"{what}: expected a number between 0 and 1, got {value!r}")
    return share


def lies_in(folder: str | Path) -> bool:
    """Whether a folder contains a certificate, or an unfinished one."""
    return any((Path(folder) / name).is_file() for name in (FILE, CLAIM))


class Count(NamedTuple):
    """Trials of one condition, or of all, that count for the claim."""

    trials: int = 0  # without the errors
    failures: int = 0
    errors: int = 0  # of the infrastructure
    own: int = 0  # decisions that the agents under test made themselves
    others: int = 0  # decisions that others made for them

    def with_one(self, outcome: Outcome) -> "Count":
        trials, failures, errors, own, others = self
        if outcome.error is not None:
            return Count(trials, failures, errors + 1, own, others)
        others += outcome.fallbacks + outcome.taken_over
        return Count(trials + 1, failures + (not outcome.success), errors, own + outcome.own_decisions, others)


class Course:
    """Takes trials in any order, and counts them in the fixed order until the claim is lost or all have arrived."""

    def __init__(self, stated: Claim, max_errors: float):
        self._stated, self._max_errors = stated, max_errors * stated.total
        self._waiting: dict[int, Outcome] = {}  # by place in the order; an earlier one is missing
        self._counts = [Count()] * stated.conditions
        self.all = Count()
        self.place = 0  # of the next trial to count
        self.lost = False

    def add(self, condition: int, start: int, outcomes: Iterable[Outcome]) -> None:
        """Trials ``start``, ``start`` + 1, ... of a condition."""
        among = self._stated.conditions
        self._waiting.update(zip(range(start * among + condition, 1 << 63, among), outcomes, strict=False))
        while not self.over and (outcome := self._waiting.pop(self.place, None)):
            self._count(outcome)

    def _count(self, outcome: Outcome) -> None:
        condition = self.place % self._stated.conditions
        self.place += 1
        self._counts[condition] = self._counts[condition].with_one(outcome)
        self.all = found = self.all.with_one(outcome)
        others = self._stated.of == AGENTS and found.others > 0
        self.lost = others or found.errors > self._max_errors or found.failures > self._stated.failures

    @property
    def over(self) -> bool:
        return self.lost or self.place == self._stated.total

    @property
    def each(self) -> list[Count]:
        """The counts of each condition."""
        return self._counts

    @property
    def kept(self) -> list[int]:
        """For each condition, the number of its first trials that count, errors included."""
        among = self._stated.conditions
        return [-(-max(self.place - condition, 0) // among) for condition in range(among)]
