"""Every figure of the documents that can be had in twenty minutes, measured anew on other seeds: does it agree?

A claim names the place on the page where its figure stands, and how it is measured. The figure is read off the page, so
page and claim cannot part. Speeds are no claims: they are of one machine, and stand in ``benchmarks/RESULTS.md``.
"""

import os
import sys
import tempfile
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.lessons import FOLDER as LESSONS
from benchmarks.memory import AGES, KINDS, told
from benchmarks.report import console, table
from benchmarks.stated import AGREES, REFUSED, ROOT, UNCLEAR, Found, Stated, cell, figure, judge, sentence
from sandbox.core.errors import SandboxError
from sandbox.engine.pool import cores
from sandbox.scenario import load
from sandbox.statistics import CONFIDENCE, mean_difference, paired_success, success_rate
from sandbox.trials.answers import values
from sandbox.trials.batch import batch
from sandbox.trials.certify import certify
from sandbox.trials.claims import claim as certificate_claim
from sandbox.trials.foresight import foresight
from sandbox.trials.lessons import load_lesson
from sandbox.trials.results import results

PEERS = ("scipy",)
SEED = 7_000_000  # no rule, option or lesson was chosen on seeds from here on
ERROR = 0.01  # chance that any of all claims is refused though all are true
QUICK = 3  # times fewer trials
SCENARIOS = ROOT / "scenarios"
OPTIONS = {
    "--seed": {
        "type": int,
        "default": SEED,
        "help": f"the first seed, default {SEED:,}: no rule was tuned from there on",
    },
    "--minutes": {"type": float, "default": 20.0, "help": "a claim that is not begun by then is not measured"},
    "--write": {"metavar": "PAGE", "help": "write the table as a page, such as docs/claims.md"},
}


class Run:
    """Trials from one seed on. The rows of an arm are kept, so each arm is played once."""

    def __init__(self, seed: int, folder: Path):
        self.seed, self.folder, self._kept = seed, folder, {}

    def keep(self, key: Any, make: Callable[[], Any]) -> Any:
        if repr(key) not in self._kept:
            self._kept[repr(key)] = make()
        return self._kept[repr(key)]

    def rows(self, arm: "Arm", trials: int) -> pd.DataFrame:
        """The results of an arm; raises SandboxError where a trial could not be played."""
        rows = self.keep((arm, trials), lambda: self._played(arm, trials))
        if rows["error"].notna().any():
            raise SandboxError(f"{arm}: {rows['error'].dropna().iloc[0]}")
        return rows

    def _played(self, arm: "Arm", trials: int) -> pd.DataFrame:
        return results(batch(arm.scenario(self.seed), self.folder / str(len(self._kept)), trials))


class Arm(NamedTuple):
    """A scenario file, or the arm of a lesson by its place, and what is set in it."""

    file: str
    set: Mapping[str, Any] = {}
    place: int | None = None

    def scenario(self, seed: int):
        if self.place is None:
            return load(SCENARIOS / self.file, {"sweep": {}, "seed": seed, **self.set})
        lesson = load_lesson(LESSONS / f"{self.file}.toml")
        return lesson.scenario(lesson.plan.measure.arms[self.place], self.set).model_copy(update={"seed": seed})


Measure = Callable[[Run, int, float], Found]  # of a number of trials, at a level


class Claim(NamedTuple):
    """One figure: where it stands, how it is measured, and of how many trials here."""

    id: str
    page: str
    read: Callable[[], Stated]
    kind: str  # difference, share, mean
    measure: Measure
    trials: int
    scale: float = 1.0


class Judged(NamedTuple):
    claim: Claim
    stated: Stated
    found: Found
    verdict: str


# -- how it is measured ------------------------------------------------------------------------------------------------


def share(arm: Arm, scale: float, run: Run, trials: int, level: float) -> Found:
    good = int(run.rows(arm, trials)["success"].sum())
    return Found(*(scale * value for value in success_rate(good, trials, level)), trials)


def mean(arm: Arm, what: str, run: Run, trials: int, level: float) -> Found:
    return Found(*mean_difference(_numbers(run.rows(arm, trials), what), level), trials)


def success_beside(first: Arm, second: Arm, run: Run, trials: int, level: float) -> Found:
    """In points, paired on seeds."""
    both = [run.rows(arm, trials)["success"].to_numpy(bool) for arm in (first, second)]
    return Found(*(100 * value for value in paired_success(*both, level).difference), trials)


def beside(first: Arm, second: Arm, what: str, run: Run, trials: int, level: float) -> Found:
    """Of a number, paired on seeds; of ticks, where both succeed."""
    one, two = (run.rows(arm, trials) for arm in (first, second))
    both = (one["success"] & two["success"]).to_numpy(bool) if what == "ticks" else np.ones(trials, bool)
    if both.sum() < 2:
        raise SandboxError(f"{second}: {both.sum()} pairs in which both succeed; too few")
    apart = (_numbers(two, what) - _numbers(one, what))[both]
    return Found(*mean_difference(apart, level), int(both.sum()))


def _numbers(rows: pd.DataFrame, what: str) -> np.ndarray:
    return values(what, list(rows.itertuples()), 0).astype(float)


def foreseen(file: str, view: str, horizon: int, run: Run, trials: int, level: float) -> Found:
    """The share of changes that were foreseen wrongly; its interval is of 95 %, so it is stretched to the level."""
    found = run.keep(("foresight", file), lambda: foresight(Arm(file).scenario(run.seed), trials))
    error = next(each.error for each in found if (each.view, each.horizon) == (view, horizon))
    if error is None:
        raise SandboxError(f"{file}: nothing changed {view} within {horizon} ticks")
    by = stats.t.ppf((1 + level) / 2, trials - 1) / stats.t.ppf((1 + CONFIDENCE) / 2, trials - 1)
    ends = (error.value + by * (end - error.value) for end in error[1:])
    return Found(error.value, *ends, trials)


def remembered(kind: str, age: int, run: Run, trials: int, level: float) -> Found:
    lives = run.keep(("memory", kind), lambda: [told(kind, run.seed + k, AGES) for k in range(trials)])
    good = sum(life[AGES.index(age)] for life in lives)
    return Found(*success_rate(good, trials, level), trials)


def certified(file: str, run: Run, trials: int, level: float) -> Found:
    """The success of a certificate at a reliability of .999, which takes that many trials or more."""
    scenario = Arm(file).scenario(run.seed).model_copy(update={"sweep": load(SCENARIOS / file).sweep})
    stated = certificate_claim(scenario, 0.999, 0.95, 0)
    found = run.keep(("certificate", file), lambda: certify(scenario, stated, run.folder / Path(file).stem))
    good = found["trials"] - found["failures"]
    return Found(*(100 * value for value in success_rate(good, found["trials"], level)), found["trials"])


def covered(pairs: int, differ: float, run: Run, trials: int, level: float) -> Found:
    """How often the 95 % interval of paired success holds the truth, where that share of pairs differs, all one way."""
    wins = np.random.default_rng(run.seed).binomial(pairs, differ, trials)
    held = {}
    for n in set(wins.tolist()):
        found = paired_success(np.zeros(pairs, bool), np.arange(pairs) < n).difference
        held[n] = found.low <= differ <= found.high
    return Found(*success_rate(sum(held[n] for n in wins.tolist()), trials, level), trials)


# -- what is claimed ---------------------------------------------------------------------------------------------------

IMAGINATION = "docs/imagination.md"
WORLDS = {  # of scenarios/imagination: steps or success, trials here, what disturbs it; the cheapest first
    "web": (False, 200, {"clean": {}, "hostile pop-ups .4": {"perturb.hostile_popups": 0.4}}),
    "craft, stone tools": (False, 30, {"clean": {}, "night .8": {"perturb.night": 0.8}}),
    "kitchen": (True, 24, {"clean": {}, "sticky floor .5": {"perturb.sticky_floor": 0.5}}),
    "warehouse": (True, 12, {"clean": {}, "action failure .5": {"perturb.action_failure": 0.5}}),
    "wildfire": (False, 16, {"clean": {}, "wind shift .5": {"perturb.wind_shift": 0.5}}),
}
KIND, DEPTH, REASONER = "agents.0.world_model.kind", "agents.0.world_model.depth", "agents.0.reasoner"
TEAMS = {  # columns of docs/imagination.md
    "search": {REASONER: "search"}, "UCT, depth 3": {REASONER: "search", DEPTH: 3},
    "one future (`calm`)": {REASONER: "search", KIND: "calm"}, "`shuffled`": {REASONER: "search", KIND: "shuffled"},
    "`wrong`": {REASONER: "search", KIND: "wrong"}, "oracle": {REASONER: "oracle"},
}  # fmt: skip


def _imagination() -> list[Claim]:
    found = []
    for world, (steps, trials, conditions) in WORLDS.items():
        file = f"imagination/{world.partition(',')[0]}.toml"
        for words, disturbed in conditions.items():
            row, rules = f"{world}, {words}", Arm(file, disturbed)
            of = int(cell(IMAGINATION, row, "n"))
            kind, how = ("mean", partial(mean, rules, "ticks")) if steps else ("share", partial(share, rules, 100))
            found.append(_cell(IMAGINATION, row, "rules", kind, how, trials, of, 100))
            for column, team in TEAMS.items():
                if world == "warehouse" and column in ("`shuffled`", "`wrong`"):
                    continue  # they play to the tick limit, which takes minutes
                arm, fails = Arm(file, {**disturbed, **team}), cell(IMAGINATION, row, column).startswith("fails")
                if fails:
                    how = partial(share, arm, 100)
                else:
                    how = partial(beside, rules, arm, "ticks") if steps else partial(success_beside, rules, arm)
                kind = "share" if fails else "difference"
                found.append(_cell(IMAGINATION, row, column, kind, how, trials, of, 100))
    return found


FORESIGHT = 8  # episodes
HORIZONS = {"web": (1, 2), "kitchen": (1, 5, 21), "warehouse": (1, 5, 34), "wildfire": (1, 5), "craft": (1, 5, 13)}


def _foresight() -> list[Claim]:
    found = []
    for world, horizons in HORIZONS.items():
        for view in ("in view", "out of view") if world != "kitchen" else ("in view",):
            for horizon in horizons:
                column = f"{horizon} tick{'s' * (horizon > 1)}"
                how = partial(foreseen, f"imagination/{world}.toml", view, horizon)
                found.append(_cell(IMAGINATION, f"{world} | {view}", column, "difference", how, FORESIGHT))
    return found


def _memory() -> list[Claim]:
    return [
        _cell("docs/memory.md", kind, f"{age:,}", "share", partial(remembered, kind, age), 30, 200, 1)
        for kind in KINDS
        for age in AGES
    ]


TEAMWORK = "docs/teams.md"
LOST = "perturb.message_loss"
PROTOCOLS = ("market", "manager", "planner", "selector", "concurrent", "round robin", "hand off", "sequential")


def _protocols() -> list[Claim]:
    found, warehouse, wildfire = [], "teams/warehouse.toml", "teams/wildfire.toml"
    for row in ("independent", *PROTOCOLS):
        protocol = {"team.protocol": row.replace(" ", "_")}
        arm, fire = Arm(warehouse, protocol), Arm(wildfire, protocol)
        few = row in ("hand off", "sequential")  # thousands of ticks
        n, m = (16, 40) if few else (60, 100)
        found.append(_cell(TEAMWORK, row, "warehouse: ticks", "mean", partial(mean, arm, "ticks"), n, 100))
        found.append(_cell(TEAMWORK, row, "wildfire: saved", "share", partial(share, fire, 100), m, 300, 100))
        if row == "independent":
            continue
        for lost, column, points in ((0.0, "beside independent", "beside independent, points"),
                                     (0.5, "half of the messages lost", "half lost")):  # fmt: skip
            base, own = ({"team.protocol": name, LOST: lost} for name in ("independent", protocol["team.protocol"]))
            how = partial(beside, Arm(warehouse, base), Arm(warehouse, own), "ticks")
            found.append(_cell(TEAMWORK, row, column, "difference", how, n))
            how = partial(success_beside, Arm(wildfire, base), Arm(wildfire, own))
            found.append(_cell(TEAMWORK, row, points, "difference", how, m))
    return found


CHANNELS = {  # rows of the table of messages
    "every message, a tick later": {}, "20 % lost": {LOST: 0.2}, "50 % lost": {LOST: 0.5}, "80 % lost": {LOST: 0.8},
    "all lost": {LOST: 1.0}, "one message an edge and tick (45 % dropped)": {"team.network": {"bandwidth": 1}},
    "small world, 4 neighbours": {"team.network": {"kind": "small_world", "neighbours": 4}},
    "scale-free": {"team.network": "scale_free"}, "ring": {"team.network": "ring"}, "tree": {"team.network": "tree"},
    "star": {"team.network": "star"}, "within 16 cells": {"team.network": {"kind": "range", "reach": 16}},
    "within 8 cells": {"team.network": {"kind": "range", "reach": 8}},
}  # fmt: skip


def _messages() -> list[Claim]:
    file, found = "teams/loss.toml", []
    alone = Arm(file, {"team.protocol": "independent"})
    for row, channel in CHANNELS.items():
        arm = Arm(file, channel)
        found.append(_cell(TEAMWORK, row, "ticks", "mean", partial(mean, arm, "ticks"), 40, 200))
        how = partial(beside, alone, arm, "ticks")
        found.append(_cell(TEAMWORK, row, "beside independent", "difference", how, 40, place="messages"))
    return found


def _sizes() -> list[Claim]:
    found = []
    for place, file in (("hall of shelves", "teams/sizes.toml"), ("open yard", "teams/yard.toml")):
        for protocol in ("independent", "market", "manager"):
            for size in (1, 8, 16, 32):
                arm = Arm(file, {"team.protocol": protocol, "agents.0.count": size})
                how = partial(mean, arm, "throughput")
                found.append(_cell(TEAMWORK, f"{place}, {protocol}", str(size), "mean", how, 12, 40))
    return found


def _lessons() -> list[Claim]:
    name, found = "docs/lessons.md", []

    def add(lesson: str, text: str, kind: str, how: Measure, trials: int, of: int | None = None, scale: float = 1):
        found.append(_text(f"lesson-{lesson[:2]}-{len(found)}", name, text, kind, how, trials, of, scale))

    def arm(lesson: str, place: int, **chosen: str) -> Arm:
        return Arm(lesson, {label.replace("_", " "): option for label, option in chosen.items()}, place)

    def steps(lesson: str, **chosen: str) -> Measure:
        return partial(beside, arm(lesson, 0, **chosen), arm(lesson, 1, **chosen), "ticks")

    def points(lesson: str, **chosen: str) -> Measure:
        return partial(success_beside, arm(lesson, 0, **chosen), arm(lesson, 1, **chosen))

    model, horizon, button = "01-world-model", "02-horizon", "03-renamed-button"
    add(model, "**-11.9** (-15.6 .. -8.9)", "difference", steps(model), 40)
    add(model, "-11.6 (-15.2 .. -8.0)", "difference", steps(model, Sticky_floor="A fifth of all steps fail"), 40)
    for place, text in enumerate(
        ("45, **32**, 77, **99.7 %**", "**32**, 77, **99.7 %**", "77, **99.7 %**", "**99.7 %**")
    ):
        add(horizon, text, "share", partial(share, arm(horizon, place), 100), 150, 300, 100)
    add(button, "80.8 %: **-19.2 points**", "share", partial(share, arm(button, 1), 100), 500, 500, 100)
    add(button, "**-19.2 points** (-22.8 .. -16.0)", "difference", points(button), 500)
    nines = "04-five-nines"
    read = partial(_never_fails, name, "no failure: 99.90 % is shown", 3_000)
    found.append(Claim("lesson-04", name, read, "share", partial(share, arm(nines, 0), 100), 3_000, 100))
    crowd = "05-more-colleagues"
    for place, text in enumerate(("672, 474, 977 ticks", "474, 977 ticks", "977 ticks")):
        add(crowd, text, "mean", partial(mean, arm(crowd, place), "ticks"), 60, 60)
    manager = "06-manager-market"
    for place, text in enumerate(("446, 446 and 476 ticks", "446 and 476 ticks", "476 ticks. The first two")):
        add(manager, text, "mean", partial(mean, arm(manager, place), "ticks"), 100, 200)
    add(manager, "7,118, 45,284 and 0 messages", "mean", partial(mean, arm(manager, 0), "messages"), 100, 200)
    add(manager, "45,284 and 0 messages", "mean", partial(mean, arm(manager, 1), "messages"), 100, 200)
    for place, text in enumerate(("446, 524, 476, the", "524, 476, the")):
        how = partial(mean, arm(manager, place, Who_hears_whom="Star"), "ticks")
        add(manager, text, "mean", how, 100, 200)
    for place, text in enumerate(("268, **203**, 252", "**203**, 252", "252, so 48")):
        add(crowd, text, "mean", partial(mean, arm(crowd, place, Robots="Planned"), "ticks"), 60, 60)
    memory = [arm("07-memory", place) for place in (1, 0)]
    add("07-memory", "**11.2 points** (7.2 .. 17.1)", "difference", partial(success_beside, *memory), 160)
    thought, dice, wrong = "08-thought", "09-same-dice", "10-wrong-model"
    add(thought, "**-7.1** (-8.9 .. -5.4)", "difference", steps(thought), 30)
    add(dice, "+.34 ticks", "difference", steps(dice), 200, 200)
    add(wrong, "47.5 % without a model", "share", partial(share, arm(wrong, 0), 100), 200, 200, 100)
    add(wrong, "**0 %** with the shuffled one", "share", partial(share, arm(wrong, 1), 100), 60, 200, 100)
    return found


def _never_fails(name: str, text: str, trials: int) -> Stated:
    return Stated(sentence(name, text), 100.0, trials=trials)


def _web() -> list[Claim]:
    name = "benchmarks/RESULTS.md"

    def how(reasoner: str, **doses: float) -> Measure:
        doses = {f"perturb.{factor}": dose for factor, dose in doses.items()}
        return partial(
            share,
            Arm("imagination/web.toml", {REASONER: reasoner, "world.max_ticks": 80, "agents.0.count": 2, **doses}),
            1,
        )

    said = [
        ("web-semantic-renamed", ".09 with every label renamed", how("semantic", renamed_labels=1.0)),
        ("web-macro-renamed", "1 under renamed labels", how("rules", renamed_labels=1.0)),
        ("web-macro-ids", "0 under changed ids", how("rules", changed_ids=1.0)),
    ]
    return [_text(key, name, text, "share", measure, 400, 1_000, 1) for key, text, measure in said]


def _statistics() -> list[Claim]:
    text, how = "least: .928, 40 pairs, 20 % differ, all one way", partial(covered, 40, 0.2)
    return [_text("statistics-least-coverage", "docs/statistics.md", text, "share", how, 4_000, None, 1)]


def _certificates() -> list[Claim]:
    name = "benchmarks/RESULTS.md"
    found = []
    for world in ("web", "warehouse"):
        read = partial(_certificate, name, f"`{world}.toml`")
        how = partial(certified, f"certify/{world}.toml")
        found.append(Claim(f"certificate-{world}", name, read, "share", how, 2_995, 100))
    return found


def _certificate(name: str, row: str) -> Stated:
    """Success in per cent, from the row's trials and failures."""
    trials, failures = (int(cell(name, row, column).replace(",", "")) for column in ("trials", "failures"))
    return Stated(f"{trials:,} trials, {failures} failures", 100 * (1 - failures / trials), trials=trials)


def _cell(
    name: str, row: str, column: str, kind: str, measure: Measure, trials: int, of: int | None = None, scale: float = 1,
    place: str = "",
) -> Claim:  # fmt: skip
    parts = (Path(name).stem, place, row, column)
    key = "-".join("".join(c if c.isalnum() or c == "." else " " for c in part).strip() for part in parts if part)
    read = lambda: figure(cell(name, row, column), of)  # noqa: E731
    return Claim("-".join(key.split()), name, read, kind, measure, trials, scale)


def _text(
    key: str, name: str, text: str, kind: str, measure: Measure, trials: int, of: int | None, scale: float
) -> Claim:
    return Claim(key, name, lambda: figure(sentence(name, text), of), kind, measure, trials, scale)


CLAIMS = [  # what is not begun when the minutes are over is not measured
    *_web(), *_statistics(), *_certificates(), *_lessons(), *_memory(), *_imagination(), *_foresight(), *_messages(),
    *_sizes(), *_protocols(),
]  # fmt: skip
NOT_COVERED = {  # what no claim measures anew yet
    "docs/imagination.md": "imagined ticks; `shuffled` and `wrong` in the warehouse, which play to the tick limit; "
    "steps in craft; other horizons; speeds",
    "docs/lessons.md": "most turned controls; how surely an answer comes out, which `python -m benchmarks lessons "
    "--blocks 100` measures",
    "docs/skills.md": "all: 120 learners take twelve minutes on two free cores; `sandbox skills scenarios/skills.toml`",
    "docs/statistics.md": "other coverage of intervals, which `tests/test_statistics.py` and `tests/test_claims.py` "
    "simulate on fixed seeds",
    "docs/teams.md": "messages, turns, stalls; delays; cut edges; fitted laws; absent members; teams of 4, 48 and 64",
    "docs/oversight.md": "twenty kills at random ticks, which `tests/test_resume.py` tries",
    "docs/memory.md": "the time of a search",
    "benchmarks/RESULTS.md": "speeds and times, which are of one machine; wildfire, craft and kitchen without search",
}


# -- the command -------------------------------------------------------------------------------------------------------


def main(asked: Namespace) -> int:
    """Measure, print, and write the page where it is asked for; 1 where a claim does not agree."""
    chosen = [claim for claim in CLAIMS if claim.id.startswith(asked.only or "")]
    if not chosen:
        raise SystemExit(f"--only: no claim begins with '{asked.only}'; the first is {CLAIMS[0].id}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(chosen, Run(asked.seed, Path(folder)), QUICK if asked.quick else 1, asked.minutes)
    minutes = (time.monotonic() - started) / 60
    columns = ["claim", "page", "stated", "now", "trials", "verdict"]
    table(
        f"Claims, seeds from {asked.seed:,} on, {minutes:.1f} minutes",
        columns,
        [list(row) for row in map(row_of, found)],
    )
    counts = _counts(found)
    console.print(
        ", ".join(f"{n} {verdict}" for verdict, n in counts.items()), f"; {len(chosen) - len(found)} not begun"
    )
    if asked.write:
        Path(asked.write).write_text(written(found, asked, minutes), encoding="utf-8")
    return int(counts[REFUSED] > 0)


def measured(chosen: list[Claim], run: Run, fewer: int, minutes: float) -> list[Judged]:
    """Each claim that is begun within so many minutes, judged at a level that holds for all claims together."""
    level, found, end = 1 - ERROR / len(CLAIMS), [], time.monotonic() + 60 * minutes
    for k, claim in enumerate(chosen, 1):
        if time.monotonic() > end:
            break
        print(f"{k} of {len(chosen)}: {claim.id}", file=sys.stderr, flush=True)
        stated = claim.read()
        try:
            now = claim.measure(run, max(5, claim.trials // fewer), level)
        except SandboxError as error:  # too few pairs: nothing can be told
            print(f"{claim.id}: {error}", file=sys.stderr)
            found.append(Judged(claim, stated, Found(np.nan, np.nan, np.nan, 0), UNCLEAR))
            continue
        found.append(Judged(claim, stated, now, judge(stated, now, level, claim.kind, claim.scale)))
    return found


def row_of(judged: Judged) -> tuple[str, str, str, str, str, str]:
    claim, stated, now, verdict = judged
    digits = 0 if abs(now.value) >= 100 else 1 if claim.scale == 100 or abs(now.value) >= 10 else 3
    value, low, high = (f"{number:,.{digits}f}" for number in now[:3])
    return claim.id, claim.page, stated.text, f"{value} ({low} .. {high})", f"{now.trials:,}", verdict


def _counts(found: list[Judged]) -> dict[str, int]:
    return {verdict: sum(each.verdict == verdict for each in found) for verdict in (AGREES, REFUSED, UNCLEAR)}


PAGE = """# Claims, measured anew

This page is written by a command, not by hand:

```sh
{command}
```

It measures figures of the documents again, with fewer trials, on the seeds from {seed:,} on. No rule, option or lesson
was chosen on seeds from {default:,} on; give it seeds of your own.

{count} claims, {date}, {minutes:.0f} minutes on {cores} cores with a load of {load:.1f} at the end.

**{agrees} agree, {refused} do not, {unclear} cannot be told** with so few trials.

- **Stated** is read off the page itself. A test fails where a claim does not find its figure.
- **Now** is the new figure with its interval at {level:.4%}, which is 99 % for all {all} claims together (Bonferroni).
  If all are true, one is refused in at most one of a hundred runs.
- **Agrees**: the difference of both figures is within what chance allows at that level (Donner and Zou 2012). Both were
  measured, so the stated interval counts too, or else the stated number of trials.
- **Cannot tell**: it would agree, but no difference at all would agree as well, where one is claimed; or the new
  interval is as wide as half of all shares, or as the figure itself.
- **Speeds** are no claims. They are of one machine, and stand in [benchmarks/RESULTS.md](../benchmarks/RESULTS.md).
{refusals}
| claim | page | stated | now | trials | verdict |
|---|---|---|---|---|---|
{rows}

## Not measured here

{late}{missing}
"""


def written(found: list[Judged], asked: Namespace, minutes: float) -> str:
    counts = _counts(found)
    refused = [each for each in found if each.verdict == REFUSED]
    late = Counter(claim.page for claim in ([] if asked.only else CLAIMS[len(found) :]))
    command = f"python -m benchmarks claims --seed {asked.seed}{' --quick' * asked.quick} --write {asked.write}"
    return PAGE.format(
        seed=asked.seed, command=command, default=SEED, date=f"{datetime.now(UTC):%d %B %Y}",
        minutes=minutes, cores=cores(), load=os.getloadavg()[0], count=len(found), all=len(CLAIMS),
        agrees=counts[AGREES], refused=counts[REFUSED], unclear=counts[UNCLEAR], level=1 - ERROR / len(CLAIMS),
        refusals="".join(f"- Does not agree: `{each.claim.id}`.\n" for each in refused),
        rows="\n".join(f"| {' | '.join(_linked(row_of(each)))} |" for each in found),
        late="".join(
            f"- `{name}`: not begun within {asked.minutes:.0f} minutes: {n} claims of it.\n" for name, n in late.items()
        ),
        missing="\n".join(f"- `{name}`: {what}" for name, what in NOT_COVERED.items()),
    )  # fmt: skip


def _linked(row: tuple[str, ...]) -> tuple[str, ...]:
    key, name, *more = row
    place = f"../{name}" if not name.startswith("docs/") else name.removeprefix("docs/")
    return f"`{key}`", f"[{Path(name).stem}]({place})", *more
