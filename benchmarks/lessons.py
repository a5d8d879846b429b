"""Every lesson: what comes out as it stands, the table of ``docs/lessons.md``; and how surely the same comes out again.

``--blocks 100`` asks whether a lesson has trials enough: its answer is measured on so many blocks of fresh seeds.
"""

from argparse import Namespace
from pathlib import Path

import numpy as np

from benchmarks.report import console, table
from sandbox.statistics import Estimate, success_rate
from sandbox.studies.answers import answer, measure, play_arms
from sandbox.studies.lessons import Lesson, lessons
from sandbox.studies.verdicts import told, words

PEERS = ()
FOLDER = Path(__file__).resolve().parents[1] / "scenarios" / "lessons"
OPTIONS = {
    "--blocks": {"type": int, "metavar": "N", "help": "how often the stated verdict comes out, on N fresh blocks"},
    "--lesson": {"metavar": "NAME", "help": "one lesson, such as 07-memory"},
    "--trials": {"type": int, "metavar": "N", "help": "of each arm; default: the lesson's own"},
    "--seed": {"type": int, "default": 7_000_000, "help": "the first seed; no rule was tuned on the default"},
}
STATED = {  # the verdict that docs/lessons.md states
    "01-world-model": "Looking ahead", "02-horizon": "20 ticks", "03-renamed-button": "Yesterday's site",
    "04-five-nines": "open", "05-more-colleagues": "16 robots", "06-talk": "Market", "07-memory": "With a map",
    "08-thought": "16 futures", "09-same-dice": "narrower", "10-wrong-model": "No model", "11-ceiling": "same",
    "12-deeper": "One step deep", "13-doubt": "Takes what is clearly better", "14-everybody-knows": "Assigned",
    "15-turns": "All at once", "16-lost-words": "rises", "17-team-curve": "peaks", "18-breaking-point": "falls",
    "19-whose-success": "With a script in reserve", "20-nobody-to-ask": "No rule", "21-two-ways": "same",
    "22-idle-colleague": "Seven", "23-how-dense": "peaks",
    "24-half-checked": "falls", "25-spectacle": "same",
}  # fmt: skip
ENOUGH = 0.95  # of blocks
DRAWN = 400  # blocks that are drawn from the trials there are, to find how many trials would do
MOST = 8  # times the trials: beyond, a lesson takes too long for a class


def main(asked: Namespace) -> None:
    """Both tables, of all lessons or one."""
    chosen = [each for each in lessons(FOLDER)[0] if asked.lesson in (None, each.name)]
    if not chosen:
        raise SystemExit(f"--lesson: no lesson '{asked.lesson}'; there are {', '.join(STATED)}")
    (_power if asked.blocks else _answers)(chosen, asked)


def _answers(chosen: list[Lesson], asked: Namespace) -> None:
    """With the controls at their defaults; ``quick``: a tenth of the trials."""
    rows = []
    for lesson in chosen:
        plan, count = lesson.plan.measure, asked.trials or lesson.scenario().trials.count
        measure(lesson, trials=1)  # compiles
        found = measure(lesson, trials=max(1, count // 10) if asked.quick else count)
        arms = "; ".join(f"{each.name} {told(plan.measure, each.value.value)}" for each in found.results)
        also = [f"{name} {' / '.join(told(name, each.also[name]) for each in found.results)}" for name in plan.also]
        beside = "; ".join([arms, *also])
        console.print(f"{lesson.name}: {words(plan, found)} [{beside}]", markup=False)
        rows.append([lesson.name, found.results[0].trials, arms, found.verdict, f"{found.seconds:.1f}"])
    table("Lessons: the measured answers", ["lesson", "trials", "arms", "verdict", "seconds"], rows)


def _power(chosen: list[Lesson], asked: Namespace) -> None:
    rows = []
    for lesson in chosen:
        count = asked.trials or lesson.scenario().trials.count
        shares, seconds = power(lesson, count, asked.blocks, asked.seed)
        (share, verdicts), *more = shares.values()
        others = ", ".join(f"{name} {n}" for name, n in verdicts.items() if name != STATED[lesson.name])
        doubled = ", ".join(f"{n} trials {value.value:.1%}" for n, (value, _) in list(shares.items())[1:])
        row = [
            lesson.name,
            STATED[lesson.name],
            count,
            f"{round(share.value * asked.blocks)} of {asked.blocks}",
            f"{share.low:.3f} .. {share.high:.3f}",
            others or "-",
            doubled or "-",
            f"{seconds / asked.blocks:.1f}",
        ]
        console.print(*row, sep="; ")
        rows.append(row)
    columns = ["lesson", "stated", "trials", "blocks", "95 % interval", "else", "with more, drawn", "seconds a block"]
    table(f"How often the stated answer comes out, seeds from {asked.seed:,} on", columns, rows)


def power(lesson: Lesson, count: int, blocks: int, seed: int) -> tuple[dict[int, tuple[Estimate, dict]], float]:
    """By trials of an arm: the share of blocks in which the stated verdict comes out, and how often each one did.

    The first entry is of ``blocks`` that share no seed. Where too few of them say what is stated, further ones double
    the trials, of blocks drawn from all that were played. Also the seconds of playing.
    """
    scenarios = [lesson.scenario(arm) for arm in lesson.plan.measure.arms]
    played, seconds = play_arms(scenarios, range(seed, seed + blocks * count), lambda _: None, lambda: False)

    def verdict(places) -> str:
        return answer(lesson, scenarios, [[arm[k] for k in places] for arm in played]).verdict

    def share(verdicts: list[str]) -> tuple[Estimate, dict]:
        names = {name: verdicts.count(name) for name in dict.fromkeys(verdicts)}
        return success_rate(names.get(STATED[lesson.name], 0), len(verdicts)), names

    found = {count: share([verdict(range(k * count, (k + 1) * count)) for k in range(blocks)])}
    rng, trials = np.random.default_rng(seed), count
    while found[trials][0].value < ENOUGH and trials < MOST * count:
        trials *= 2
        found[trials] = share([verdict(rng.integers(0, blocks * count, trials)) for _ in range(DRAWN)])
    return found, seconds
