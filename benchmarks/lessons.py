"""Every lesson as it stands: what comes out, and how long it takes; the table of ``docs/lessons.md``."""

from pathlib import Path

from benchmarks.report import console, table
from sandbox.trials.answers import measure
from sandbox.trials.lessons import lessons
from sandbox.trials.verdicts import told, words

PEERS = ()
FOLDER = Path(__file__).resolve().parents[1] / "scenarios" / "lessons"


def answers(quick: bool) -> None:
    """With the controls at their defaults; ``quick``: a tenth of the trials."""
    rows = []
    for lesson in lessons(FOLDER)[0]:
        asked, count = lesson.plan.measure, lesson.scenario().trials.count
        measure(lesson, trials=1)  # compiles
        found = measure(lesson, trials=max(1, count // 10) if quick else None)
        arms = "; ".join(f"{each.name} {told(asked.measure, each.value.value)}" for each in found.results)
        also = [f"{name} {' / '.join(told(name, each.also[name]) for each in found.results)}" for name in asked.also]
        beside = "; ".join([arms, *also])
        console.print(f"{lesson.name}: {words(asked, found)} [{beside}]", markup=False)
        rows.append([lesson.name, found.results[0].trials, arms, found.verdict, f"{found.seconds:.1f}"])
    table("Lessons: the measured answers", ["lesson", "trials", "arms", "verdict", "seconds"], rows)


PARTS = {"answers": answers}
