"""How wrong an agent's forecasts have proved: measured on what was believed then, without the run noticing."""

import copy

import numpy as np
import pytest
from studio import sought

import sandbox
from sandbox.agents.beliefs import Beliefs
from sandbox.agents.memory.atlas import DRAWS
from sandbox.engine.imagine import Belief
from sandbox.oversight.approvals import Approvals
from sandbox.studio.backend.agent import insight
from sandbox.studio.backend.beside import AGENT, CHARTS, Chronicle, Look
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.backend.forecast import HORIZONS, Forecast, Forecasts, Share
from sandbox.studio.backend.observation import percept_of
from sandbox.studio.views.forecast import proved as drawn

TINY = {"name": "warehouse", "layout": "tiny"}
FOUR = {"world": TINY, "agents": [{"count": 4, "reasoner": "rules"}]}
ALONE = {"world": {**TINY, "deliveries": 1}, "agents": [{"count": 1, "reasoner": "rules"}]}


def proved(scenario: dict, seed: int, ticks: int, agent: int = 0) -> tuple[list[str], list[tuple[Forecast, ...]]]:
    """The digests of an episode that is looked at, and what came of the forecasts, tick by tick."""
    model, forecasts, digests, found = sandbox.Sandbox(scenario, rng=seed), Forecasts(), [], []
    forecasts.watch(model, agent)
    while model.running and model.ticks < ticks:
        model.step()
        forecasts.note(model)
        digests.append(model.latest.digest)
        found.append(forecasts.proved(model))
    return digests, found


def error(found: list[tuple[Forecast, ...]], horizon: int) -> float:
    """The share of facts in view that was foreseen wrongly."""
    shares = [each.seen for made in found for each in made if each.horizon == horizon]
    return sum(share.wrong for share in shares) / sum(share.facts for share in shares)


def test_looking_changes_nothing_and_sees_the_same_every_time():
    model, alone = sandbox.Sandbox(FOUR, rng=3), []
    for _ in range(25):
        model.step()
        alone.append(model.latest.digest)
    digests, found = proved(FOUR, 3, 25)
    assert digests == alone and proved(FOUR, 3, 25) == (digests, found)
    assert [[each.horizon for each in made] for made in found[:5]] == [[1], [1, 2], [1, 2], [1, 2], [1, 2, 5]]
    assert [each.horizon for each in found[-1]] == list(HORIZONS)
    assert {share.facts > 0 for each in found[-1] for share in each[1:]} == {True}


def test_at_horizon_0_it_is_the_belief():
    model = sandbox.Sandbox(FOUR, rng=3)
    for _ in range(12):
        model.step()
    world, params, percept = model.env.world, model.env.params, percept_of(model, model.episode.preview(), 2)
    beliefs = Beliefs(model.env, model.memory, model.seed)
    beliefs.perceive(percept)
    state, truth = beliefs.of(2, DRAWS).state, world.ground_truth(model.state, 0, params)
    wrong = np.mean([world.ground_truth(state, lane, params) != truth for lane in range(DRAWS)], axis=0)
    view = world.visible(model.state, 0, 2, params)
    (now,) = insight(model, 2).world_model.forecasts
    shares = (Share(int(part.sum()), float(wrong[part].sum())) for part in (view, ~view, view & ~view))
    assert now == Forecast(0, *shares) and now.unseen.wrong > 0


def test_who_believes_what_is_so_foresees_what_comes(monkeypatch):
    """With the true state, everybody's notes and the world's own dice in the place of a belief, nothing is wrong."""
    model, forecasts, was = sandbox.Sandbox(FOUR, rng=3), Forecasts(), {}

    def oracle(beliefs, agent, draws):
        lanes = [0] * draws
        return Belief(
            agent, *(kind._make(field[lanes] for field in kind) for kind in was[beliefs._percepts[agent].tick])
        )

    monkeypatch.setattr(Beliefs, "of", oracle)
    forecasts.watch(model, 0)
    for _ in range(40):
        was[model.ticks] = copy.deepcopy((model.state, model.memory))
        model.step()
        forecasts.note(model)
        for each in forecasts.proved(model):
            assert each.seen.wrong == each.unseen.wrong == 0 < each.changed.facts
    assert len(forecasts.proved(model)) == len(HORIZONS)


def test_slips_are_foreseen_by_nobody():
    """Nobody else is about, and nothing is ordered before the first delivery: little but slips is left to chance."""
    slips = {**ALONE, "perturb": {"action_failure": 0.5}}
    found = [[proved(each, seed, 25)[1] for seed in range(3)] for each in (ALONE, slips)]
    for horizon in (1, 5):
        clean, disturbed = ([error(episode, horizon) for episode in each] for each in found)
        assert all(a < b for a, b in zip(clean, disturbed, strict=True)) and 3 * sum(clean) < sum(disturbed)


def test_only_who_is_looked_at_is_noted(tmp_path):
    film = EpisodePlayer.begin(FOUR, 1, tmp_path / "run", Approvals())
    chronicle, at = Chronicle(film), Look(agent=1, panel=AGENT)

    def horizons(look: Look = at) -> list[int]:
        return [each.horizon for each in chronicle.scene(film, look).insight.world_model.forecasts]

    sought(film, 4)
    assert horizons() == [0], "nobody has looked before"
    sought(film, 6)
    assert horizons() == [0, 1, 2]
    chronicle.scene(film, Look(agent=1, panel=CHARTS))
    sought(film, 8)
    assert horizons() == [0, 2]
    there = chronicle.scene(film, at).insight.world_model.forecasts
    sought(film, 5)
    assert horizons() == [0, 1, 2], "who seeks back comes by again"
    sought(film, 8)
    again = chronicle.scene(film, at).insight.world_model.forecasts
    assert set(there) < set(again) and again[-1].horizon == 5
    assert horizons(Look(agent=0, panel=AGENT)) == [0]
    film.close()


@pytest.mark.parametrize("known", [1, 3, 5])
def test_it_is_drawn_as_far_as_it_is_known(known):
    shares = Share(9, 0.9), Share(90, 30.0), Share(8, 2.0)
    words = drawn([Forecast(horizon, *shares) for horizon in (0, *HORIZONS)][:known], "rules")
    assert words.count("10.0% of 9") == words.count("33.3% of 90") == known
    assert ("None of" in words) == (known < 5) and ("8 facts have changed; 25% of these" in words) == (known > 1)
    assert ("None of 5 and 10 ticks ago" in words) == (known == 3)
