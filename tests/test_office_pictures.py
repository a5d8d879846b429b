"""The pictures of the office: what the live map and the figures of a log say, not their pixels."""

from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest

import sandbox
from sandbox.analysis.process import BEGIN, END, events_of, process_map, queues, work
from sandbox.cli._page import log_page, report_of
from sandbox.core.telling import Span
from sandbox.engine.shapes import apart, palette
from sandbox.eventlogs.export import write_log
from sandbox.report.process_figures import (
    WEEK,
    Process,
    busiest,
    draw_map,
    drawn_ways,
    gantt,
    process_figures,
)
from sandbox.report.process_figures import places as places_of_boxes
from sandbox.report.report_figures import Figures
from sandbox.studio.backend.gantt import SPAN, Diary, Work
from sandbox.studio.views.charts import HUES
from sandbox.studio.views.gantt import gantt as gantt_of_studio
from sandbox.testing_telling import ALIKE
from sandbox.worlds.office import routing, stations
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.rendering import picture, places, tokens
from sandbox.worlds.office.state import Case, Phase, Status, Time

SPLIT = ("touch", "queue", "hand-over", "rework", "outside")
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
        picture,
        "draw_token",
        lambda s, lane, params, case, y, x, unit, ink, image: drawn.append(
            (case, places.station_of.py_func(s, lane, params, case), y, x, ink)
        ),
    )
    picture._cases.py_func(model.state, 0, params, 10.0, 1.0, image)
    return drawn, sum(hidden)


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
    links = routing.ways(path, chance, np.zeros_like(path), shares)
    found = stations.spots(path, chance, shares, links, 6, False)
    assert found[5].tolist() == found[7].tolist() == [-1, -1]  # an activity that no flow has; the reviewer
    used = [tuple(place) for place in found[[0, 1, 2, 3, 4, 6]].tolist()]
    assert len(set(used)) == 6 and min(map(min, used)) >= 0
    ways = {(int(a), int(b)): part for a, b, part in links}
    assert ways == pytest.approx({(0, 1): 0.7, (1, 2): 0.7, (2, 1): 0.14, (2, 3): 0.56, (1, 3): 0.14, (0, 4): 0.3,
                                  (4, 3): 0.3})  # fmt: skip


def test_the_studio_draws_who_works_on_what_at_each_tick(log):
    """The pieces of work are those of the log; a tick that is seen again or forgotten is not counted twice."""
    events, _ = log
    model, diary, seen, clocks = sandbox.Sandbox(BUSY, rng=4), Diary(), set(), []
    while model.running:
        model.step()
        diary.note(model)
        diary.note(model)
        shown = diary.work(model)
        clocks.append(shown.clock)
        ended = [one for one in shown.spans if one.end is not None]
        assert len(set(ended)) == len(ended)
        seen |= {(shown.rows[one.row], round(one.start, 2), round(one.end, 2)) for one in ended}
    columns = work(events)[["resource", "start", "end"]].itertuples(index=False)
    known = {(who, round(start, 2), round(end, 2)) for who, start, end in columns}
    assert seen <= known and len(seen) > 20
    assert not any(0.1 < clock - end < SPAN - 0.1 for _, _, end in known - seen for clock in clocks)
    diary.forget(0)
    assert shown.spans and not diary.work(model).spans
    drawn = gantt_of_studio(shown)
    assert drawn.count('class="track"') == len(shown.rows) == 7 and drawn.count('<i style="left:') == len(shown.spans)
    assert gantt_of_studio(Work(("<b>",) * 20, ("x",), 9_000.0, (Span(0, 0, 8_000.0, None),))).count("&lt;b&gt;") > 16
    assert gantt_of_studio(None) == ""


def test_lines_and_bars_of_the_studio_are_told_apart_on_light_and_on_dark_pages():
    for one, other in combinations(HUES, 2):
        assert apart(one, other) >= ALIKE
    for ground in ("#ffffff", "#0e1117"):
        own, page = np.array([*map(luminance, HUES)]), luminance(ground)
        assert ((np.maximum(own, page) + 0.05) / (np.minimum(own, page) + 0.05)).min() >= 3  # WCAG 2.2, 1.4.11


def luminance(colour):
    """Relative luminance as WCAG defines it."""
    rgb = palette(colour)[0] / 255
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_a_click_on_a_desk_is_on_its_agent():
    """Each agent has its own part of the picture: its desk, beside those of its colleagues."""
    from sandbox.studio.backend.camera import nearest

    env = sandbox.make("office", agents=3, people=2)
    state = env.reset([1])
    for agent in range(3):
        top, left, tall, wide = env.world.part(env.params, agent)
        assert nearest(env, state.pos[0], (top + tall / 2, left + wide / 2)) == agent
    assert nearest(env, state.pos[0], (0.3, 0.5)) is None


# -- figures of logs


@pytest.fixture(scope="module")
def log():
    """A log, and the model at its end."""
    model = sandbox.Sandbox(BUSY, rng=4)

    def models():
        yield model
        while model.running:
            model.step()
            yield model

    return events_of(model.env.world.event_log(models(), 0)), model


def test_the_counts_of_the_process_map_are_those_of_the_log(log):
    """Each event but the last of a case is followed by one; boxes count events, and the ways of a box add up to it."""
    events, _ = log
    found = process_map(events)
    counts = Counter(events["activity"])
    assert found.activities == counts and len(counts) > 10
    for side in ("one", "other"):
        passed = Counter()
        for way in found.ways:
            passed[getattr(way, side)] += way.times
        assert {name: count for name, count in passed.items() if name not in (BEGIN, END)} == counts
        assert passed[BEGIN] + passed[END] == events["case"].nunique() == 12
    pairs = [
        pair for _, own in events.groupby("case") for pair in pairwise(zip(own["activity"], own["end"], strict=True))
    ]
    for way in found.ways:
        if way.one != BEGIN and way.other != END:
            own = [b[1] - a[1] for a, b in pairs if (a[0], b[0]) == (way.one, way.other)]
            assert (way.times, way.median) == (len(own), pytest.approx(np.median(own)))


def test_a_map_of_any_log_has_a_place_for_each_box(log):
    """Also of a log with loops, without starts, and with one case of one event."""
    loops = pd.DataFrame(
        [(0, "a", name, "", np.nan, float(k)) for k, name in enumerate("xyxyyzx")] + [(1, "a", "x", "", np.nan, 1.0)],
        columns=log[0].columns,
    )
    for events in (log[0], loops):
        found = process_map(events)
        placed = places_of_boxes(found, drawn_ways(found))
        assert len(set(placed.values())) == len(placed) == len(set(found.activities)) + 2 or events is log[0]
        assert draw_map(found).axes
    assert process_map(loops).ways[0].times == 2 and work(loops).empty and not queues(loops)
    assert len(process_figures(Process("x", loops), Figures("again"))) == 2  # a map and a dotted chart


def test_bars_of_the_gantt_chart_are_the_work_of_the_log(log):
    """Nobody does two things at once, except a batch; all work of agents and people is there."""
    events, model = log
    done = work(events)
    for _, own in done.groupby("resource"):
        assert (own["start"].to_numpy()[1:] >= own["end"].to_numpy()[:-1]).all()
    agents = done[done["resource"].str.startswith("agent")]
    spent = model.state.time[0, :, Time.AGENTS].sum()
    assert (agents["end"] - agents["start"]).sum() == pytest.approx(spent, abs=1e-3)
    axis = gantt(done).axes[0]
    begin = busiest(done)
    shown = done[(done["start"] < begin + WEEK) & (done["end"] > begin)]
    bars = sum(len(each.get_paths()) for each in axis.collections)
    assert bars == len(shown) > 5


def test_queues_begin_and_end_empty(log):
    found = queues(log[0])
    assert "receive" in found or "order" in found
    for series in found.values():
        assert series.iloc[-1] == 0 and (series >= 0).all() and series.max() > 0


def test_the_parts_of_the_time_of_cases_add_up_at_every_moment(log):
    split, model = sandbox.worlds.office.telling.split, sandbox.Sandbox(BUSY, rng=4)
    for _ in range(40):
        model.step()
        found, rows = split(model.state, 0, model.env.params), model.state.case[0, :, Case.STATUS]
        ends = np.where(rows == Status.OPEN, model.state.clock[0], model.state.time[0, :, Time.CLOSED])
        lived = (ends - model.state.time[0, :, Time.ARRIVED])[rows != Status.COMING].sum()
        assert tuple(found) == SPLIT and sum(found.values()) == pytest.approx(lived)
    assert found["outside"] > 0


def test_the_report_of_a_run_and_of_its_log_show_the_process(tmp_path):
    """The same map from the run and from the file that is exported of it."""
    sandbox.run({**BUSY, "world": {**BUSY["world"], "cases": 4}}, 4, out=tmp_path / "run")
    write_log("xes", tmp_path / "run", tmp_path / "log.xes", [0])
    run, file = (tmp_path / name for name in ("run.html", "log.html"))
    page, of_log = report_of([tmp_path / "run"], run), log_page([tmp_path / "log.xes"], file)
    for text, parts in ((page, 5), (of_log, 4)):
        assert text.count("Process map:") == 2 and text.count("Who works when") == 2  # caption, and words for readers
        assert text.count("n = 4 cases") == 2 * parts
    assert "What the time of a case goes on" in page
