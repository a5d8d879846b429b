"""Claims that are measured again, judged, and written as a page."""

import os
import sys
import tempfile
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any, NamedTuple

import numpy as np

from benchmarks.measured import Measure, Run
from benchmarks.stated import AGREES, REFUSED, UNCLEAR, Found, Place, Stated, figure, judge
from sandbox.core.errors import SandboxError
from sandbox.engine.pool import cores
from sandbox.statistics import CONFIDENCE

SEED = 7_000_000  # no rule, option or lesson was chosen on seeds from here on


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
    claim: Claim | int  # its place among the chosen ones, while it is under way
    stated: Stated
    found: Found  # at CONFIDENCE
    verdict: str


class Terms(NamedTuple):
    """How claims are measured."""

    seed: int
    level: float  # that holds for all claims together
    fewer: int  # times fewer trials
    end: float  # seconds of time.monotonic; what is not begun by then is not measured
    folder: Path


def measured(chosen: Sequence[Claim], terms: Terms, workers: int | None = None) -> list[Judged]:
    """The claims that are begun in time, judged, in their order; by a process for each core.

    Claims whose names begin alike share trials, so one process measures them one after the other.
    """
    places = groupby(range(len(chosen)), key=lambda k: chosen[k].id.split("-")[:2])
    parts = [list(own) for _, own in places]
    context = get_context("fork")  # what is chosen holds functions, which cannot be sent
    with ProcessPoolExecutor(workers or cores(), context, _begin, (chosen, terms)) as crew:
        return [each._replace(claim=chosen[each.claim]) for some in crew.map(_part, parts) for each in some]


_own: dict[str, Any] = {}  # of a process


def _begin(chosen: Sequence[Claim], terms: Terms) -> None:
    run = Run(terms.seed, Path(tempfile.mkdtemp(dir=terms.folder)))
    _own.update(chosen=chosen, terms=terms, run=run)


def _part(places: Sequence[int]) -> list[Judged]:
    """Claims by their places, which stand for them."""
    found, (chosen, terms, run) = [], _own.values()
    for place in places:
        if time.monotonic() > terms.end:
            break
        claim, began, busy = chosen[place], time.monotonic(), time.process_time()
        stated, trials = claim.read(), max(5, claim.trials // terms.fewer)
        try:
            wide, plain = (claim.measure(run, trials, each) for each in (terms.level, CONFIDENCE))
            verdict = judge(stated, wide, plain, terms.level, claim.kind, claim.scale)
        except SandboxError as error:  # too few pairs: nothing can be told
            print(f"{claim.id}: {error}", file=sys.stderr)
            plain, verdict = Found(np.nan, np.nan, np.nan, 0), UNCLEAR
        except Exception as error:  # the others are not lost
            print(f"{claim.id}: not measured: {type(error).__name__}: {error}", file=sys.stderr)
            plain, verdict = Found(np.nan, np.nan, np.nan, 0), UNCLEAR
        found.append(Judged(place, stated, plain, verdict))
        took = f"{time.monotonic() - began:.1f} s, {time.process_time() - busy:.1f} s of CPU"
        print(f"{claim.id}: {verdict}, {took}", file=sys.stderr, flush=True)
    return found


def row_of(judged: Judged) -> tuple[str, str, str, str, str, str]:
    claim, stated, now, verdict = judged
    digits = 0 if abs(now.value) >= 100 else 1 if claim.scale == 100 or abs(now.value) >= 10 else 3
    value, low, high = (f"{number:,.{digits}f}" for number in now[:3])
    told = (f"{value} ({low} .. {high})", f"{now.trials:,}") if now.trials else (value, "computed")
    return claim.id, claim.page, stated.text, *told, verdict


def counts_of(found: list[Judged]) -> dict[str, int]:
    return {verdict: sum(each.verdict == verdict for each in found) for verdict in (AGREES, REFUSED, UNCLEAR)}


PAGE = """# Claims, measured anew

This page was written by this command:

```sh
{command}
```

It measures the figures of the documents again, with fewer trials, on seeds from {seed:,} on. No rule, option or lesson
was chosen on seeds from {default:,} on. Set other seeds with `--seed`.

{count} claims, {date}: {minutes:.0f} minutes on {cores} cores with a load of {load:.1f} at the end, {used:.0f} minutes
of processor time, compiling included.

**{agrees} agree, {refused} do not, {unclear} are undecided** with so few trials.

- **Stated** is the figure on the page, read from the page. A test fails if a claim does not find its figure.
- **Now** is the new figure with its 95 % interval.
- **Agrees**: the two figures differ by no more than chance allows, at a level of {level:.4%}, which is 99 % for
  all claims together (Bonferroni). If all claims are true, at most one run in a hundred refuses one. Both figures
  were measured, so the interval of their difference is computed from both intervals (Donner and Zou 2012).
- **Cannot tell**: the figures do not contradict each other, but there are too few new trials. The new interval holds 0
  where the page claims a difference, or it is wider than a third of all shares, or than half of the figure.
- **Speeds** are not claims, because they depend on the machine. [benchmarks/RESULTS.md](../benchmarks/RESULTS.md)
  lists them.
{refusals}
| claim | page | stated | now | trials | verdict |
|---|---|---|---|---|---|
{rows}

## Not measured here

{late}{missing}
"""


def written(
    found: Sequence[Judged], late: Sequence[Claim], asked: Namespace, level: float, minutes: float, left: Sequence[str]
) -> str:  # fmt: skip
    """The page: what was found, the claims that were not begun in time, and lines on what no claim measures."""
    counts = counts_of(found)
    refused = [each for each in found if each.verdict == REFUSED]
    options = {"--only": asked.only, "--quick": asked.quick and "", "--minutes": f"{asked.minutes:g}" if late else None}
    more = "".join(f" {option} {value}".rstrip() for option, value in options.items() if value not in (None, False))
    command = f"python -m benchmarks claims --seed {asked.seed}{more} --write {asked.write}"
    return PAGE.format(
        seed=asked.seed, command=command, default=SEED, date=f"{datetime.now(UTC):%d %B %Y}",
        minutes=minutes, used=sum(getrusage(RUSAGE_CHILDREN)[:2]) / 60, cores=cores(), load=os.getloadavg()[0],
        count=len(found),
        agrees=counts[AGREES], refused=counts[REFUSED], unclear=counts[UNCLEAR], level=level,
        refusals="".join(f"- Does not agree: `{each.claim.id}`.\n" for each in refused),
        rows="\n".join(f"| {' | '.join(_linked(row_of(each)))} |" for each in found),
        late="".join(
            f"- `{name}`: {n} claims, not begun within {asked.minutes:.0f} minutes.\n"
            for name, n in Counter(claim.page for claim in late).items()
        ),
        missing="\n".join(f"- {line}" for line in left),
    )  # fmt: skip


def _linked(row: tuple[str, ...]) -> tuple[str, ...]:
    key, name, *more = row
    place = f"../{name}" if not name.startswith("docs/") else name.removeprefix("docs/")
    return f"`{key}`", f"[{Path(name).stem}]({place})", *more
