"""The pictures of the office: what the live map and the figures of a log say, not their pixels."""

from functools import partial
from itertools import combinations, pairwise

import numpy as np
import pytest

import sandbox
from sandbox.worlds.office import stations
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.rendering import picture, places, tokens
from sandbox.worlds.office.state import Case, Phase, Status

BUSY = {"world": {"name": "office", "cases": 12, "people": 1, "review": 1.0}, "agents": [{"reasoner": "rules"}],
        "perturb": {"wrong_price": 0.4}}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return sandbox.Sandbox(BUSY, rng=4)


# -- the live map


def drawn_by(model, monkeypatch):
    """The tokens that the map draws: (case, station, y, x, ink), and how many cases it counts as hidden."""
    drawn, hidden, params, image = [], [], model.env.params, np.zeros((1, 1, 3), np.uint8)
    monkeypatch.setattr(picture, "draw_worker", lambda *_: None)
    monkeypatch.setattr(picture, "write", lambda *_: None)
    monkeypatch.setattr(picture, "write_count", lambda image, glyph, number, *_: hidden.append(number))
    monkeypatch.setattr(
        picture, "draw_token", lambda s, lane, params, case, y, x, unit, ink, image: at(case, y, x, ink)
    )
    for station in np.flatnonzero(params.spot[:, 0] >= 0).tolist():
        at = partial(_append, drawn, station)
        picture._cases.py_func(model.state, 0, params, station, 10.0, 1.0, image)
    return drawn, sum(hidden)


def _append(drawn, station, case, *place):
    drawn.append((case, station, *place))


def test_every_open_case_is_drawn_once_at_its_station_in_its_colour(model, monkeypatch):
    """Over an episode: waiting, outside, with an agent, with a person; no token on another, none beyond its station."""
    seen = set()
    while model.running:
        model.step()
        if model.ticks % 3:
            continue
        (rows,), params = model.state.case, model.env.params
        drawn, hidden = drawn_by(model, monkeypatch)
        assert (
            hidden == 0
            and sorted(token[0] for token in drawn) == np.flatnonzero(rows[:, Case.STATUS] == Status.OPEN).tolist()
        )
        middles = [(y, x) for _, _, y, x, _ in drawn]
        assert all(np.hypot(a[0] - b[0], a[1] - b[1]) > 2 * places.TOKEN for a, b in combinations(middles, 2))
        for case, station, y, x, ink in drawn:
            top, left, tall, wide = places.box_of(params, station)
            assert top < y < top + tall and left < x < left + wide
            row = rows[case]
            if row[Case.DESK]:
                kind, expected = "agent", row[Case.DESK] - 1
            elif row[Case.PHASE] in (Phase.TOUCH, Phase.REWORK):
                kind, expected = "person", tokens.PERSON
            else:
                kind = "outside" if row[Case.PHASE] == Phase.OUTSIDE else "waits"
                expected = tokens.OUT if kind == "outside" else tokens.WAIT
            assert ink == expected, kind
            seen.add(kind)
    assert seen == {"agent", "person", "outside", "waits"}


def test_cases_for_which_a_station_has_no_room_are_counted(monkeypatch):
    model = sandbox.Sandbox({**BUSY, "world": {**BUSY["world"], "cases": 60}}, rng=4)
    most = 0
    while model.running and model.ticks < 120:
        model.step()
        if model.ticks % 20 == 0:
            drawn, hidden = drawn_by(model, monkeypatch)
            assert len({token[0] for token in drawn}) == len(drawn)
            assert len(drawn) + hidden == (model.state.case[0, :, Case.STATUS] == Status.OPEN).sum()
            most = max(most, hidden)
    assert most > 0


def test_the_steps_of_most_cases_follow_each_other_on_the_map(model):
    """Every station that cases can reach has a place of its own; what few cases need is off the main path."""
    params, names = model.env.params, labels(model.env.params).activities
    spot = {name: tuple(place) for name, place in zip(names, params.spot.tolist(), strict=False)}
    spots = [tuple(place) for place in params.spot.tolist()]
    assert len(set(spots)) == len(spots) == len(names) + 2 and min(map(min, spots)) >= 0
    main = ["order", "delivery", "receive", "billing", "invoice", "release", "terms", "pay"]
    for one, other in pairwise(main):
        (row, col), (next_row, next_col) = spot[one], spot[other]
        assert (row == next_row and abs(col - next_col) == 1) or col == next_col
    assert spot["change order"][0] == spot["early billing"][0] == 1


def test_the_ways_of_the_cases_add_up(model):
    """Of the cases that leave an activity, each goes one way, or the case ends there."""
    params, names = model.env.params, labels(model.env.params).activities
    share = {(names[int(a)], names[int(b)]): part for a, b, part in params.way}
    assert share["order", "change order"] == pytest.approx(params.chance[1, 1])
    assert sum(part for (one, _), part in share.items() if one == "order") == pytest.approx(1)
    assert share["receive", "billing"] == pytest.approx(0.06 + 0.838)
    assert share["receive", "invoice"] == pytest.approx(0.04)


def test_a_path_with_a_step_twice_and_a_rare_one_has_a_map():
    path = np.array([[1, 2, 3, 2, 4, 0], [1, 5, 4, 0, 0, 0]], np.int32)
    chance, shares = np.array([[1, 1, 1, 0.2, 1, 1], [1, 1, 1, 1, 1, 1.0]]), np.array([0.7, 0.3])
    found = stations.spots(path, chance, shares, 6, False)
    assert found[5].tolist() == found[7].tolist() == [-1, -1]  # an activity that no flow has; the reviewer
    used = [tuple(place) for place in found[[0, 1, 2, 3, 4, 6]].tolist()]
    assert len(set(used)) == 6 and min(map(min, used)) >= 0
    ways = {(int(a), int(b)): part for a, b, part in stations.ways(path, chance, shares)}
    assert ways == pytest.approx({(0, 1): 0.7, (1, 2): 0.7, (2, 1): 0.14, (2, 3): 0.56, (1, 3): 0.14, (0, 4): 0.3,
                                  (4, 3): 0.3})  # fmt: skip


def test_a_click_on_a_desk_is_on_its_agent():
    """Each agent has its own part of the picture: its desk, beside those of its colleagues."""
    from sandbox.studio.backend.camera import nearest

    env = sandbox.make("office", agents=3, people=2)
    state = env.reset([1])
    for agent in range(3):
        top, left, tall, wide = env.world.part(env.params, agent)
        assert nearest(env, state.pos[0], (top + tall / 2, left + wide / 2)) == agent
    assert nearest(env, state.pos[0], (0.3, 0.5)) is None
