"""The steady speed of every world, in ticks for each second of CPU; with ``--beside PATH`` also of another tree.

Each round starts a process for each tree in turn, with that tree's own modules, on the same seeds. SHA-256 over each
array of the last states shows whether both play the same; arrays that only one of them has do not count.
"""

import json
from pathlib import Path

from benchmarks.report import Figure, console, times
from benchmarks.trees import BESIDE, printed, trees

PEERS = ()
OPTIONS = BESIDE | {
    "--case": {"metavar": "WORDS", "help": "only cases that begin so, such as 'kitchen rules'"},
    "--rounds": {"type": int, "metavar": "N", "help": "instead of seven, or three if quick"},
}
UNIT = "ticks/CPU s"
RWARE = {"board": False, "deliveries": 0, "max_ticks": 500}  # an episode of RWARE's
BEFORE = "cf78cfd"  # the commit that targets refer to
CASES = {  # world, options, policy, episodes, ticks of each; about a third of a second
    "warehouse tiny-4 random": ("warehouse", {"layout": "tiny", "agents": 4, **RWARE}, "random", 1600, 500),
    "warehouse small-8 random": ("warehouse", {"layout": "small", "agents": 8, **RWARE}, "random", 600, 500),
    "warehouse random": ("warehouse", {}, "random", 1000, 500),
    "warehouse rules": ("warehouse", {}, "rules", 1000, 500),
    "kitchen random": ("kitchen", {}, "random", 4000, 400),
    "kitchen rules": ("kitchen", {}, "rules", 6000, 400),
    "wildfire random": ("wildfire", {}, "random", 150, 200),
    "wildfire rules": ("wildfire", {}, "rules", 150, 200),
    "craft random": ("craft", {}, "random", 150, 300),
    "craft rules": ("craft", {}, "rules", 150, 300),
    "web random": ("web", {}, "random", 15000, 99),
    "web rules": ("web", {}, "rules", 90000, 99),
    "office random": ("office", {}, "random", 1200, 1000),
    "office rules": ("office", {}, "rules", 1200, 1000),
    "rooms random": ("rooms", {}, "random", 100, 200),
    "rooms rules": ("rooms", {}, "rules", 100, 200),
}
TARGETS = dict.fromkeys(CASES, times(1.5)) | dict.fromkeys(list(CASES)[:2], times(2.4))
# What trees of all ages have in common: ``make``, and ``play``, which returns the state first.
CODE = """
import hashlib, json, sys, time
import sandbox
world, options, policy, episodes, ticks = json.loads(sys.argv[1])
env = sandbox.make(world, **options)
state = env.play(range(100, 164), policy, ticks=ticks)[0]
played = {name: hashlib.sha256(field.tobytes()).hexdigest() for name, field in state._asdict().items()}
best = 0.0
for _ in range(3):
    begun = time.process_time()
    state = env.play(range(100, 100 + episodes), policy, ticks=ticks)[0]
    best = max(best, float(state.tick.sum()) / (time.process_time() - begun))
print(json.dumps([best, played]))
"""


def pace(tree: Path, case: tuple) -> tuple[float, dict[str, str]]:
    """Ticks of episodes for each second of CPU on one thread, resets and observations included; and digests of arrays.

    The best of three: what else the machine does only takes away.
    """
    return tuple(json.loads(printed(tree, CODE, json.dumps(case))))


def steady(quick: bool, beside: str | None, case: str | None, rounds: int | None) -> list[Figure]:
    """Of each case, the trees in turns; and whether they played the same episodes."""
    figures, differ, measured = [], [], trees(beside)
    for name in [name for name in CASES if name.startswith(case or "")]:
        found = {tree: [] for tree in measured}
        for _ in range(rounds or (3 if quick else 7)):
            for tree, path in measured.items():
                found[tree].append(pace(path, CASES[name]))
        this, *other = [Figure(tree, UNIT, [rate for rate, _ in each]) for tree, each in found.items()]
        target = TARGETS[name] if BEFORE in found else None
        figures.append(Figure(name, UNIT, this.values, other[0] if other else None, target))
        if not alike([played for each in found.values() for _, played in each]):
            differ.append(name)
    if beside:
        told = f"other episodes than there: {', '.join(differ)}" if differ else "the same episodes, by their digests"
        console.print(f"{len(figures)} cases: {told}")
    return figures


def alike(played: list[dict[str, str]]) -> bool:
    """Whether the arrays that all have are equal."""
    common = set.intersection(*({*each} for each in played))
    return bool(common) and all(each[name] == played[0][name] for each in played for name in common)


SPEEDS = {"steady": steady}
