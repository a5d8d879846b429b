"""RESULTS.md: a table for each area. Rows of a benchmark stand below one that says when they were measured."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.pages import cells, markdown, put, written
from benchmarks.report import COLUMNS, Figure, compact

PAGE = Path(__file__).with_name("RESULTS.md")
AREAS = {
    "speed": ("pace",), "start": ("start",), "worlds": ("warehouse", "kitchen", "wildfire", "craft", "web", "office"),
    "batches": ("batch", "record", "machines"), "learners": ("learners",),
    "agents": ("agents", "frameworks", "llm", "gemma", "imagination", "memory"), "teams": ("network",),
    "studio": ("studio", "endurance"),
}  # fmt: skip
SPEEDS = tuple(name for names in AREAS.values() for name in names)  # all benchmarks of speed


def write(name: str, note: str, figures: Sequence[Figure]) -> None:
    """Replace the rows of a benchmark in its table; ``note``: when, of what, under which load."""
    area = next(area for area, names in AREAS.items() if name in names)
    groups = of_benchmarks(written(PAGE.read_text(encoding="utf-8"))[area].text)
    groups[name] = [[f"**{name}**: {note}", *[""] * (len(COLUMNS) - 1)], *compact(figures)]
    put(PAGE, area, markdown(COLUMNS, [row for own in AREAS[area] for row in groups.get(own, ())]))


def of_benchmarks(text: str) -> dict[str, list[list[str]]]:
    """The rows of a table by benchmark."""
    groups: dict[str, list[list[str]]] = {}
    for row in cells(text)[1:]:
        if row[0].startswith("**"):
            own = groups[row[0].split("**")[1]] = []
        own.append(row)
    return groups
