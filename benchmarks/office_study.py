"""Half the time with little oversight? The office's study: every arm in every condition, beside people only.

What an arm is, what is claimed and by which rules it is refused stands in ``docs/office.md``, and stood there first.
"""

import time
from argparse import Namespace
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from benchmarks.half_the_time import (
    ARMS,
    CLAIMED,
    HALF,
    NOBODY,
    NOT_DONE,
    PEOPLE,
    Balance,
    Judged,
    at_most,
    break_even,
    counted,
    judge,
    measured,
    reduction,
    wages,
)
from benchmarks.pages import DOCS, number, show
from benchmarks.report import console
from sandbox.agents.llm.options import Options
from sandbox.agents.llm.prompts import Prompts
from sandbox.core.decision import Percept
from sandbox.engine.environment import Environment
from sandbox.engine.episode import Episode
from sandbox.report.figures import STYLE, legend, look, save
from sandbox.running.episodes import lanes_at_once
from sandbox.scenario import Scenario, load
from sandbox.scenario.load import overridden
from sandbox.statistics import CONFIDENCE
from sandbox.worlds.office.state import DAY, Phase, Verb

PEERS = ("scipy",)
PAGE, FILE = "office.md", Path(__file__).resolve().parents[1] / "scenarios" / "office" / "half-the-time.toml"
LETTERS = 4  # characters of a token, roughly, in English and in JSON
REPLY = 60  # tokens that a model writes for a decision: a verb, a tray, and a reason in a sentence
PRICES = {"small": (0.1, 0.4), "middle": (1.0, 4.0), "large": (5.0, 25.0)}  # euros a million tokens, read and written
QUICK = 4  # seeds
MEASURED = 300_000  # the first seed; no rule was tuned from there on
TUNING = 1  # the seed on which words are counted
OPTIONS = {
    "--seed": {"type": int, "default": MEASURED, "help": f"the first seed, default {MEASURED:,}"},
    "--prices": {"nargs": 2, "type": float, "metavar": ("IN", "OUT"),
                 "help": "euros a million tokens of one more model in the table of costs"},
    "--reply": {"type": int, "default": REPLY, "help": f"tokens that a model writes for a decision, default {REPLY}"},
}  # fmt: skip


class Played(NamedTuple):
    """An arm in one condition, over all seeds."""

    balance: Balance
    wages: np.ndarray  # (S,) euros a case
    calls: np.ndarray  # (S,) actions that agents have begun, a case


class Condition(NamedTuple):
    """What all arms share."""

    load: float
    dosed: bool

    def __str__(self) -> str:
        return f"{'dosed' if self.dosed else 'clean'}, {self.load:g}".replace("0.", ".")


# -- playing


def play(env: Environment, policies: list[str], seeds: range) -> Played:
    """Some seeds of one arm, so many lanes at once as fit into 64 MiB."""
    parts, step = [], lanes_at_once(env)
    for first in range(0, len(seeds), step):
        state, stats = env.play(seeds[first : first + step], policies, threads=None)
        acted = (state.tick[:, None] - stats.idle).sum(axis=1) / env.params.cases
        parts.append((measured(state, env.params), wages(env.params, state.worked), acted))
    balances, *others = zip(*parts, strict=True)
    joined = Balance(*(np.concatenate(each) for each in zip(*balances, strict=True)))
    return Played(joined, *(np.concatenate(each) for each in others))


def study(scenario: Scenario, count: int) -> dict[Condition, dict[str, Played]]:
    """Every arm in every condition on the first ``count`` seeds of the scenario."""
    found: dict[Condition, dict[str, Played]] = {}
    seeds = range(scenario.seed, scenario.seed + count)
    for k, each in enumerate(overridden(scenario)):
        condition = Condition(each.world.model_dump()["load"], bool(each.perturb))
        arms = found.setdefault(condition, {})
        env, policies = each.env(), [group.policy for group in each.roster()]
        arms[ARMS[k % len(ARMS)]] = play(env, policies, seeds)
    return found


# -- words


class Words(NamedTuple):
    """What a language model in the place of the rules would read and write, in tokens of a call."""

    before: float  # instructions and tools, the same in every call
    told: float  # what an agent sees
    calls: float  # for an action that is begun: waits with a choice are asked for, too

    def euros(self, price: tuple[float, float], reply: int) -> float:
        """Of an action that is begun."""
        return self.calls * ((self.before + self.told) * price[0] + reply * price[1]) / 1e6


def words() -> Words:
    """Counted in an episode of agents only, from the requests that they would send."""
    team = dict.fromkeys(("agents.0.reasoner", "agents.1.reasoner"), "rules")
    scenario = load(FILE, {"sweep": {}, "world.cases": 200, "world.people": 0, "world.load": 0.8, **team})
    env, told, begun = scenario.env(), [], 0
    prompts = Prompts(Options(model="openai:any"), env, "clerk")
    episode = Episode(env, TUNING, [group.policy for group in scenario.roster()])
    while not episode.state.done[0]:
        episode.sense()
        episode.choose()
        begun += int((episode.actions[0, :, 0] != Verb.WAIT).sum())
        for agent in np.flatnonzero(episode.observation.mask[0].sum(axis=1) > 1).tolist():
            percept = Percept.of(episode.observation, agent, int(episode.state.tick[0]))
            told.append(len(prompts.turn(prompts.words(percept))))
        episode.act()
        episode.end_tick()
    return Words(prompts.setup().size / LETTERS, float(np.mean(told)) / LETTERS, len(told) / begun)


# -- tables

Found = dict[Condition, dict[str, Played]]
LETTER = {"time": "T", "time where both are right": "B", "people's minutes": "P", "escapes": "E"}
MIDDLE = 0.8  # the load of the tables of one load


def judged(found: Found, outside: bool) -> dict[tuple[str, Condition], Judged]:
    """Every arm with agents in every condition; the intervals hold together, over both clocks."""
    together = 1 - (1 - CONFIDENCE) / (2 * len(CLAIMED) * len(found))
    return {
        (arm, condition): judge(arms[arm].balance, arms[PEOPLE].balance, outside, together)
        for condition, arms in found.items()
        for arm in CLAIMED
    }


def _percent(value: float) -> str:
    return f"{number(100 * value, 0)} %"


def verdicts(found: Found, quick: bool) -> None:
    """The reduction of each arm, and whether the claim is earned: without outside wait, and with it."""
    for key, outside in (("office", False), ("elapsed", True)):
        rows, told = [], judged(found, outside)
        for arm in ARMS[2:]:
            cells = []
            for condition, arms in found.items():
                own = told.get((arm, condition))
                value = own.reduction if own else reduction(arms[arm].balance, arms[PEOPLE].balance, outside)
                ends = f" ({number(100 * value.low, 0)} .. {number(100 * value.high, 0)})"
                shown = f"{_percent(value.value)}{ends}"
                why = "".join(LETTER[each] for each in own.refused) if own else ""
                cells.append(f"**{shown}**" if own and not why else f"{shown} {why}".strip())
            rows.append([arm, *cells])
        show(PAGE, key, [f"{'with' if outside else 'without'} outside wait", *map(str, found)], rows, quick)
        earned = sum(not each.refused for each in told.values())
        console.print(f"{'with' if outside else 'without'} outside wait: earned in {earned} of {len(told)}")


def splits(found: Found, quick: bool) -> None:
    """Where the time goes at one load, in hours a case; the columns add up to the last but one."""
    for dosed in (False, True):
        arms, rows = found[Condition(MIDDLE, dosed)], []
        for name, played in arms.items():
            parts = counted(played.balance, False).mean(axis=(0, 1)) / 60
            office = [*parts[: Phase.OUTSIDE], parts[NOT_DONE]]
            whole = counted(played.balance, True).mean(axis=(0, 1)).sum() / DAY
            rows.append([name, *(number(hours) for hours in office), number(sum(office)), number(whole)])
        columns = ["hours an order", "touch", "queue", "hand-over", "rework", "not done", "all", "with outside, days"]
        show(PAGE, f"split-{'dosed' if dosed else 'clean'}", columns, rows, quick)


def errors(found: Found, quick: bool) -> None:
    """Work, and what goes wrong, at one load."""
    for dosed in (False, True):
        rows = []
        for name, played in found[Condition(MIDDLE, dosed)].items():
            own = played.balance
            escaped, cases, must = int(own.escaped.sum()), own.escaped.size, own.infeasible
            rows.append([
                name, number(own.people.mean()), number(own.agents.mean()), f"{100 * own.right.mean():.1f} %",
                f"{escaped:,} of {cases:,}", f"{100 * at_most(escaped, cases):.2f} %",
                f"{int(own.right[must].sum()):,} of {int(must.sum()):,}" if must.any() else "",
                f"{own.euros.mean():,.0f}",
            ])  # fmt: skip
        columns = ["an order", "people's minutes", "agents' minutes", "correct", "escapes", "at most",
                   "infeasible, refused", "euros wrong"]  # fmt: skip
        show(PAGE, f"errors-{'dosed' if dosed else 'clean'}", columns, rows, quick)


PRICED = (PEOPLE, "people + macro", "people + one more", "agents + 1 person, review 0", "agents + 1 person, review .5",
          "agents + 1 person, review 1", "agents only")  # fmt: skip


def costs(found: Found, own: Words, asked: Namespace) -> None:
    """Euros a case at one load, clean, by the price of tokens; and the price of a call at which an arm breaks even."""
    prices = PRICES | ({"asked": tuple(asked.prices)} if asked.prices else {})
    arms, rows = found[Condition(MIDDLE, False)], []
    base = float(arms[PEOPLE].wages.mean())
    for name in PRICED:
        paid, calls = float(arms[name].wages.mean()), float(arms[name].calls.mean()) * own.calls
        calls = calls if name in CLAIMED else 0.0  # a macro asks nobody
        totals = [paid + calls * own.euros(price, asked.reply) / own.calls for price in prices.values()]
        even = number(100 * break_even(paid, base, calls)) if calls else ""
        rows.append([name, number(paid, 2), number(calls), *(number(total, 2) for total in totals), even])
    columns = ["euros an order", "wages", "calls", *(f"with {name}" for name in prices), "breaks even, cents a call"]
    show(PAGE, "costs", columns, rows, asked.quick or bool(asked.prices))


# -- figures


def draw_times(found: Found) -> Figure:
    """The reduction against the load, clean and dosed, with the half that is claimed."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 4.2), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        names = ("people + one more", "agents + 1 person, review 0", "agents + 1 person, review 1", "agents only",
                 "uneven agents only")  # fmt: skip
        for axis, dosed in zip(panels, (False, True), strict=True):
            own = {each.load: arms for each, arms in found.items() if each.dosed == dosed}
            for k, name in enumerate(names):
                values = [reduction(arms[name].balance, arms[PEOPLE].balance, False) for arms in own.values()]
                value, low, high = (100 * np.array(each) for each in zip(*values, strict=True))
                style = look(k)
                axis.fill_between(list(own), low, high, color=style["color"], alpha=0.18, linewidth=0)
                axis.plot(list(own), value, **style, markersize=4.5, label=name)
            axis.axhline(100 * HALF, color="#5b6470", linestyle=":", linewidth=1.2, label="half, as claimed")
            axis.set_title("dosed documents" if dosed else "clean documents", fontsize=11)
            axis.set(xlabel="load of the three people", xticks=list(own), ylim=(0, 100))
        panels[0].set_ylabel("time saved beside people only, %\n(without outside wait)")
        legend(figure, panels[0], "outside lower center")
    return figure


def draw_costs(found: Found, own: Words, reply: int) -> Figure:
    """Euros a case against what a call costs: where a line crosses that of people only, the arm breaks even."""
    cents = np.geomspace(0.01, 1_000, 400)
    arms = found[Condition(MIDDLE, False)]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 4.4), layout="constrained")
        axis = figure.subplots()
        for k, name in enumerate(PRICED):
            calls = float(arms[name].calls.mean()) * own.calls if name in CLAIMED else 0.0
            style = look(k) | {"marker": ""}
            axis.plot(cents, arms[name].wages.mean() + calls * cents / 100, **style, label=name)
        top = 1.6 * float(arms[PEOPLE].wages.mean())
        for name, price in PRICES.items():
            at = 100 * own.euros(price, reply) / own.calls
            axis.axvline(at, color="#5b6470", linestyle=":", linewidth=1)
            axis.annotate(f" {name}", (at, 0.96 * top), fontsize=8, color="#5b6470")
        axis.set(xscale="log", xlabel="cents a call of a model", ylabel="euros an order", ylim=(0, top))
        axis.set_xticks(decades := [0.01, 0.1, 1, 10, 100, 1_000], labels=[f"{cents:g}" for cents in decades])
        axis.set_xticks([], minor=True)
        legend(figure, axis, "outside lower center")
    return figure


def main(asked: Namespace) -> None:
    """All tables of ``docs/office.md`` and both figures; ``quick``: few seeds, and nothing is written."""
    begun, spent = time.monotonic(), time.process_time()
    scenario = load(FILE, {"seed": asked.seed})
    count, own = QUICK if asked.quick else scenario.trials.count, words()
    console.print(f"a call: {own.before:.0f} tokens of instructions and tools, {own.told:.0f} of what is seen, "
                  f"{asked.reply} written; {own.calls:.2f} calls for an action")  # fmt: skip
    found = study(scenario, count)
    for table in (verdicts, splits, errors):
        table(found, asked.quick)
    costs(found, own, asked)
    idle = {str(each): int(arms[NOBODY].balance.right.sum()) for each, arms in found.items()}
    console.print(f"closed correctly by nobody: {sum(idle.values())}")
    if not asked.quick:
        save(draw_times(found), DOCS / "images" / "office-half-the-time.png")
        save(draw_costs(found, own, asked.reply), DOCS / "images" / "office-break-even.png")
    first, last = asked.seed, asked.seed + count - 1
    console.print(f"{len(found)} conditions, {len(ARMS)} arms, seeds {first:,} to {last:,}; "
                  f"{time.monotonic() - begun:.0f} s, {time.process_time() - spent:.0f} CPU s")  # fmt: skip
