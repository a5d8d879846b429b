"""Memory: how long a fact that was perceived once stands in what the model is sent; how long a search takes."""

import time

import numpy as np

from benchmarks.report import Figure, at_most, table
from sandbox.agents.memory.group import memory_for
from sandbox.agents.memory.options import MemoryOptions, Weights
from sandbox.agents.memory.search import Entry, Store
from sandbox.statistics import success_rate

CONTEXT = 2_000  # tokens
AGES = (1, 3, 10, 30, 100, 300, 1000)  # ticks between what was perceived and the question
KINDS = ("none", "window", "blocks")
SCORES = {
    "as by default": {},
    "relevance alone": {"weights": Weights(recency=0, importance=0)},
    "recency, no importance": {"weights": Weights(relevance=3, recency=0.5, importance=0), "decay": 0.995},
    "as in Generative Agents": {"weights": Weights(relevance=3, recency=0.5, importance=2), "decay": 0.995},
}
LIVES = {  # ages, versions of each fact, and whether all is archived
    "told once": (AGES, 1, False), "changed": ((30, 100, 300), 6, False), "put away": (AGES, 1, True)
}  # fmt: skip
FRESH = 900_000  # the first seed; the score was chosen on seeds from 1,000 to 3,000
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


def told(
    kind: str, seed: int, ages: tuple[int, ...] = AGES, versions: int = 1, archived: bool = False, **options
) -> list[bool]:
    """For each age, whether the fact stands in what the model would be sent; ``options`` of the memory.

    What is ``archived`` is not remembered but put away, with an importance that is drawn: it says nothing.
    """
    views, asked = life(seed, ages, versions)
    memory = memory_for(MemoryOptions(kind=kind, context=CONTEXT, **options))
    importance = np.random.default_rng(seed + 1).integers(1, 11, len(views))
    for tick, view in enumerate(views):
        if archived:
            memory.now = tick
            memory.archival_insert(view, int(importance[tick]))
        else:
            memory.remember(tick, view, "walk on", "to look around")
    return [asked[age][1] in memory.context(asked[age][0]) for age in ages]


def facts(quick: bool) -> None:
    """The share of facts that are told, by kind of memory and by age, with exact 95 % intervals."""
    trials = 20 if quick else 100
    rows = [[kind, *_shares([told(kind, FRESH + k) for k in range(trials)])] for kind in KINDS]
    columns = ["memory", *(f"{age} ticks" for age in AGES)]
    table(f"Facts told, {trials} lives, a context of {CONTEXT:,} tokens", columns, rows)


def weights(quick: bool) -> None:
    """The same of ``blocks`` by what an entry's score is made of, for each of LIVES."""
    trials = 10 if quick else 100
    for words, (ages, versions, archived) in LIVES.items():
        rows = []
        for name, options in SCORES.items():
            lives = [told("blocks", FRESH + k, ages, versions, archived, **options) for k in range(trials)]
            rows.append([name, *_shares(lives)])
        table(f"Facts told, {words}, {trials} lives", ["score", *(f"{age} ticks" for age in ages)], rows)


def _shares(lives: list[list[bool]]) -> list[str]:
    rates = [success_rate(int(n), len(lives)) for n in np.sum(lives, axis=0)]
    return [f"{rate.value:.3g} ({rate.low:.2f}..{rate.high:.2f})" for rate in rates]


def search(quick: bool) -> list[Figure]:
    """The best ten of 100,000 entries."""
    entries = Store(Weights(), 0.995)
    rng = np.random.default_rng(0)
    for tick in range(ENTRIES):
        note = f"A note says: {rng.choice(THINGS)} {rng.integers(10**5)} opens with {rng.integers(10**6)}."
        entries.add(Entry(tick, _view(rng, note)))
    start = time.perf_counter()
    entries.search("first", 10)
    indexed, rounds = time.perf_counter() - start, []
    for _ in range(3 if quick else 5):
        costs = []
        for _ in range(10 if quick else 40):
            query = f"You stand before {rng.choice(THINGS)} {rng.integers(10**5)}. It asks for the code that opens it."
            start = time.perf_counter()
            entries.search(query, 10, ENTRIES)
            costs.append(1000 * (time.perf_counter() - start))
        rounds.append(costs)
    middle, late = ([float(np.quantile(costs, share)) for costs in rounds] for share in (0.5, 0.95))
    return [
        Figure(f"the best 10 of {ENTRIES:,}: median", "ms", middle, target=at_most(SEARCH_MS)),
        Figure(f"the best 10 of {ENTRIES:,}: 95th percentile", "ms", late),
        Figure(f"{ENTRIES:,} entries indexed", "s", [indexed]),
    ]


PEERS = ()
SPEEDS = {"search": search}
PARTS = {"facts": facts, "weights": weights}
