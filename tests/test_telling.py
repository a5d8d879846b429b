"""What worlds say of their agents is so: it is held against what the agents then do."""

import re

import numpy as np
import pytest

import sandbox
from sandbox.running.explain import Witness, doing, refused, searched, standing
from sandbox.worlds.craft.state import Achievement
from sandbox.worlds.web.rendering.text import elements

TICKS = 160
CASES = {
    "warehouse": {"layout": "tiny", "max_ticks": TICKS}, "kitchen": {"layout": "cramped_room", "max_ticks": TICKS},
    "wildfire": {"max_ticks": TICKS}, "craft": {"max_ticks": TICKS},
}  # fmt: skip


def told_of(world: dict, policy: str, seed: int, agents: int = 3, **more):
    """Model, transition and the sentences of all agents, tick by tick."""
    scenario = {"world": world, "agents": [{"count": agents, "reasoner": policy}], **more}
    model, witness = sandbox.Sandbox(scenario, rng=seed), Witness()
    while model.running and model.ticks < TICKS:
        witness.watch(model)
        model.step()
        told = witness.transition(model)
        yield model, told, [model.env.world.doing(told, agent) for agent in range(agents)]
    assert model.error is None, model.error


def place_in(words: str) -> tuple[int, int] | None:
    found = re.search(r"row (\d+), column (\d+)", words)
    return (int(found[1]), int(found[2])) if found else None


@pytest.mark.parametrize("policy", ["rules", "oracle"])
@pytest.mark.parametrize("world", CASES)
def test_who_says_where_it_goes_gets_there_or_nearer(world, policy):
    """While an agent names one place, it comes nearer to it, or is beside it: nine times in ten."""
    nearer = []
    for seed in (71, 72):
        runs: dict[int, list] = {}  # of each agent: the named place, the first distance, the least
        for model, told, words in told_of(
            {"name": world, **CASES[world]}, policy, seed, 2 if world == "kitchen" else 3
        ):
            for agent, said in enumerate(words):
                place, before = place_in(said.split(";")[0]), told.before.pos[0, agent]
                if agent in runs and runs[agent][0] != place:
                    _, first, least = runs.pop(agent)
                    nearer.append(least < first or least <= 1)
                if place is not None:
                    run = runs.setdefault(agent, [place, int(np.abs(before - place).sum()), 1 << 20])
                    run[2] = min(run[2], int(np.abs(model.state.pos[0, agent] - place).sum()))
    assert len(nearer) > 10 and np.mean(nearer) >= 0.9, (len(nearer), np.mean(nearer))


@pytest.mark.parametrize("policy", ["rules", "oracle"])
def test_a_robot_that_loads_had_said_which_shelf_it_fetches(policy):
    """And one that unloads, that it takes it back; under ``rules``, a robot takes what it happens to stand at too."""
    right = []
    for seed in (73, 74, 75):
        last, load = [""] * 4, [0] * 4
        for model, _, words in told_of({"name": "warehouse", **CASES["warehouse"]}, policy, seed, 4):
            for agent, now in enumerate(model.state.carrying[0].tolist()):
                if now and not load[agent] and last[agent]:
                    right.append(f"fetches shelf {now} at" in last[agent])
                    assert words[agent].startswith(f"takes up shelf {now} at")
                if load[agent] and not now:
                    right.append(f"shelf {load[agent]} back" in last[agent])
                load[agent], last[agent] = now, words[agent]
    assert len(right) > 20 and np.mean(right) >= (0.8 if policy == "rules" else 0.98), (len(right), np.mean(right))


@pytest.mark.parametrize("policy", ["rules", "oracle"])
@pytest.mark.parametrize("layout", ["cramped_room", "forced_coordination"])
def test_a_cook_who_uses_a_place_had_named_it(layout, policy):
    """Now, and mostly one tick before too: unless it has just been sent elsewhere."""
    now, before, last = [], [], ["", ""]
    for _, told, words in told_of({"name": "kitchen", "layout": layout, "max_ticks": TICKS}, policy, 76, 2):
        for agent in range(2):
            if told.after.holding[0, agent] != told.before.holding[0, agent]:
                step = ((-1, 0), (1, 0), (0, 1), (0, -1))[int(told.before.facing[0, agent])]
                used = tuple((told.before.pos[0, agent] + step).tolist())
                now.append(place_in(words[agent]) == used)
                before.append(place_in(last[agent]) == used)
        last = words
    assert len(now) > 10 and all(now) and np.mean(before) > 0.7, (len(now), np.mean(before))


def test_who_waits_for_somebody_stands_still_and_that_one_was_near():
    count = 0
    for policy in ("rules", "oracle"):
        for _, told, words in told_of({"name": "warehouse", **CASES["warehouse"]}, policy, 77, 8):
            for agent, said in enumerate(words):
                if found := re.search(r"(?:waits for|gives way to) robot-(\d)", said):
                    other = told.before.pos[0, int(found[1])]
                    assert not told.moved(agent) and np.abs(other - told.before.pos[0, agent]).sum() <= 2
                    count += 1
    assert count > 5


@pytest.mark.parametrize("policy", ["rules", "oracle"])
def test_a_player_that_gains_something_says_what(policy):
    """What a player has achieved in a tick is what it said that it does: it collects coal, eats, places a table."""
    gained = []
    for _, told, words in told_of({"name": "craft", **CASES["craft"]}, policy, 78, 2):
        for agent, said in enumerate(words):
            more = told.after.achieved[0, agent] > told.before.achieved[0, agent]
            for name in (Achievement(k).name.lower() for k in np.flatnonzero(more).tolist()):
                verb, _, what = name.partition("_")
                if verb != "wake":
                    gained.append({"drink": "drinks"}.get(what, what.replace("_", " ")) in said)
    assert len(gained) > 5 and all(gained)


def test_an_agent_of_the_web_clicks_what_it_names():
    clicked = 0
    for seed in range(3):
        for model, told, words in told_of({"name": "web", "max_ticks": 40}, "semantic", 80 + seed, 1):
            if (named := re.match("clicks the .*“(.*)”$", words[0])) and not told.outcome(0):
                pointer = tuple(told.after.pos[0, 0].tolist())
                seen = elements(told.obs, 0, 0, model.env.params)
                assert any((one["row"], one["col"]) == pointer and one["label"] == named[1] for one in seen)
                clicked += 1
    assert clicked > 5


def test_a_search_says_that_it_imagined_something_better():
    """Where it overrules its base policy; else it says what that policy is at."""
    options = {"horizon": 20, "futures": 4, "candidates": 60}
    scenario = {
        "world": {"name": "web", "layout": "all", "max_ticks": 40}, "perturb": {"hostile_popups": 0.4},
        "agents": [{"reasoner": "search", "world_model": options}],
    }  # fmt: skip
    model, witness, said = sandbox.Sandbox(scenario, rng=8), Witness(), []
    while model.running:
        witness.watch(model)
        model.step()
        words = doing(model, witness.transition(model), 0)
        said.append(words.startswith("imagines that this gains"))
        found = searched(model, 0)
        assert said[-1] == bool(found and not found[0].taken)
    assert any(said) and not all(said)


def test_nothing_is_saved_before_anything_happened():
    """The display of wildfire begins at none, and not at all that still stands."""
    model = sandbox.Sandbox({"world": {"name": "wildfire"}, "agents": [{"count": 6}]}, rng=3)
    assert re.fullmatch(r"0 of \d+ buildings saved", standing(model)) and model.tasks_done > 0
    while model.running:
        model.step()
    total = int(standing(model).split()[2])
    lost = int(model.state.tally[0, 1])
    assert standing(model) == f"{total - lost} of {total} buildings saved" or model.state.tally[0, 5] > 0


@pytest.mark.parametrize("world", [*CASES, "web"])
def test_random_agents_learn_why_nothing_came_of_it(world):
    """In episodes with perturbations too, no refused or failed action is without a cause."""
    perturb = {"action_failure": 0.5, "agent_crash": 0.5}
    own = {"kitchen": {"sticky_floor": 0.5}, "warehouse": {"blocked_aisles": 0.5}}.get(world, {})
    agents = {"kitchen": 2, "web": 1}.get(world, 3)
    vain = []
    for model, told, _ in told_of(
        {"name": world, **CASES.get(world, {})}, "random", 81, agents, perturb={**perturb, **own}
    ):
        vain += [why for agent in range(agents) if (why := refused(model, told, agent))]
    assert len(vain) > 5 and not [why for why in vain if why.endswith(("at that moment", "something prevented it"))]
