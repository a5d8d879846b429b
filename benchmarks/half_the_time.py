"""Half the time with little oversight? The arithmetic of the office's study; the claim is in ``docs/office.md``.

An arm is who runs the process. All arms work on the same cases, by seed: arrivals, documents, outside delays and
service times are equal, so arms are compared case by case, and the seeds are the units of every interval. The first
cases find an empty office and the last ones an office that runs dry, so only cases between ``WINDOW`` count.
"""

from typing import NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.statistics import CONFIDENCE, Estimate, lower_bound, mean_difference, ratio
from sandbox.worlds.office.state import DAY, TEAM, Case, Issue, Params, Phase, State, Status, Time

ARMS = (  # in the order of scenarios/office/half-the-time.toml
    "people only", "nobody", "people + macro", "people + one more",
    "agents + 1 person, review 0", "agents + 1 person, review .25", "agents + 1 person, review .5",
    "agents + 1 person, review 1", "agents only", "agents only, ten times as fast",
    "uneven agents + 1 person, review 0", "uneven agents + 1 person, review .25", "uneven agents + 1 person, review .5",
    "uneven agents + 1 person, review 1", "uneven agents only",
)  # fmt: skip
PEOPLE, NOBODY = ARMS[:2]
CONTROLS, CLAIMED = ARMS[2:4], ARMS[4:]
WINDOW = 0.45, 0.65  # of the cases, in the order of arrival

# The claim, stated before it was measured.
HALF = 0.5  # the least reduction of the time to correct completion
CAP = 25.0  # people's minutes a case
LIMITS = {True: 365 * DAY, False: 60 * DAY}  # minutes up to which a time is counted: with outside wait, without it


class Balance(NamedTuple):
    """What became of the measured cases of an arm: S seeds, C cases."""

    right: np.ndarray  # (S, C) bool       closed, and correctly
    parts: np.ndarray  # (S, C, 5) float64 minutes in each Phase; they add up to the time from arrival to closing
    people: np.ndarray  # (S, C) float64   minutes of people's work
    agents: np.ndarray  # (S, C) float64   minutes of agents' work
    escaped: np.ndarray  # (S, C) bool     an error that its activity let through
    euros: np.ndarray  # (S, C) float64    paid or owed wrongly
    infeasible: np.ndarray  # (S, C) bool  a request that cannot be met: only its rejection is right


def measured(state: State, params: Params) -> Balance:
    """The balance of the lanes of a state at the end of their episodes.

    Raises UsageError if an episode ended before a measured case had the longest time that is counted.
    """
    window = slice(*(round(share * state.case.shape[1]) for share in WINDOW))
    case, time = state.case[:, window], state.time[:, window]
    status = case[..., Case.STATUS]
    waited = state.clock[:, None] - time[..., Time.ARRIVED]
    if ((status <= Status.OPEN) & ((waited < max(LIMITS.values())) | (status == Status.COMING))).any():
        raise UsageError("half the time: an episode ended with open cases; expected a higher world.max_ticks")
    twins = sum(1 << k for k, row in enumerate(params.issue) if row[Issue.TWIN])
    return Balance(
        status == Status.RIGHT, time[..., Time.TOUCH : Time.TOUCH + len(Phase)].copy(), time[..., Time.PEOPLE].copy(),
        time[..., Time.AGENTS].copy(), (status == Status.WRONG) & (case[..., Case.MISSED] != 0),
        case[..., Case.CENTS] / 100, case[..., Case.ISSUES] & twins != 0,
    )  # fmt: skip


# -- times


NOT_DONE = len(Phase)  # column of ``counted``, after the phases


def counted(found: Balance, outside: bool) -> np.ndarray:
    """Minutes of every case by Phase, and NOT_DONE, (S, C, 6); with the time outside the office, or without it.

    The sum of a case is its time up to the limit: the parts of a case that is closed correctly by then, else the whole
    limit as NOT_DONE. The mean of the sums is the restricted mean (``statistics.mean_steps``), since every case is
    followed up to the limit (``measured``).
    """
    parts, limit = found.parts.copy(), LIMITS[outside]
    if not outside:
        parts[..., Phase.OUTSIDE] = 0.0
    done = found.right & (parts.sum(axis=-1) <= limit)
    parts[~done] = 0.0
    return np.concatenate([parts, np.where(done, 0.0, limit)[..., None]], axis=-1)


def reduction(arm: Balance, base: Balance, outside: bool, confidence: float = CONFIDENCE) -> Estimate:
    """The share of the base's mean time to correct completion that an arm saves; below 0 if it takes longer."""
    return _saved(counted(arm, outside).sum(axis=(1, 2)), counted(base, outside).sum(axis=(1, 2)), confidence)


def reduction_of_both(arm: Balance, base: Balance, outside: bool, confidence: float = CONFIDENCE) -> Estimate:
    """The same for the cases that both close correctly, without a limit."""
    both, phases = arm.right & base.right, slice(None) if outside else slice(Phase.OUTSIDE)
    own, other = ((each.parts[..., phases].sum(axis=-1) * both).sum(axis=1) for each in (arm, base))
    return _saved(own, other, confidence)


def _saved(own: np.ndarray, other: np.ndarray, confidence: float) -> Estimate:
    """One less the ratio of sums; nothing can be saved of nothing."""
    if not other.any():
        return Estimate(0.0, -np.inf, 0.0)
    value, low, high = ratio(own, other, confidence)
    return Estimate(1 - value, 1 - high, 1 - low)


# -- the claim


class Judged(NamedTuple):
    """The four conditions of the claim for one arm, and why it is refused."""

    reduction: Estimate
    of_both: Estimate  # of the cases that both close correctly
    people: Estimate  # minutes of people's work a case
    escapes: Estimate  # share of cases with an escaped error, less that of the base
    refused: tuple[str, ...]  # empty: the claim is earned


def judge(arm: Balance, base: Balance, outside: bool, confidence: float = CONFIDENCE) -> Judged:
    """Whether an arm halves the time with little oversight."""
    found = (
        reduction(arm, base, outside, confidence), reduction_of_both(arm, base, outside, confidence),
        mean_difference(arm.people.mean(axis=1), confidence),
        mean_difference(arm.escaped.mean(axis=1) - base.escaped.mean(axis=1), confidence),
    )  # fmt: skip
    shorter, of_both, people, escapes = found
    why = {
        "time": not shorter.low >= HALF, "time where both are right": not of_both.low >= HALF,
        "people's minutes": not people.high <= CAP, "escapes": not escapes.high <= 0,
    }  # fmt: skip
    return Judged(*found, tuple(name for name, refused in why.items() if refused))


def at_most(errors: int, cases: int) -> float:
    """The one-sided upper bound at 95 % of a share of errors: .05 for 0 of 59."""
    return 1 - lower_bound(cases - errors, cases)


# -- money


def wages(params: Params, worked: np.ndarray) -> np.ndarray:
    """Euros of wages a case (S,), from the minutes that each person has worked, ``worked`` (S, M).

    The team's people are paid for their shifts while cases arrive, whether or not there is work: they are what the arms
    have more or fewer of. The other posts also work for others, and are paid by the minute.
    """
    hours = float(np.diff(params.shift[TEAM], axis=1).sum()) / 60  # a week, each
    staff = int(params.crew[TEAM + 1]) * hours * float(params.wage[TEAM])
    weeks = float(params.gap[1]) / (7 * DAY)  # between two cases
    others = params.pool != TEAM
    return staff * weeks + worked[:, others] @ params.wage[params.pool[others]] / 60 / params.cases


def break_even(own: float, base: float, calls: float) -> float:
    """Euros that a call may cost before an arm is as dear as the base; wages and calls are of a case."""
    return (base - own) / calls if calls > 0 else float("nan")
