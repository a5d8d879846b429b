"""The studio without a page: the runner by itself, and what it sends."""

import gc
import time
import weakref
import zlib

import pytest
from fake_llm import Server
from studio import SCENARIO, loaded, settled, until

import sandbox
from benchmarks.studio import hall, scenario
from sandbox.record import open_run
from sandbox.scenario import load
from sandbox.studio.backend import runner
from sandbox.studio.backend.camera import develop
from sandbox.studio.backend.frame_rate import FPS, LOOK, PATIENCE, FrameRate
from sandbox.studio.backend.runner import Runner
from sandbox.studio.backend.worker import HELD_UP


@pytest.fixture
def show():
    show = loaded(Runner())
    yield show
    show.close()


# -- the runner --------------------------------------------------------------------------------------------------------


def test_a_step_is_exactly_one_tick(show):
    assert settled(show) == 0
    for expected in (1, 2, 3):
        show.step()
        assert settled(show) == expected
    time.sleep(0.2)
    assert show.poll().counters.tick == 3


def test_a_pause_holds_and_a_reset_begins_anew(show):
    show.set_speed(100)
    show.play()
    until(lambda: show.poll().counters.tick > 10)
    show.pause()
    held = settled(show)
    time.sleep(0.3)
    assert show.poll().counters.tick == held and not show.peek().playing
    show.reset()
    assert settled(show) == 0


def test_it_plays_what_the_model_plays_and_stops_at_the_end(show):
    show.set_speed(100_000)
    show.play()
    until(lambda: show.poll().counters.over, 60)
    model = sandbox.Sandbox(SCENARIO, rng=1)
    while model.running:
        model.step()
    seen = until(lambda: not (shot := show.poll()).active and shot)
    assert not seen.playing and seen.counters.finish == model.finish.words
    assert (seen.counters.tick, seen.counters.done) == (model.ticks, model.tasks_done)
    assert seen.counters.reward == model.reward and seen.counters.refused == model.refused_actions


def test_it_works_at_its_own_pace_and_waits_for_a_page_that_does_not_look(show):
    show.set_speed(10)
    show.play()
    first = show.poll(10.0).strip
    assert len({stretch.tick for stretch in first.ticks}) >= 10 * LOOK  # all that is played until the next look
    time.sleep(0.5)
    assert 10 * LOOK <= show.peek().counters.tick <= 10 * (LOOK + 0.5) + 4
    show.set_speed(40)  # at 100 the episode would end just where it has to wait
    time.sleep(2.0)
    waiting = show.peek().counters
    time.sleep(0.5)
    assert show.peek().counters.tick == waiting.tick and not waiting.over


def test_strips_follow_one_another_and_fit_the_box(show):
    show.resize(300, 260)
    settled(show)
    show.set_speed(4)
    show.play()
    strips = []
    for _ in range(4):
        last = strips[-1] if strips else show.peek().strip
        strips.append(until(lambda last=last: (now := show.poll().strip) is not last and now))
    for before, strip in zip(strips, strips[1:], strict=False):
        assert strip.first == before.first + before.count and strip.episode == before.episode
        assert len(zlib.decompress(strip.body)) == strip.count * strip.height * strip.width * 3
        assert strip.width <= 300 and strip.height <= 260
    assert strips[-1].count >= 5  # four ticks a second are twenty frames


def test_frames_and_looks_become_rarer_together_where_they_take_too_long(show, monkeypatch):
    def slowly(shots, episode, first, fps):
        time.sleep(0.05 * sum(shot.parts for shot in shots))  # twenty frames a second, at full load
        return develop(shots, episode, first, fps)

    show.play()
    monkeypatch.setattr(runner, "develop", slowly)
    for _ in range(20):
        time.sleep(LOOK)
        if show.poll().pause > LOOK:
            break
    show.poll()  # what was shot before
    time.sleep(1.0)
    seen = show.poll()
    assert (seen.pause, seen.strip.fps) == (2 * LOOK, FPS / 2) and seen.playing


def test_thrift_is_learnt_from_looks_that_bring_enough():
    thrift = FrameRate()
    thrift.took(60.0, 1)  # a still
    assert (thrift.fps, thrift.look, thrift.cut(4.0), thrift.cut(96.0)) == (FPS, LOOK, (1, 6), (4, 1))
    for _ in range(9):
        thrift.took(9.0, 24)
    assert (thrift.fps, thrift.look, thrift.cut(4.0), thrift.cut(96.0)) == (FPS // 8, 8 * LOOK, (1, 1), (32, 1))
    for _ in range(PATIENCE - 1):
        thrift.took(0.2, 24)
    thrift.took(4.0, 24)  # half of the time: neither busy nor calm
    assert thrift.fps == 3
    for _ in range(PATIENCE):
        thrift.took(0.2, 24)
    assert thrift.fps == 6


def test_two_runners_are_independent(show):
    other = loaded(Runner(), seed=2)
    show.step()
    assert settled(show) == 1 and settled(other) == 0
    other.close()


def test_what_cannot_run_is_told_in_words(show):
    loaded(show, {**SCENARIO, "agents": [{"reasoner": "rulez"}]})
    shot = show.poll()
    assert shot.phase == "failed" and "did you mean 'rules'" in shot.error and "\n" not in shot.error
    assert not shot.active and shot.counters is None


def test_a_closed_runner_frees_its_model():
    show = loaded(Runner())
    model, thread = weakref.ref(show._showing.films[0].model), show._thread
    show.close()
    thread.join(10)
    assert not thread.is_alive()
    until(lambda: gc.collect() >= 0 and model() is None)


def test_a_model_that_hangs_holds_up_nothing_but_its_own_episode():
    def hang(server, handler, body):
        server.ended.wait(30)
        handler.close_connection = True

    with Server(hang) as server:
        llm = {"model": f"local:{server.address}", "timeout": 30.0, "retries": 0}
        agents = [{"count": 1, "reasoner": "llm", "llm": llm}]
        show = loaded(Runner(), load({**SCENARIO, "agents": agents}))
        waiting = show._thread
        folder = show.peek().counters.folder
        show.step()
        until(lambda: server.requests)
        until(lambda: show.poll().waited > HELD_UP)
        loaded(show)
        show.step()
        assert settled(show) == 1 and waiting.is_alive() and show._thread is not waiting
    until(lambda: not waiting.is_alive())
    with open_run(folder) as run:
        assert run.outcomes[0]["finish"] == "stopped"
    show.close()


def test_nobody_looking_ends_the_thread_and_the_next_order_goes_on():
    def left_alone():
        show = loaded(Runner(idle=0.3))
        show.play()
        thread = show._thread
        thread.join(10)
        assert not thread.is_alive()
        at = show.peek().counters.tick
        until(lambda: show.poll().counters.tick > at)
        return weakref.ref(show._showing.films[0].model)

    model = left_alone()  # the runner is nobody's any more, as when its session ends
    until(lambda: gc.collect() >= 0 and model() is None)


def test_a_pause_of_a_large_team_at_full_speed_is_no_past():
    """What was played ahead of the page is held back from the record, however much it is, so it can be forgotten."""
    show = loaded(Runner(), scenario(hall(128), 1_000))
    show.resize(800, 600)  # a page shows it, which is behind what it is sent
    show.set_speed(1_000_000)
    show.play()
    seen = until(lambda: (sent := show.poll(1.0).moments) and sent[-1].shots[0].tick, 60)
    end = time.monotonic() + 2.0
    until(lambda: show.poll(1.0) and time.monotonic() > end)
    show.pause()
    show.held(show.peek().hold, seen)
    assert settled(show) == seen
    now = show.peek().counters
    assert now.tick == now.head and not now.over
    show.close()
