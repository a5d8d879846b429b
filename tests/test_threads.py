"""The same result on any number of threads and lanes."""

import hashlib
import os
import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sandbox
from sandbox.engine import loops, pool
from sandbox.running.workers import Workers


@given(st.integers(0, 500), st.integers(1, 64))
def test_ranges_cover_every_lane_once(count, parts):
    spans = pool.ranges(count, parts)
    assert [lane for start, stop in spans for lane in range(start, stop)] == list(range(count))
    sizes = [stop - start for start, stop in spans]
    assert len(spans) <= parts and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("threads", [None, 1, 2, 7])
def test_work_over_lanes_is_summed_and_its_errors_come_out(threads):
    limit = np.array([9])
    assert pool.over_lanes(lambda start, stop: sum(range(start, stop)), 101, limit, threads) == 5050
    with pytest.raises(ZeroDivisionError):
        pool.over_lanes(lambda start, stop: 1 // 0, 101, limit, threads)


@pytest.fixture
def endless(warm_tiny):
    return sandbox.make("warehouse", layout="tiny", agents=4, deliveries=0, max_ticks=10**9)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("lanes", [1, 3])
def test_ctrl_c_ends_what_is_played_with_its_tick(endless, threads, lanes):
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        endless.play(range(lanes), "rules", threads=threads)
    assert time.monotonic() - begun < 2.5


def test_a_batch_that_is_stopped_does_not_wait_for_its_chunks(endless):
    """Its threads play for years; the process could not end before they do."""
    with pytest.raises(RuntimeError), Workers(None, True, 2) as crew:
        futures = [crew.executor.submit(endless.play, [k], "rules") for k in range(4)]
        time.sleep(0.5)
        raise RuntimeError("enough")
    begun = time.monotonic()
    assert all(future.cancelled() or isinstance(future.exception(), KeyboardInterrupt) for future in futures)
    assert time.monotonic() - begun < 2
    assert endless.play([1], "rules", ticks=5)[0].tick[0] == 5


def test_teams_that_share_a_loop_play_the_same(warm_tiny):
    """A card compiles a world once for all its agents."""
    alone = {each: warm_tiny.digest(warm_tiny.play([5], each, ticks=40)[0]) for each in ("idle", "random")}
    try:
        loops.share(warm_tiny.world, ["idle", "random"])
        loop = warm_tiny.assign_policies(["idle"] * 4)[1]
        assert loop is warm_tiny.assign_policies(["random"] * 4)[1] is not warm_tiny.assign_policies(["rules"] * 4)[1]
        for policy, digest in alone.items():
            assert warm_tiny.digest(warm_tiny.play([5], policy, ticks=40)[0]) == digest
        assert len(loop.play.overloads) == 1
    finally:
        loops._shared.clear()


@pytest.mark.parametrize("policy", ["idle", "random", "rules", "oracle"])
def test_any_number_of_threads_and_lanes_plays_the_same(warm_tiny, policy):
    seeds, ticks = range(100, 117), 60
    state, stats = warm_tiny.play(seeds, policy, ticks, threads=1)
    for threads in (2, 5):
        again, counted = warm_tiny.play(seeds, policy, ticks, threads=threads)
        assert all(np.array_equal(a, b) for a, b in zip((*state, *stats), (*again, *counted), strict=True))
    for lane in (0, 16):
        alone, counted = warm_tiny.play([seeds[lane]], policy, ticks)
        assert warm_tiny.digest(alone) == warm_tiny.digest(state, lane)
        assert all(np.array_equal(a[0], b[lane]) for a, b in zip(counted, stats, strict=True))


def test_no_lanes_play_too(warm_tiny):
    state, stats = warm_tiny.play([], "random", 5)
    assert state.seed.shape == (0,) and stats.reward.shape == (0, 4)


def _by_hand(env, seed: int) -> str:
    """Observe and step from Python, with actions of one's own."""
    state, rng = env.reset([seed, seed + 1]), np.random.default_rng(seed)
    seen, hasher = env.observation(2), hashlib.sha256()
    for _ in range(30):
        for part in env.observe(state, seen):
            hasher.update(part.tobytes())
        actions = np.zeros((2, env.agents, 2), np.int32)
        actions[..., 0] = rng.integers(0, 5, (2, env.agents))
        env.step(state, actions)
    return hasher.hexdigest() + env.digest(state, 0) + env.digest(state, 1)


def _played(env, seed: int) -> list[str]:
    policy = ("rules", "random", "oracle")[seed % 3]
    ends = [env.play([seed, seed + 7], policy, ticks, threads=1 + seed % 2)[0] for ticks in range(1, 41)]
    return [env.digest(state, lane) for state in ends for lane in (0, 1)]


def at_once(count: int, work) -> list:
    """``work(k)`` on a thread of its own for each k, all let go at the same moment."""
    found, gate = [None] * count, threading.Barrier(count)

    def run(k):
        gate.wait()
        found[k] = work(k)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_threads_on_lanes_of_their_own_do_not_meet(warm_tiny):
    def work(k):
        return [(_played(warm_tiny, k + 10 * turn), _by_hand(warm_tiny, k + 10 * turn)) for turn in range(3)]

    alone = [work(k) for k in range(6)]
    assert at_once(6, work) == alone


def test_threads_share_one_state_lane_by_lane(warm_tiny):
    """Neighbouring lanes of the same arrays."""
    actions = np.full((8, warm_tiny.agents, 2), (1, 0), np.int32)
    alone, shared = warm_tiny.reset(range(8)), warm_tiny.reset(range(8))
    for lane in range(8):
        for _ in range(50):
            warm_tiny.world.step(alone, lane, actions, warm_tiny.params)

    def work(lane):
        for _ in range(50):
            warm_tiny.world.step(shared, lane, actions, warm_tiny.params)

    at_once(8, work)
    assert all(np.array_equal(a, b) for a, b in zip(alone, shared, strict=True))


COLD = """
import json, threading
import numpy as np
from sandbox.engine.kernel import specialise
from toy import loops

NAMES = ("double", "triple")
found, gate = [None] * 8, threading.Barrier(8)

def work(k):
    out = np.zeros(4, np.int64)
    gate.wait()
    loop = specialise(loops.total, NAMES[k % 2], rate=getattr(loops, NAMES[k % 2]))
    loop(out, np.uint64(k), 100)
    found[k] = out.tolist()

threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
alone = []
for k in range(8):
    out = np.zeros(4, np.int64)
    specialise(loops.total, NAMES[k % 2], rate=getattr(loops, NAMES[k % 2]))(out, np.uint64(k), 100)
    alone.append(out.tolist())
print(json.dumps([found, alone]))
"""


def test_a_cold_first_call_from_many_threads(install):
    cold = install.run("-c", COLD)
    warm = install.run("-c", COLD)
    assert cold[0] == cold[1] == warm[0] == warm[1] and None not in cold[0]
