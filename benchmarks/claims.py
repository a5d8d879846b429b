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
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.measured import (
    Arm,
    Measure,
    Run,
    beside,
    certified,
    covered,
    foreseen,
    mean,
    remembered,
    share,
    success_beside,
)
from benchmarks.memory import AGES, KINDS
from benchmarks.report import console, table
from benchmarks.stated import (
    AGREES,
    FAILS,
    REFUSED,
    UNCLEAR,
    Found,
    Place,
    Stated,
    cell,
    figure,
    judge,
    sentence,
)
from sandbox.core.errors import SandboxError
from sandbox.engine.pool import cores
from sandbox.statistics import CONFIDENCE

PEERS = ("scipy",)
SEED = 7_000_000  # no rule, option or lesson was chosen on seeds from here on
ERROR = 0.01  # chance that any of all claims is refused though all are true
QUICK = 3  # times fewer trials
OPTIONS = {
    "--seed": {
        "type": int,
        "default": SEED,
        "help": f"the first seed, default {SEED:,}: no rule was tuned from there on",
    },
    "--minutes": {"type": float, "default": 20.0, "help": "a claim that is not begun by then is not measured"},
    "--write": {"metavar": "PAGE", "help": "write the table as a page, such as docs/claims.md"},
}


class Claim(NamedTuple):
    """One figure: where it stands, how it is measured, and of how many trials, there and here."""

    id: str
    page: str
    place: Callable[[], Place]
    kind: str  # difference, share, mean
    measure: Measure
    trials: int
    of: int | None = None  # trials of the stated figure, where it has no interval
    scale: float = 1.0
    words: Callable[[str, int | None], Stated] = figure

    def read(self) -> Stated:
        """The figure as it stands on the page; raises UsageError where the page has no such place."""
        return self.words(self.place().text, self.of)


class Judged(NamedTuple):
    claim: Claim
    stated: Stated
    found: Found  # at CONFIDENCE
    verdict: str


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
            of = int(cell(IMAGINATION, row, "n").text)
            kind, how = ("mean", partial(mean, rules, "ticks")) if steps else ("share", partial(share, rules, 100))
            found.append(_cell(IMAGINATION, row, "rules", kind, how, trials, of, 100))
            for column, team in TEAMS.items():
                if world == "warehouse" and column in ("`shuffled`", "`wrong`"):
                    continue  # they play to the tick limit, which takes minutes
                arm, fails = Arm(file, {**disturbed, **team}), cell(IMAGINATION, row, column).text.startswith(FAILS)
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


TEAMWORK, STATISTICS = "docs/teams.md", "docs/statistics.md"
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

    def say(lesson: str, text: str, kind: str, how: list[Measure | None], n: int, of: int | None = None) -> None:
        """A claim for each ``#`` of a text that a measure is given for."""
        scale = 100 if kind == "share" else 1
        for hole, each in enumerate(how):
            if each:
                key = f"lesson-{lesson[:2]}-{len(found)}"
                found.append(_text(key, name, text, kind, each, n, of, scale, hole))

    def arm(lesson: str, place: int, **chosen: str) -> Arm:
        return Arm(lesson, {label.replace("_", " "): option for label, option in chosen.items()}, place)

    def steps(lesson: str, **chosen: str) -> Measure:
        return partial(beside, arm(lesson, 0, **chosen), arm(lesson, 1, **chosen), "ticks")

    def points(lesson: str, **chosen: str) -> Measure:
        return partial(success_beside, arm(lesson, 0, **chosen), arm(lesson, 1, **chosen))

    def ticks(lesson: str, places=range(3), **chosen: str) -> list[Measure]:
        return [partial(mean, arm(lesson, place, **chosen), "ticks") for place in places]

    def shares(lesson: str, places, **chosen: str) -> list[Measure]:
        return [partial(share, arm(lesson, place, **chosen), 100) for place in places]

    model, horizon, button, nines = "01-world-model", "02-horizon", "03-renamed-button", "04-five-nines"
    say(model, "112 ticks instead of 124: #", "difference", [steps(model)], 40)
    say(model, "sticky floor #", "difference", [steps(model, Sticky_floor="A fifth of all steps fail")], 40)
    say(horizon, "0, 2, 5, 20 ticks ahead: #, #, #, #", "share", shares(horizon, range(4)), 100, 300)
    say(button, "100 %, then #", "share", shares(button, [1]), 500, 500)
    say(button, "80.8 %: #", "difference", [points(button)], 500)
    found.append(Claim("lesson-04", name, partial(sentence, name, "no failure: 99.90 % is shown"), "share",
                       partial(share, arm(nines, 0), 100), 3_000, 3_000, 100, _never_fails))  # fmt: skip
    crowd, manager = "05-more-colleagues", "06-manager-market"
    say(crowd, "8, **16**, 48 robots: #, #, # ticks", "mean", ticks(crowd), 60, 60)
    say(crowd, "**Planned** robots: #, #, #, so", "mean", ticks(crowd, Robots="Planned"), 60, 60)
    say(manager, "manager, market, silence: #, # and # ticks", "mean", ticks(manager), 100, 200)
    sent = [partial(mean, arm(manager, place), "messages") for place in range(2)]
    say(manager, "who never speaks; #, # and 0 messages", "mean", sent, 100, 200)
    say(manager, "star: #, #, 476", "mean", ticks(manager, range(2), Who_hears_whom="Star"), 100, 200)
    memory, thought, dice, wrong = "07-memory", "08-thought", "09-same-dice", "10-wrong-model"
    told = [partial(success_beside, arm(memory, 1), arm(memory, 0))]
    say(memory, "88.8 % without: #", "difference", told, 160)
    say(thought, "117 and 110 ticks, #", "difference", [steps(thought)], 40)
    say(dice, "# ticks, known to within", "difference", [steps(dice)], 200, 200)
    say(wrong, "# % without a model, # with the shuffled one", "share", shares(wrong, range(2)), 200, 200)
    return found


def _never_fails(text: str, of: int | None) -> Stated:
    return Stated(text, 100.0, trials=of)


def _web() -> list[Claim]:
    name = "benchmarks/RESULTS.md"

    def how(reasoner: str, **doses: float) -> Measure:
        doses = {f"perturb.{factor}": dose for factor, dose in doses.items()}
        told = {REASONER: reasoner, "world.max_ticks": 80, "agents.0.count": 2, **doses}
        return partial(share, Arm("imagination/web.toml", told), 1)

    said = [
        ("web-semantic-renamed", "(# with every label renamed", how("semantic", renamed_labels=1.0)),
        ("web-macro-renamed", "at # under renamed labels", how("rules", renamed_labels=1.0)),
        ("web-macro-ids", "and at # under changed ids", how("rules", changed_ids=1.0)),
    ]
    return [_text(key, name, text, "share", measure, 1_000, 1_000, 1) for key, text, measure in said]


def _statistics() -> list[Claim]:
    text, how = "(least: #, 40 pairs, 20 % differ, all one way)", partial(covered, 40, 0.2)
    return [_text("statistics-least-coverage", STATISTICS, text, "share", how, 4_000, None, 1)]


def _certificates() -> list[Claim]:
    name, found = "benchmarks/RESULTS.md", []
    for world in ("web", "warehouse"):
        row, how = f"`{world}.toml`", partial(certified, f"certify/{world}.toml")
        trials = int(cell(name, row, "trials").text.replace(",", ""))
        place = partial(cell, name, row, "failures")
        found.append(Claim(f"certificate-{world}", name, place, "share", how, 2_995, trials, 100, _failures))
    return found


def _failures(text: str, of: int | None) -> Stated:
    """Success in per cent."""
    return Stated(f"{text} failures of {of:,}", 100 * (1 - int(text) / of), trials=of)


def _cell(
    name: str, row: str, column: str, kind: str, measure: Measure, trials: int, of: int | None = None, scale: float = 1,
    place: str = "",
) -> Claim:  # fmt: skip
    parts = (Path(name).stem, place, row, column)
    key = "-".join("".join(c if c.isalnum() or c == "." else " " for c in part).strip() for part in parts if part)
    where = partial(cell, name, row, column)
    return Claim("-".join(key.split()), name, where, kind, measure, trials, of, scale)


def _text(
    key: str, name: str, text: str, kind: str, measure: Measure, trials: int, of: int | None, scale: float,
    hole: int = 0,
) -> Claim:  # fmt: skip
    return Claim(key, name, partial(sentence, name, text, hole), kind, measure, trials, of, scale)


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
        stated, trials = claim.read(), max(5, claim.trials // fewer)
        try:
            wide, plain = (claim.measure(run, trials, each) for each in (level, CONFIDENCE))
        except SandboxError as error:  # too few pairs: nothing can be told
            print(f"{claim.id}: {error}", file=sys.stderr)
            found.append(Judged(claim, stated, Found(np.nan, np.nan, np.nan, 0), UNCLEAR))
            continue
        found.append(Judged(claim, stated, plain, judge(stated, wide, plain, level, claim.kind, claim.scale)))
    return found


def row_of(judged: Judged) -> tuple[str, str, str, str, str, str]:
    claim, stated, now, verdict = judged
    digits = 0 if abs(now.value) >= 100 else 1 if claim.scale == 100 or abs(now.value) >= 10 else 3
    value, low, high = (f"{number:,.{digits}f}" for number in now[:3])
    return claim.id, claim.page, stated.text, f"{value} ({low} .. {high})", f"{now.trials:,}", verdict


def _counts(found: list[Judged]) -> dict[str, int]:
    return {verdict: sum(each.verdict == verdict for each in found) for verdict in (AGREES, REFUSED, UNCLEAR)}


PAGE = """# Claims, measured anew

This command wrote this page:

```sh
{command}
```

It measures the figures of the documents again, with fewer trials, on seeds from {seed:,} on. No rule, option or lesson
was chosen on seeds from {default:,} on. Give it seeds of yours with `--seed`.

{count} claims, {date}, {minutes:.0f} minutes on {cores} cores with a load of {load:.1f} at the end.

**{agrees} agree, {refused} do not, {unclear} cannot be told** with so few trials.

- **Stated** is read off the page itself. A test fails where a claim does not find its figure.
- **Now** is the new figure with its 95 % interval.
- **Agrees**: the two figures differ by no more than chance allows, at a level of {level:.4%}, which is 99 % for
  all {all} claims together (Bonferroni). If all claims are true, one is refused in at most one of a hundred runs. Both
  figures were measured, so the interval of their difference is made of both intervals (Donner and Zou 2012).
- **Cannot tell**: the figures do not contradict each other, but there are too few new trials. The new interval holds 0
  where the page claims a difference, or it is wider than a third of all shares, or than half of the figure.
- **Speeds** are no claims. They depend on the machine, and stand in [benchmarks/RESULTS.md](../benchmarks/RESULTS.md).
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
