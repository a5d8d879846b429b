"""The canvas: what travels to it, what the camera shoots, what layers draw; and how it is used, in a real Chromium."""

import json
import struct
import zlib

import numpy as np
import pytest
from browser import chromium
from studio import COMPILE, SCENARIO, until

import sandbox
from benchmarks.studio_server import served
from sandbox.engine.registry import find
from sandbox.running.explain import Witness
from sandbox.scenario import load
from sandbox.studio.backend.camera import MOVING, STILL, Camera, Click, develop, framed, nearest, size_for
from sandbox.studio.backend.cards import Cards
from sandbox.studio.backend.difference import names
from sandbox.studio.backend.frames import WHOLE, Frames, Stretch, pack
from sandbox.studio.backend.futures import believed, paths
from sandbox.studio.backend.layers import LAYERS, Look, available, marks
from sandbox.studio.backend.marks import LONGEST, MOST, Label, Line, Message, Rect, Ring, as_json, capped
from sandbox.studio.backend.runner import Waiting, alike
from sandbox.studio.components.canvas import Gesture, _click, _view

BLUE = "#0072b2"
PART = (0.25, 0.5, 0.4, 0.3)


def unpacked(strip: Frames) -> np.ndarray:
    changes = np.frombuffer(zlib.decompress(strip.body), np.uint8)
    return np.bitwise_xor.accumulate(changes.reshape(strip.count, strip.height, strip.width, 3))


@pytest.fixture(scope="module")
def scene():
    """A model of four robots that work as a market, after some ticks, and where they were before the last one."""
    model = sandbox.Sandbox({**SCENARIO, "team": {"protocol": "market"}}, rng=1)
    for _ in range(12):
        before = model.state.pos[0].copy()
        model.step()
    assert model.error is None
    return model, before


# -- the payload -------------------------------------------------------------------------------------------------------


def test_a_payload_unpacks_to_what_was_packed():
    frames = np.random.default_rng(1).integers(0, 255, (3, 4, 5, 3), np.uint8)
    ticks = (Stretch(7, 2, (Ring((1.5, 2.5), BLUE),), PART), Stretch(8, 1))
    strip = Frames(2, 70, 3, 4, 5, 24, pack(frames), ticks, (10, 20), b"map")
    (size,) = struct.unpack("<I", strip.payload()[:4])
    head = json.loads(strip.payload()[4 : 4 + size])
    assert {k: v for k, v in head.items() if k != "ticks"} == {
        "episode": 2, "first": 70, "count": 3, "height": 4, "width": 5, "fps": 24, "cells": [10, 20], "overview": "bWFw"
    }  # fmt: skip
    ring = {"kind": "ring", "at": [1.5, 2.5], "colour": BLUE}
    assert head["ticks"] == [
        {"tick": 7, "frames": 2, "marks": [ring], "view": list(PART), "cards": []},
        {"tick": 8, "frames": 1, "marks": [], "view": list(WHOLE), "cards": []},
    ]
    assert strip.payload()[4 + size :] == strip.body and np.array_equal(unpacked(strip), frames)


def test_marks_are_few_and_short():
    many = capped([Ring((k, 0.0), BLUE) for k in range(MOST + 7)])
    assert len(many) == MOST + 1 and many[-1].text == "7 more marks are not drawn"
    assert capped(list(many[:3])) == many[:3]
    told = as_json(Label((0.5, 0.5), "<script>" + 5000 * "x", BLUE))
    assert len(told["text"]) == LONGEST and set(told) == {"kind", "at", "text", "colour"}


# -- the camera --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", find("warehouse").layouts)
def test_pictures_fill_their_box(layout):
    env = sandbox.make("warehouse", layout=layout, agents=2)
    for wide, tall in ((600, 600), (360, 800), (1000, 300)):
        height, width = env.world.canvas(env.params, size_for(env, (wide, tall)))
        assert height <= tall and width <= wide
        assert height > 0.8 * tall or width > 0.8 * wide


def test_a_part_is_painted_larger_and_cut_out(tiny):
    state, camera = tiny.reset([1]), Camera(tiny, (400, 400), PART)
    shot = camera.shoot(state, 1, still=True)
    strip = develop([shot], 1, 0, 24)
    whole = tiny.render(state, 0, max(shot.shape), np.stack(camera._past, axis=1))
    top, left = (round(at * side) for at, side in zip(strip.ticks[0].view, shot.shape, strict=False))
    expected = whole[top : top + strip.height, left : left + strip.width]
    assert np.array_equal(unpacked(strip)[0], expected)
    assert max(strip.height, strip.width) > 300 and strip.cells == tiny.params.plan.shape
    shown, asked = np.array(strip.ticks[0].view), np.array(PART)
    assert (shown[:2] <= asked[:2]).all() and (shown[:2] + shown[2:] >= (asked[:2] + asked[2:]) - 1e-9).all()
    assert np.abs(shown - asked).max() < 0.01


def test_a_picture_is_never_too_large(tiny):
    state, camera = tiny.reset([1]), Camera(tiny, (1000, 1000), (0.5, 0.5, 0.02, 0.02))
    for still, most in ((True, STILL), (False, MOVING)):
        shape = camera.shoot(state, 1, still=still).shape
        assert 0.7 * most < shape[0] * shape[1] <= most
    assert framed((-1.0, 0.9, 0.5, 0.5)) == (0.0, 0.5, 0.5, 0.5) and framed((0.3, 0.3, 9.0, 0.0))[2] == 1.0


def test_a_shot_stays_what_it_was_and_shots_of_another_size_are_left_out(tiny):
    model = sandbox.Sandbox(SCENARIO, rng=1)
    camera = Camera(model.env, (300, 300))
    camera.note(model.state)
    model.step()
    shot = camera.shoot(model.state, 2)
    first = [frame.copy() for frame in shot.frames()]
    camera.note(model.state)
    model.step()
    assert all(map(np.array_equal, shot.frames(), first))
    assert not np.array_equal(*first)  # they glide
    camera.box = (200, 200)
    reel = [Waiting([each], None, False) for each in (shot, camera.shoot(model.state, 3))]
    strip = develop([each.shots[0] for each in alike(reel)], 1, 5, 24)
    assert (strip.count, strip.ticks) == (3, (Stretch(2, 3),)) and max(strip.height, strip.width) <= 200


def test_a_click_finds_who_was_there_when_it_was_seen(tiny):
    model = sandbox.Sandbox(SCENARIO, rng=1)
    camera, (rows, cols) = Camera(model.env, (300, 300)), model.env.params.plan.shape
    assert camera.nearest(Click(0.5, 0.5, 0)) is None
    for _ in range(15):
        camera.shoot(model.state, 1)
        camera.note(model.state)
        model.step()
    for tick, pos in list(camera._seen):
        for agent, (row, col) in enumerate(pos.tolist()):
            assert camera.nearest(Click((row + 0.6) / rows, (col + 0.3) / cols, tick)) == agent
    pos = np.array([[0, 0], [-1, -1]])
    assert nearest(tiny, pos, (0.9, 0.9)) is None and nearest(tiny, pos, (0.2, 0.0), reach=0.3) == 0
    web = sandbox.make("web", agents=2)
    assert [nearest(web, web.reset([1]).pos[0], (0.5, at)) for at in (0.1, 0.6, 1.0)] == [0, 1, 1]


def test_a_view_follows_an_agent_and_has_a_map_of_the_whole_beside_it(tiny):
    model = sandbox.Sandbox(SCENARIO, rng=1)
    rows, cols = model.env.params.plan.shape
    camera = Camera(model.env, (300, 300), (0.0, 0.0, 0.3, 0.4))
    camera.followed = 2
    shots, sizes = [], set()
    for _ in range(12):
        camera.note(model.state)
        model.step()
        shot = camera.shoot(model.state, 2)
        top, left, tall, wide = shot.view
        row, col = model.state.pos[0, 2].tolist()
        assert top <= (row + 0.5) / rows <= top + tall and left <= (col + 0.5) / cols <= left + wide
        assert top in (0.0, 0.7) or top + tall / 2 == pytest.approx((row + 0.5) / rows)
        sizes.add(next(shot.frames()).shape)
        shots.append(shot)
    assert len(sizes) == 1 and len({shot.view for shot in shots}) > 3, "frames of one size can be played as one strip"
    strip = develop(shots, 1, 0, 24)
    assert strip.count == 24 and strip.overview.startswith(b"\x89PNG")
    assert [each.view for each in strip.ticks] == [shot.area for shot in shots]
    model.state.pos[0, 2] = -1
    row = model.state.pos[0, 0, 0]
    assert camera.shoot(model.state, 1).view[0] == pytest.approx(min(max((row + 0.5) / rows - 0.15, 0), 0.7))
    camera.view = WHOLE
    assert develop([camera.shoot(model.state, 1)], 1, 0, 24).overview == b""


def test_cards_tell_where_agents_are_what_they_do_and_what_they_have():
    model, witness, told = sandbox.Sandbox(SCENARIO, rng=1), Witness(), Cards()
    assert [card.doing for card in told.of(Look(model, None, model.state.pos[0]), None, True)] == [""] * 4
    for _ in range(12):
        before = model.state.pos[0].copy()
        witness.watch(model)
        model.step()
    cards = told.of(Look(model, 1, before), witness.transition(model), True)
    world, params = model.env.world, model.env.params
    for agent, card in enumerate(cards):
        assert card.name == model.names[agent] and card.at == tuple(np.add(model.agents[agent].cell, 0.5))
        assert card.doing.startswith(world.doing(witness.transition(model), agent))
        assert card.has == world.gauges(model.state, 0, agent, params)
    assert any(card.has for card in cards)
    model.state.pos[0, 3] = -1
    assert len(told.of(Look(model, None, before), None, False)) == 3
    web = sandbox.Sandbox({"world": {"name": "web"}, "agents": [{"count": 2, "reasoner": "idle"}]}, rng=1)
    assert [card.at for card in Cards().of(Look(web, None, web.state.pos[0]), None, True)] == [(0.5, 0.25), (0.5, 0.75)]


def test_two_runs_are_named_by_what_differs():
    base = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 4, "reasoner": "rules"}]}
    other = {
        **base,
        "agents": [{"count": 2, "reasoner": "idle"}],
        "title": "no matter",
        "perturb": {"action_failure": 0.5},
    }
    one, two = names([load(base), load(other)], [1, 1], ["a", "b"])
    assert set(one.split(", ")) == {"no action failure", "count 4", "reasoner rules"}
    assert set(two.split(", ")) == {"action failure 0.5", "count 2", "reasoner idle"}
    assert names([load(base)] * 2, [1, 2], ["a", "b"]) == ("seed 1", "seed 2")
    assert names([load(base)] * 2, [1, 1], ["a", "b"]) == ("the same settings, a", "the same settings, b")


def test_what_a_browser_says_is_put_in_order():
    assert _view(None) == (WHOLE, False)
    part, follow = _view({"part": [0.5, -3, 0.7, 0.2], "follow": True})
    assert part == (pytest.approx(0.3), 0.0, 0.7, 0.2) and follow
    told = {"row": 7, "col": -1, "reach": 0.1, "tick": 4, "frame": 9}
    assert _click(told) == Click(1.0, 0.0, 4, 9, 0.1) and _click(None) is None
    with pytest.raises(AttributeError):
        Gesture().view = WHOLE


# -- layers ------------------------------------------------------------------------------------------------------------


def test_layers_draw_what_is_so_and_change_nothing(scene):
    model, before = scene
    digest, memory = model.env.digest(model.state), [field.copy() for field in model.memory]
    for agent in range(4):
        row, col = model.agents[agent].cell
        halo, sight = marks(model, ["sight"], agent, before)
        assert halo.at == (row + 0.5, col + 0.5) and tuple(np.add(halo.at, halo.lag) - 0.5) == tuple(before[agent])
        (top, left), (tall, wide) = sight.at, sight.size
        assert top == max(0, row - 1) and left == max(0, col - 1) and row + 2 >= top + tall and col + 2 >= left + wide
    assert marks(model, [], None, before) == ()
    assert len(marks(model, LAYERS, 0, before)) > 4
    assert model.env.digest(model.state) == digest and all(map(np.array_equal, model.memory, memory))


def test_messages_fly_from_who_speaks_to_who_hears(scene):
    model, before = scene
    spoken = 0
    for _ in range(12):
        page = model.talk.team.mail.said[0, (model.ticks - 1) % model.talk.team.mail.said.shape[1]]
        flights = [mark for mark in marks(model, ["messages"], None, before) if isinstance(mark, Message)]
        speakers = {int(agent) for agent in np.argwhere(page[:, :, 1] > 0)[:, 0]}
        places = {tuple(np.add(model.agents[agent].cell, 0.5)) for agent in speakers}
        assert {flight.start for flight in flights} == places
        spoken += len(flights)
        model.step()
    assert spoken


def test_tasks_stand_where_they_are_to_be_done(scene):
    model, before = scene
    owned = 0
    for _ in range(30):
        found = marks(model, ["tasks"], 1, before)
        lines = {mark.points for mark in found if isinstance(mark, Line)}
        rings = {mark.at for mark in found if isinstance(mark, Ring) and not mark.dash}
        for agent in range(4):
            kind, _, row, col = model.talk.team.task[0, agent, :4].tolist()
            here = tuple(np.add(model.agents[agent].cell, 0.5).tolist())
            if kind and row >= 0:
                assert (here, (row + 0.5, col + 0.5)) in lines and (row + 0.5, col + 0.5) in rings
                owned += 1
            elif kind:
                assert here in rings
        model.step()
    assert owned


def test_an_agent_is_seen_to_believe_and_to_imagine(scene):
    model, _ = scene
    row, col = model.agents[2].cell
    state = believed(model, 2)
    assert state.pos[0, 2].tolist() == [row, col]
    camera = Camera(model.env, (300, 300))
    real, taken = (next(camera.shoot(model.state, 1, believed=lane).frames()) for lane in (None, state))
    assert real.shape == taken.shape and not np.array_equal(real, taken)
    found = paths(model, 2)
    assert paths(model, 2) == found  # their dice are their own, not the clock's
    ways = [mark for mark in found if isinstance(mark, Line)]
    assert ways and all(way.points[0] == (row + 0.5, col + 0.5) for way in ways)
    assert found[-1].text in [verb.replace("_", " ") for verb in model.env.verbs]


def test_who_is_nowhere_and_who_has_no_grid(scene):
    model, before = scene
    assert available(model) == tuple(LAYERS)
    web = sandbox.Sandbox({"world": {"name": "web"}, "agents": [{"count": 2, "reasoner": "idle"}]}, rng=1)
    assert available(web) == ("belief",)
    office = sandbox.Sandbox({"world": {"name": "office"}, "agents": [{"count": 3, "reasoner": "rules"}]}, rng=1)
    assert available(office) == ()
    assert marks(web, LAYERS, 1) == (Rect((0.0, 0.5), (1.0, 0.5), "#009e73", 0.006),)
    there = model.state.pos[0, 3].copy()
    model.state.pos[0, 3] = -1
    assert believed(model, 3) is None and not marks(model, ["sight", "futures"], 3, before)
    model.state.pos[0, 3] = there


# -- in a browser ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(root):
    """A browser, and the address of a page that is a canvas and says what was done to it."""
    with chromium() as browser, served(root / "tests" / "canvas_page.py", root) as server:
        yield browser, server.address


def opened(pages, width: int, scale: int, **more):
    browser, address = pages
    context = browser.new_context(viewport={"width": width, "height": 844}, device_scale_factor=scale, **more)
    page, faults = context.new_page(), []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    page.locator("canvas.picture").wait_for(timeout=1000 * COMPILE)
    until(lambda: said(page)["fitted"])
    page.faults = faults
    return page


def said(page) -> dict:
    return json.loads(page.locator("code").first.inner_text())


def share(page, name: str, clip) -> int:
    """Pixels of one of its canvases that differ from nothing, where ``clip`` is a part of the stage."""
    script = """(canvas, [x, y, wide, tall]) => {
      const ratio = canvas.width / canvas.clientWidth;
      const {data} = canvas.getContext('2d').getImageData(x * ratio, y * ratio, wide * ratio, tall * ratio);
      let count = 0; for (let i = 3; i < data.length; i += 4) count += data[i] > 0; return count; }"""
    return page.locator(f"canvas.{name}").evaluate(script, clip)


def test_it_zooms_pans_and_goes_back(pages):
    page = opened(pages, 1280, 1)
    env = page.locator(".stage")
    box = env.bounding_box()
    x, y = box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"]
    page.mouse.move(x, y)
    before = said(page)
    page.mouse.wheel(0, -250)
    page.mouse.wheel(0, -250)
    until(lambda: said(page)["view"] != list(WHOLE))
    top, left, tall, wide = said(page)["view"]
    assert 0 < top < 0.4 and 0 < left < 0.4 and 0.2 < tall < 0.6 and 0.2 < wide < 0.8
    until(lambda: said(page)["pixels"] > 1.8 * before["pixels"])  # painted anew, sharper
    until(lambda: page.locator("canvas.picture").evaluate("e => e.width") == said(page)["shown"])
    page.mouse.down()
    page.mouse.move(x + 70, y + 50, steps=4)
    page.mouse.up()
    until(lambda: said(page)["view"][:2] < [top, left])
    moved = said(page)
    assert moved["view"][2:] == pytest.approx([tall, wide], abs=1e-3) and moved["clicks"] == 0  # a drag is no click
    page.get_by_title("Show all of the world").click()
    until(lambda: said(page)["view"] == list(WHOLE))
    env.focus()
    page.keyboard.press("+")
    until(lambda: said(page)["view"][2] < 0.9)
    page.keyboard.press("0")
    until(lambda: said(page)["view"] == list(WHOLE))
    assert share(page, "marks", [0, 0, box["width"], box["height"]]) > 1000
    assert page.faults == []
    page.context.close()


def test_a_click_tells_whom_it_hit(pages):
    page = opened(pages, 390, 2, has_touch=True, color_scheme="dark")
    for agent, (row, col) in enumerate(said(page)["places"]):
        picture = page.locator("canvas.picture").bounding_box()
        x, y = picture["x"] + col * picture["width"], picture["y"] + row * picture["height"]
        page.touchscreen.tap(x, y)
        until(lambda agent=agent: said(page)["clicks"] == agent + 1)
        told = said(page)
        assert told["picked"] == agent and told["click"][:2] == pytest.approx([row, col], abs=0.02)
    touch = "e => getComputedStyle(e).touchAction"
    assert "pan-y" in page.locator(".stage").evaluate(touch)  # one finger scrolls the page
    page.locator(".stage").focus()
    page.keyboard.press("+")
    until(lambda: page.locator(".stage").evaluate(touch) == "none")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390 and page.faults == []
    page.context.close()


class Fingers:
    """Fingers on a page."""

    def __init__(self, page):
        self._cdp = page.context.new_cdp_session(page)

    def move(self, *ways, steps: int = 6) -> None:
        """Each finger from one place to another, all at the same time; at last they are taken away."""
        for k in range(steps + 1):
            at = [(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps) for (x0, y0), (x1, y1) in ways]
            self._send("touchMove" if k else "touchStart", at)
        self._send("touchEnd", [])

    def _send(self, kind: str, at: list) -> None:
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(at)]
        self._cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_two_fingers_zoom_and_one_scrolls_or_pans(pages):
    page = opened(pages, 390, 2, has_touch=True, is_mobile=True)
    page.set_viewport_size({"width": 390, "height": 500})
    page.wait_for_timeout(500)
    fingers, scrolled = Fingers(page), "document.querySelector('[data-testid=stMain]').scrollTop"
    x, y = 195, 250

    def view() -> list:
        return said(page)["view"]

    fingers.move(((x, y + 80), (x, y - 80)))
    until(lambda: page.evaluate(scrolled) > 60)  # one finger scrolls the page

    def at_the_top() -> bool:
        """A page that still moves when the finger comes down may need another swipe."""
        page.wait_for_timeout(300)  # it comes to rest
        if page.evaluate(scrolled):
            fingers.move(((x, y - 80), (x, y + 80)))
        return page.evaluate(scrolled) == 0

    until(at_the_top)
    page.wait_for_timeout(300)
    assert view() == list(WHOLE)
    fingers.move(((x - 20, y), (x - 60, y)), ((x + 20, y), (x + 60, y)))
    until(lambda: view()[2] < 0.6)
    top, left, _, wide = view()
    assert left + wide / 2 == pytest.approx(0.5, abs=0.05), "around the middle of the fingers"
    fingers.move(((x, y + 60), (x, y - 60)))
    until(lambda: view()[0] > top + 0.05)  # one finger pans
    assert page.evaluate(scrolled) == 0
    fingers.move(((x - 80, y), (x - 10, y)), ((x + 80, y), (x + 10, y)))
    until(lambda: view() == list(WHOLE))
    fingers.move(((x, y + 80), (x, y - 80)))
    until(lambda: page.evaluate(scrolled) > 60)  # and scrolls again
    assert said(page)["clicks"] == 0 and page.faults == []
    page.context.close()
