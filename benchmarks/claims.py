"""Every figure of the documents that can be had in twenty minutes, measured anew on other seeds: does it agree?

A claim names the place on the page where its figure stands, and how it is measured. The figure is read off the page, so
page and claim cannot part. Speeds are no claims: they are of one machine, and stand in ``benchmarks/RESULTS.md``.
"""

import tempfile
import time
from argparse import Namespace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.coverage import of_means, of_paired_success, of_rates
from benchmarks.imagination import AHEAD, BOLD, CALM, REASONER, TEAMS, WORLDS
from benchmarks.judged import SEED, Claim, Terms, counts_of, measured, row_of, written
from benchmarks.measured import (
    Arm,
    Measure,
    beside,
    certified,
    climbed,
    climbed_beside,
    exactly,
    foreseen,
    mean,
    over_drawings,
    remembered,
    share,
    simulated,
    success_beside,
)
from benchmarks.memory import AGES, KINDS
from benchmarks.report import console, table
from benchmarks.stated import FAILS, REFUSED, ROOT, Stated, cell, rows_of, sentence
from benchmarks.teams import CHANNELS, DRAWINGS, LOST, RANDOM, SIZES
from benchmarks.unclaimed import UNCLAIMED
from sandbox.statistics import paired_success, success_rate, trials_needed

PEERS = ("scipy",)
ERROR = 0.01  # chance that any of all claims is refused though all are true
QUICK = 3  # times fewer trials
OPTIONS = {
    "--seed": {
        "type": int,
        "default": SEED,
        "help": f"the first seed, default {SEED:,}: no rule was tuned from there on",
    },
    "--only": {"metavar": "BEGINNING", "help": "claims whose names begin so, such as lesson-05"},
    "--minutes": {"type": float, "default": 20.0, "help": "a claim that is not begun by then is not measured"},
    "--write": {"metavar": "PAGE", "help": "write the table as a page, such as docs/claims.md"},
}


# -- what is claimed ---------------------------------------------------------------------------------------------------

IMAGINATION = "docs/imagination.md"
CONDITIONS = {  # of scenarios/imagination: trials here, what disturbs it; the cheapest first
    "web": (400, {"clean": {}, "hostile pop-ups .4": {"perturb.hostile_popups": 0.4}}),
    "craft": (40, {"clean": {}, "night .8": {"perturb.night": 0.8}}),
    "kitchen": (30, {"clean": {}, "sticky floor .5": {"perturb.sticky_floor": 0.5}}),
    "warehouse": (16, {"clean": {}, "action failure .5": {"perturb.action_failure": 0.5}}),
    "wildfire": (24, {"clean": {}, "wind shift .5": {"perturb.wind_shift": 0.5}}),
}
CONTROLS = {"what one future changes": (BOLD, CALM), "what caution changes": (BOLD, "search")}  # one beside the other


def _imagination() -> list[Claim]:
    found, parted = [], {place.text for place in rows_of(IMAGINATION, CALM)}
    for world, (trials, conditions) in CONDITIONS.items():
        file, (title, steps) = f"imagination/{world}.toml", WORLDS[world]
        for words, disturbed in conditions.items():
            row, params = f"{title}, {words}", Arm(file, disturbed)
            arms = {team: Arm(file, {**disturbed, **changed}) for team, changed in TEAMS.items()}
            of = int(cell(IMAGINATION, row, "n").text)
            kind, how = ("mean", partial(mean, params, "ticks")) if steps else ("share", partial(share, params, 100))
            found.append(_cell(IMAGINATION, row, "rules", kind, how, trials, of, 100))
            how = partial(mean, arms["search"], "imagined_ticks")
            found.append(_cell(IMAGINATION, row, "imagined ticks", "mean", how, trials, of))
            for column, arm in arms.items():
                if ("semantic" in column and world != "web") or (column in (BOLD, CALM) and row not in parted):
                    continue
                fails = cell(IMAGINATION, row, column).text.startswith(FAILS)
                if fails:
                    how = partial(share, arm, 100)
                else:
                    how = partial(beside, params, arm, "ticks") if steps else partial(success_beside, params, arm)
                if fails and world == "warehouse":
                    continue  # it plays to the tick limit, which takes minutes
                kind = "share" if fails else "difference"
                found.append(_cell(IMAGINATION, row, column, kind, how, trials, of, 100))
            for column, teams in CONTROLS.items() if row in parted else ():
                both = [arms[team] for team in teams]
                how = partial(beside, *both, "ticks") if steps else partial(success_beside, *both)
                found.append(_cell(IMAGINATION, row, column, "difference", how, trials, of, 100))
    return [*found, *_beside_the_table()]


def _beside_the_table() -> list[Claim]:
    """What stands below the table of imagination."""
    found = []
    for hole, disturbed in enumerate(CONDITIONS["craft"][1].values()):
        arms = (Arm("imagination/craft.toml", {**disturbed, **team}) for team in ({}, TEAMS["search"]))
        how, text = partial(beside, *arms, "ticks"), "Steps where both succeed: # clean, # at night."
        found.append(_text(f"imagination-craft-steps-{hole}", IMAGINATION, text, "difference", how, 30, None, 1, hole))
    return found


FORESIGHT = 12  # episodes


def _foresight() -> list[Claim]:
    found = []
    for world in ("web", "kitchen", "warehouse", "wildfire", "craft"):
        for view in ("in view", "out of view") if world != "kitchen" else ("in view",):
            for column, horizon in AHEAD.items():
                row = f"{world} | {view}"
                if cell(IMAGINATION, row, column).text:
                    how = partial(foreseen, f"imagination/{world}.toml", view, horizon)
                    found.append(_cell(IMAGINATION, row, column, "difference", how, FORESIGHT, 40))
    return found


SCORED = {  # rows of docs/memory.md
    "default: 3, .25, .25": "as by default", "relevance alone": "relevance alone",
    "as in Generative Agents": "as in Generative Agents",
}  # fmt: skip


def _memory() -> list[Claim]:
    name = "docs/memory.md"
    kinds = [
        _cell(name, kind, f"{age:,}", "share", partial(remembered, kind, age), 60, 100, 1)
        for kind in KINDS
        for age in AGES
    ]
    scores = [
        _cell(name, row, f"{life}: {age:,}", "share", how, 45, 100, 1)
        for row, score in SCORED.items()
        for life, ages in (("told once", (300, 1_000)), ("changed", (30, 100, 300)), ("put away", (300, 1_000)))
        for age in ages
        for how in [partial(remembered, "blocks", age, score=score, life=life)]
    ]
    return kinds + scores


TEAMWORK, STATISTICS = "docs/teams.md", "docs/statistics.md"
PROTOCOLS = ("market", "manager", "planner", "selector", "concurrent", "round robin", "hand off", "sequential")


def _protocols() -> list[Claim]:
    """Beside both controls: the same agents without a team, and a team that neither speaks nor hears."""
    found, warehouse, wildfire = [], "teams/warehouse.toml", "teams/wildfire.toml"
    silent = {"team.protocol": "independent"}
    alone, by_eye = Arm(warehouse, {"team": None}), Arm(wildfire, {"team": None})
    text = "Rules alone take # ticks and save # %."
    found.append(_text("teams-rules-ticks", TEAMWORK, text, "mean", partial(mean, alone, "ticks"), 100, 100, 1))
    found.append(_text("teams-rules-saved", TEAMWORK, text, "share", partial(share, by_eye, 100), 300, 300, 100, 1))
    for row in ("independent", *PROTOCOLS):
        protocol = {"team.protocol": row.replace(" ", "_")}
        arm, fire = Arm(warehouse, protocol), Arm(wildfire, protocol)
        few = row in ("hand off", "sequential")  # thousands of ticks
        n, m = (20, 60) if few else (100, 200)
        found.append(_cell(TEAMWORK, row, "warehouse: ticks", "mean", partial(mean, arm, "ticks"), n, 100))
        found.append(_cell(TEAMWORK, row, "wildfire: saved", "share", partial(share, fire, 100), m, 300, 100))
        sides = [("beside rules alone", alone, arm, n), ("beside rules alone, points", by_eye, fire, m)]
        if row != "independent":
            found.append(
                _cell(TEAMWORK, row, "messages, turns, stalls", "mean", partial(mean, arm, "messages"), n, 100)
            )
            for lost, column, fires in (
                ({}, "beside independent", "beside independent, points"),
                ({LOST: 0.5}, "half of the messages lost", "half lost"),
            ):
                base, own = {**silent, **lost}, {**protocol, **lost}
                sides += [(column, Arm(warehouse, base), Arm(warehouse, own), n),
                          (fires, Arm(wildfire, base), Arm(wildfire, own), m)]  # fmt: skip
        for column, base, own, trials in sides:
            steps = base.file == warehouse
            how = partial(beside, base, own, "ticks") if steps else partial(success_beside, base, own)
            found.append(_cell(TEAMWORK, row, column, "difference", how, trials))
    return found


def _messages() -> list[Claim]:
    file, edges, found = "teams/loss.toml", "teams/edges.toml", []
    alone = Arm(file, {"team.protocol": "independent"})
    text = "`independent` takes # ticks."
    found.append(
        _text("teams-messages-independent", TEAMWORK, text, "mean", partial(mean, alone, "ticks"), 200, 200, 1)
    )
    for row, channel in CHANNELS.items():
        arm = Arm(file, channel)
        found.append(_cell(TEAMWORK, row, "ticks", "mean", partial(mean, arm, "ticks"), 200, 200))
        how = partial(beside, alone, arm, "ticks")
        found.append(_cell(TEAMWORK, row, "beside independent", "difference", how, 200, place="messages"))
        how = partial(mean, arm, "messages")
        found.append(_cell(TEAMWORK, row, "messages an episode", "mean", how, 200, 200))
    for row, network in RANDOM.items():
        arms = [Arm(file, {"team.network": {**network, "drawing": k}}) for k in range(DRAWINGS)]
        for column, kind, what, base in (
            ("ticks", "mean", "ticks", None), ("beside independent", "difference", "ticks", alone),
            ("messages an episode", "mean", "messages", None),
        ):  # fmt: skip
            how = partial(over_drawings, arms, what, base)
            found.append(_cell(TEAMWORK, row, column, kind, how, 50, 50, place="messages"))
    whole, text = Arm(edges), "of # ticks): without the one between the groups the team takes #, without"
    how = partial(mean, whole, "ticks")
    found.append(_text("teams-edges", TEAMWORK, text, "mean", how, 800, 400, 1))
    how = partial(beside, whole, Arm(edges, {"team.network.cut": [[3, 4]]}), "ticks")
    return [*found, _text("teams-edge-between", TEAMWORK, text, "difference", how, 800, None, 1, 1)]


def _sizes() -> list[Claim]:
    found = []
    for place, file in (("hall of shelves", "teams/sizes.toml"), ("open yard", "teams/yard.toml")):
        for protocol in ("independent", "market", "manager"):
            for size in SIZES:
                row = f"{place}, {protocol}"
                if cell(TEAMWORK, row, str(size)).text:
                    arm = Arm(file, {"team.protocol": protocol, "agents.0.count": size})
                    how = partial(mean, arm, "throughput")
                    found.append(_cell(TEAMWORK, row, str(size), "mean", how, 40, 40))
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
    say(model, "113 ticks instead of 128: #", "difference", [steps(model)], 40)
    say(model, "sticky floor #", "difference", [steps(model, Sticky_floor="A fifth of all steps fail")], 40)
    say(horizon, "0, 2, 5, 20 ticks ahead: #, #, #, #", "share", shares(horizon, range(4)), 100, 300)
    say(button, "100 %, then #", "share", shares(button, [1]), 500, 500)
    say(button, "80.8 %: #", "difference", [points(button)], 500)
    found.append(Claim("lesson-04", name, partial(sentence, name, "no failure: 99.90 % is shown"), "share",
                       partial(share, arm(nines, 0), 100), 3_000, 3_000, 100, _never_fails))  # fmt: skip
    crowd, talk = "05-more-colleagues", "06-talk"
    say(crowd, "8, **16**, 48 robots: #, #, # ticks", "mean", ticks(crowd), 60, 60)
    say(crowd, "**Planned** robots: #, #, #, so", "mean", ticks(crowd, Robots="Planned"), 60, 60)
    say(talk, "market # ticks, silence #:", "mean", ticks(talk, range(2)), 120, 120)
    say(talk, "silence 433: #", "difference", [partial(beside, arm(talk, 1), arm(talk, 0), "ticks")], 120)
    say(talk, "; # and 0 messages", "mean", [partial(mean, arm(talk, 0), "messages")], 120, 120)
    lost = {"half of the messages lost": "Half", "nine of ten lost": "Nine of ten"}
    heard = {"star": {"Who_hears_whom": "Star"}, **{told: {"Messages_lost": each} for told, each in lost.items()}}
    for told, chosen in heard.items():
        say(talk, f"{told}: # and 433", "mean", ticks(talk, range(1), **chosen), 120, 120)
    memory, thought, dice, wrong = "07-memory", "08-thought", "09-same-dice", "10-wrong-model"
    told = [partial(success_beside, arm(memory, 1), arm(memory, 0))]
    say(memory, "88.8 % without: #", "difference", told, 160)
    say(thought, "117 and 110 ticks, #", "difference", [steps(thought)], 40)
    say(dice, "# ticks, known to within", "difference", [steps(dice)], 200, 200)
    say(wrong, "# % without a model, # with the shuffled one", "share", shares(wrong, range(2)), 200, 200)
    ceiling, deeper, doubt, fires, turns = "11-ceiling", "12-deeper", "13-doubt", "14-everybody-knows", "15-turns"
    say(ceiling, "100 %: no difference; # and # ticks", "mean", ticks(ceiling, range(2)), 200, 200)
    say(deeper, "three steps 117: **one step** by #", "difference", [steps(deeper)], 40)
    say(doubt, "rules # ticks, bold #, cautious #", "mean", ticks(doubt), 40, 40)
    say(fires, "silence #, reports #, assigned #", "share", shares(fires, range(3)), 300, 300)
    say(turns, "at once # ticks, in turn #, handed on #", "mean", ticks(turns), 40, 40)
    lost, team, point = "16-lost-words", "17-team-curve", "18-breaking-point"
    say(lost, "rises from # to # ticks", "mean", ticks(lost, (0, 7)), 60, 60)
    say(lost, "from 415 to 498 ticks: by #", "difference", [partial(beside, arm(lost, 0), arm(lost, 7), "ticks")], 60)
    robots = [partial(mean, arm(team, place), "throughput") for place in (0, 2, 4, 9)]
    say(team, "1, 8, 16, 48 robots: #, #, #, #", "mean", robots, 40, 40)
    say(point, "of the labels renamed: #, #, #, #", "share", shares(point, (0, 1, 5, 10)), 300, 300)
    whose, guarded, twice, idle = "19-whose-success", "20-nobody-to-ask", "21-two-ways", "22-idle-colleague"
    say(whose, "with a reserve #, without #;", "share", shares(whose, range(2)), 40, 40)
    say(guarded, "asks first 140: **no rule** by #", "difference", [steps(guarded)], 80)
    say(twice, "# and # ticks, equal on every seed", "mean", ticks(twice, range(2)), 100, 100)
    say(idle, "with an idle one 491: **seven** by #", "difference", [steps(idle)], 120)
    dense = "23-how-dense"
    trees = [partial(mean, arm(dense, place), "tasks_done") for place in (0, 2, 4)]
    say(dense, "35, 45, 80 % of the cells: #, #, #", "mean", trees, 40, 40)
    checked = "24-half-checked"
    orders = [partial(mean, arm(checked, place), "tasks_done") for place in (0, 4, 5)]
    say(checked, "0, 80, 100 % reviewed: #, #, #", "mean", orders, 60, 60)
    say("25-spectacle", "125 ticks, looking ahead 124: #", "difference", [steps("25-spectacle")], 20)
    return found


def _never_fails(text: str, of: int | None) -> Stated:
    return Stated(text, 100.0, trials=of)


def _web() -> list[Claim]:
    name = "benchmarks/RESULTS.md"

    def how(reasoner: str, **severities: float) -> Measure:
        severities = {f"perturb.{factor}": severity for factor, severity in severities.items()}
        told = {REASONER: reasoner, "world.max_ticks": 80, "agents.0.count": 2, **severities}
        return partial(share, Arm("imagination/web.toml", told), 1)

    said = [
        ("web-semantic-renamed", "(# with every label renamed", how("semantic", renamed_labels=1.0)),
        ("web-macro-renamed", "at # under renamed labels", how("rules", renamed_labels=1.0)),
        ("web-macro-ids", "and at # under changed ids", how("rules", changed_ids=1.0)),
    ]
    return [_text(key, name, text, "share", measure, 1_000, 1_000, 1) for key, text, measure in said]


def _statistics() -> list[Claim]:
    found: list[Claim] = []

    def say(key: str, text: str, how: Measure, hole: int = 0, studies: int = 0) -> None:
        """A figure that follows from a formula, or is simulated in so many studies, here and there."""
        kind = "share" if studies else "mean"
        scale = 100 if studies else 1
        found.append(_text(f"statistics-{key}", STATISTICS, text, kind, how, studies, studies or None, scale, hole))

    say("all-of-50", '50 successes of 50 say "at least #"', partial(exactly, lambda: success_rate(50, 50).low))
    say("pass-8", "An agent at 90 % has a pass^8 of about #", partial(exactly, lambda: 100 * 0.9**8))
    say("least-coverage", "(least: #, 40 pairs", partial(exactly, partial(of_paired_success, 40, 0.2, 1.0)))
    say("no-pair-of-40", 'No pair of 40 that differs says "at most # points"', partial(exactly, _no_pair_of_40))
    for key, text, how in (
        ("rates-least", "it covers # or more; the exact", partial(of_rates, 0.9, 0.3, False)),
        ("rates-exact", "the exact interval of all 160 trials covers #", partial(of_rates, 0.97, 0.9, True)),
    ):
        say(key, text, partial(simulated, how), studies=2_000)
    text = "and one-sided differences in 10 % of 20 or 40 pairs (# and #"
    for hole, pairs in enumerate((20, 40)):
        how = partial(simulated, partial(of_means, "10% differ, one way", pairs))
        say(f"means-of-{pairs}", text, how, hole, studies=2_000)
    say("mixture", ".8648³⁰ = #", partial(exactly, lambda: 100 * 0.8648**30))
    say("five-nines", "ln(1 - C) / ln R: # for five nines", partial(exactly, partial(trials_needed, 0.99999)))
    for hole in range(3):
        how = partial(exactly, partial(trials_needed, 0.99999, failures=hole + 1))
        say(f"failures-{hole + 1}", "1, 2, 3 failures allowed it takes #, #, #.", how, hole)
    for reliability in (0.9, 0.99, 0.999, 0.9999, 0.99999):
        how = partial(exactly, partial(trials_needed, reliability))
        name = f"{reliability:g}".removeprefix("0")
        found.append(_cell("docs/batches.md", "trials at 95 %", name, "mean", how, 0))
    return found


def _no_pair_of_40() -> float:
    return 100 * paired_success(np.zeros(40), np.zeros(40)).difference.high


SKILLS = "docs/skills.md"
LEARNERS = 6  # of each arm


def _skills() -> list[Claim]:
    found = []
    for arm in ("all of it", "no library", "random curriculum", "no verification", "no library, new seeds"):
        for column in ("achievements", "ticks"):
            how = partial(climbed, arm, column)
            found.append(_cell(SKILLS, arm, column, "mean", how, LEARNERS, place="learners"))
        if arm in ("no library", "random curriculum", "no verification"):
            how = partial(climbed_beside, arm)
            found.append(_cell(SKILLS, arm, "beside", "difference", how, LEARNERS, place="learners"))
    how = partial(share, Arm("skills.toml"), 20)
    text = "`rules` takes a diamond on # of 20 such maps"
    found.append(_text("skills-rules-diamond", SKILLS, text, "share", how, 60, 20, 20))
    return found


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


OWN = "docs/bring-your-own-agent.md"
GREEDY = f"python:{ROOT / 'examples' / 'agents' / 'greedy.py'}:Greedy"


def _own_agents() -> list[Claim]:
    """Rules, chance and a Greedy; the others of the table need training, an environment or a client."""
    found = []
    for world in ("craft", "web"):
        rules = Arm(f"agents/{world}.toml")
        for name, reasoner in {"rules": "rules", "random": "random", "`Greedy`": GREEDY}.items():
            row, arm = f"{world} | {name}", Arm(rules.file, {REASONER: reasoner})
            found.append(_cell(OWN, row, "success", "share", partial(share, arm, 100), 50, None, 100))
            found.append(_cell(OWN, row, "ticks", "mean", partial(mean, arm, "ticks"), 50, 50))
            if reasoner != "rules":
                how = partial(success_beside, rules, arm)
                found.append(_cell(OWN, row, "success beside rules, points", "difference", how, 50))
    return found


def _rooms() -> list[Claim]:
    name, found = "docs/rooms.md", []
    for flat, wishes in (("studio", 6), ("two-rooms", 6), ("family", 6), ("studio", 8)):
        for policy in ("rules", "oracle", "random"):
            team = {f"agents.{agent}.reasoner": policy for agent in range(3)}
            arm = Arm("rooms.toml", {"world.layout": flat, "world.wishes": wishes, **team})
            found.append(_cell(name, f"{flat}, {wishes}", policy, "share", partial(share, arm, 100), 200, 400, 100))
    return found


CLAIMS = [  # what is not begun when the minutes are over is not measured
    *_statistics(), *_web(), *_certificates(), *_skills(), *_lessons(), *_memory(), *_sizes(), *_messages(),
    *_protocols(), *_imagination(), *_foresight(), *_own_agents(), *_rooms(),
]  # fmt: skip


# -- the command -------------------------------------------------------------------------------------------------------


def main(asked: Namespace) -> int:
    """Measure, print, and write the page where it is asked for; 1 where a claim does not agree."""
    chosen = [claim for claim in CLAIMS if claim.id.startswith(asked.only or "")]
    if not chosen:
        raise SystemExit(f"--only: no claim begins with '{asked.only}'; the first is {CLAIMS[0].id}")
    started, level = time.monotonic(), 1 - ERROR / len(CLAIMS)
    with tempfile.TemporaryDirectory() as folder:
        end, fewer = started + 60 * asked.minutes, QUICK if asked.quick else 1
        found = measured(chosen, Terms(asked.seed, level, fewer, end, Path(folder)))
    done, minutes = {each.claim.id for each in found}, (time.monotonic() - started) / 60
    late = [claim for claim in chosen if claim.id not in done]
    names = ["claim", "page", "stated", "now", "trials", "verdict"]
    table(f"Claims, seeds from {asked.seed:,} on, {minutes:.1f} minutes", names, [list(row_of(each)) for each in found])
    counts = counts_of(found)
    told = ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
    console.print(f"{told}, {len(late)} not begun")
    if asked.write:
        left = [f"`{each.page}`: {each.what}. {each.why}" for each in UNCLAIMED]
        Path(asked.write).write_text(written(found, late, asked, level, minutes, left), encoding="utf-8")
    return int(counts[REFUSED] > 0)
