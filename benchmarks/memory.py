"""Memory: how long a fact that was perceived once stands in what the model is sent; how long a search takes."""

import time
from statistics import median

import numpy as np

from benchmarks.report import console, met, table
from sandbox.agents.memory.minds import memory_for
from sandbox.agents.memory.options import MemoryOptions, Weights
from sandbox.agents.memory.store import Entry, Store
from sandbox.statistics import success_rate

CONTEXT = 2_000  # tokens
AGES = (1, 3, 10, 30, 100, 300, 1000)  # ticks between what was perceived and the question
KINDS = ("none", "window", "blocks")
THINGS = ("locker", "gate", "safe", "hatch", "drawer", "cabinet")
PLACES = ("corridor", "cellar", "yard", "hall", "loading dock", "canteen", "stairway", "roof")
SIGHTS = ("a broom", "two crates", "a red pipe", "a puddle", "a closed door", "a trolley", "a lamp", "a bent shelf")
SEARCH_MS, ENTRIES = 10.0, 100_000


def life(seed: int, ages: tuple[int, ...], versions: int = 1) -> tuple[list[str], dict[int, tuple[str, str]]]:
    """What is perceived in each tick, and for each age the question about the fact perceived then, and its answer.

    Every fifth tick shows a code of something else, told in the same words. Of several ``versions`` of a fact the
    earlier ones, with codes that hold no more, were perceived at any time before; so the life is twice as long.
    """
    rng = np.random.default_rng(seed)
    names = [f"{thing} {number}" for thing in THINGS for number in range(100, 1000)]
    rng.shuffle(names)
    ticks, asked = (1 if versions == 1 else 2) * max(ages) + 1, {}
    views = [_view(rng, _note(rng, names.pop()) if rng.random() < 0.2 else "") for _ in range(ticks)]
    free = {*range(ticks)} - {ticks - age for age in ages}
    for age in ages:
        name, code = names.pop(), str(rng.integers(10**5, 10**6))
        views[ticks - age] = _view(rng, f"A note says: {name} opens with {code}.")
        asked[age] = _view(rng, f"You stand before {name}. It asks for the code that opens it."), code
        if versions > 1:
            for tick in rng.choice(sorted(k for k in free if k < ticks - age), versions - 1, replace=False):
                free.remove(int(tick))
                views[tick] = _view(rng, _note(rng, name))
    return views, asked


def _note(rng: np.random.Generator, name: str) -> str:
    return f"A note says: {name} opens with {rng.integers(10**5, 10**6)}."


def _view(rng: np.random.Generator, more: str) -> str:
    row, col = rng.integers(40, size=2)
    sights = ", ".join(rng.choice(SIGHTS, 3, replace=False))
    return f"You are in the {rng.choice(PLACES)}, at row {row}, column {col}. You see {sights}. {more}".strip()


def told(kind: str, seed: int, ages: tuple[int, ...] = AGES) -> list[bool]:
    """For each age, whether the fact stands in what the model would be sent."""
    views, asked = life(seed, ages)
    memory = memory_for(MemoryOptions(kind=kind, context=CONTEXT))
    for tick, view in enumerate(views):
        memory.remember(tick, view, "walk on", "to look around")
    return [asked[age][1] in memory.context(asked[age][0]) for age in ages]


def facts(quick: bool) -> None:
    """The share of facts that are told, by kind of memory and by age, with exact 95 % intervals."""
    trials = 20 if quick else 200  # the score was chosen on seeds from 1000 on
    rows = []
    for kind in KINDS:
        found = np.array([told(kind, seed) for seed in range(trials)]).sum(axis=0)
        rates = [success_rate(int(n), trials) for n in found]
        rows.append([kind, *(f"{rate.value:.3g} ({rate.low:.2f}..{rate.high:.2f})" for rate in rates)])
    columns = ["memory", *(f"{age} ticks" for age in AGES)]
    table(f"Facts told, {trials} lives, a context of {CONTEXT:,} tokens", columns, rows)


def search(quick: bool) -> None:
    """The best ten of 100,000 entries."""
    entries = Store(Weights(), 0.995)
    rng = np.random.default_rng(0)
    for tick in range(ENTRIES):
        note = f"A note says: {rng.choice(THINGS)} {rng.integers(10**5)} opens with {rng.integers(10**6)}."
        entries.add(Entry(tick, _view(rng, note)))
    start = time.perf_counter()
    entries.search("first", 10)
    console.print(f"{ENTRIES:,} entries indexed in {time.perf_counter() - start:.1f} s")
    costs = []
    for _ in range(30 if quick else 200):
        query = f"You stand before {rng.choice(THINGS)} {rng.integers(10**5)}. It asks for the code that opens it."
        start = time.perf_counter()
        entries.search(query, 10, ENTRIES)
        costs.append(1000 * (time.perf_counter() - start))
    console.print(f"top 10 of {ENTRIES:,}: median {median(costs):.2f} ms, 95th percentile "
                  f"{np.percentile(costs, 95):.2f} ms; {met(median(costs), SEARCH_MS, at_least=False)}")  # fmt: skip


PEERS = ()
PARTS = {"facts": facts, "search": search}
