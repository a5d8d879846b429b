"""Calls of models in time, how bursty they are, and the server's queue: against theory, SimPy, and published rates."""

import json
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from commands import told
from fake_llm import Server as Fake
from fake_llm import plays

import sandbox
from benchmarks.stand_in import record
from sandbox.analysis.calls import Calls, Clock, bulk, burstiness, calls_in, middle, poisson
from sandbox.analysis.serving import SERVERS, Server, by_chance, curve, server_of, team
from sandbox.core.errors import UsageError
from sandbox.engine.queueing.serving import Asked, Rates, serve
from sandbox.record import CallDone, canonical, open_run, parse
from sandbox.running.replay import verify

RATES = Rates(0.03, 0.001, 0.0002, 4)


def asked(rng: np.random.Generator, callers: int = 6, each: int = 200, gap: float = 3.0) -> Asked:
    count = callers * each
    tokens = rng.integers(1, 800, count), rng.integers(1, 30, count)
    return Asked(np.arange(0, count + 1, each), rng.exponential(gap, count), *tokens)


def alone(gaps: np.ndarray, prompt: np.ndarray) -> Asked:
    """Callers who call once, each so long after the one before."""
    count = len(gaps)
    return Asked(np.arange(count + 1), np.cumsum(gaps), prompt, np.ones(count, np.int64))


# -- the server's queue


@pytest.mark.skipif(find_spec("simpy") is None and not os.environ.get("CI"), reason="SimPy comes with the extra test")
@pytest.mark.parametrize("batch", [1, 4, 64])
def test_calls_end_when_simpy_says_so_on_the_same_samples(batch):
    """The same server, written as a process of SimPy with lists."""
    import simpy

    calls, rates = asked(np.random.default_rng(batch), gap=1.0), RATES._replace(batch=batch)
    env, waiting, ended = simpy.Environment(), [], {}
    woken = [env.event()]

    def caller(first, last):
        for call in range(first, last):
            yield env.timeout(calls.gap[call])
            done = env.event()
            waiting.append((call, done))
            if not woken[0].triggered:
                woken[0].succeed()
            yield done
            ended[call] = env.now

    def server():
        going = []
        while True:
            new = [[call, done, calls.output[call]] for call, done in waiting[: rates.batch - len(going)]]
            del waiting[: len(new)]
            going += new
            if not going:
                woken[0] = env.event()
                yield woken[0]
                continue
            read = sum(calls.prompt[call] for call, *_ in new)
            yield env.timeout(rates.base + rates.each * len(going) + rates.prompt * read)
            for one in going:
                one[2] -= 1
                if not one[2]:
                    one[1].succeed()
            going = [one for one in going if one[2]]

    for first, last in zip(calls.starts, calls.starts[1:], strict=False):
        env.process(caller(first, last))
    env.process(server())
    env.run(until=1e6)
    found = serve(calls, rates)
    assert np.allclose(found.ended, [ended[call] for call in range(len(calls.gap))], rtol=1e-9)
    assert found.area == pytest.approx((found.ended - found.asked).sum(), rel=1e-9), "Little's law, on this path"


@pytest.mark.parametrize("spread", [0, 600], ids=["M/D/1", "M/G/1"])
def test_a_batch_of_one_waits_as_pollaczek_and_khinchine_say(spread):
    """Mean time inside = E[S] + lambda E[S^2] / 2 (1 - rho), within four standard errors of 20 runs."""
    rates, found = Rates(0.1, 0.0, 0.001, 1), []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        prompt = rng.integers(600 - spread, 600 + spread + 1, 5_000)
        result = serve(alone(rng.exponential(1.0, 5_000), prompt), rates)
        found.append((result.ended - result.asked).mean())
    mean, variance = 0.1 + 0.6, ((2 * spread + 1) ** 2 - 1) / 12 * 1e-6
    truth = mean + (mean**2 + variance) / 2 / (1 - mean)
    assert abs(np.mean(found) - truth) < 4 * np.std(found, ddof=1) / 20**0.5


def test_the_named_server_has_the_throughputs_that_its_page_tells():
    """Of runs with 128 tokens of output, whose throughputs were not used to find the rates: batch, prompt, tokens/s."""
    told = [(1, 1, 33.94), (1, 128, 33.63), (1, 2048, 28.32), (16, 1, 468.52), (16, 128, 439.77), (16, 2048, 189.34),
            (32, 1, 906.03), (32, 128, 746.36), (32, 2048, 232.6), (64, 1, 1425.79), (64, 128, 1159.84),
            (64, 2048, 270.47)]  # fmt: skip
    for batch, prompt, tokens in told:
        calls = Asked(np.arange(batch + 1), np.zeros(batch), np.full(batch, prompt), np.full(batch, 128))
        found = serve(calls, SERVERS["llama2-70b"].rates)
        assert batch * 128 / found.ended.max() == pytest.approx(tokens, rel=0.09)


# -- burstiness


def stream(began: np.ndarray, span: float) -> Calls:
    count = len(began)
    whole = np.zeros(count, np.int64)
    return Calls(began, began, whole, whole, whole + 500, whole + 20, span, True)


def test_a_poisson_stream_is_one_and_its_intervals_hold_that():
    """Of 100 studies of 20 trials, the intervals hold the truth in at least 86; 95 are expected, by chance 90 or so."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(100):
        trials = [stream(np.sort(rng.uniform(0, 300, rng.poisson(300))), 300.0) for _ in range(20)]
        ten = burstiness(trials).dispersion[1]
        held += ten.low <= 1 <= ten.high
    assert held >= 86
    found = poisson(trials)
    assert all(each.low < 1 < each.high for each in (*found.dispersion, found.variation))


def test_batches_and_even_gaps_have_the_dispersion_that_they_must():
    """Batches of 5 at the moments of a Poisson stream: 5. Equal gaps: 0."""
    rng = np.random.default_rng(1)
    trials = [stream(np.repeat(np.sort(rng.uniform(0, 2_000, rng.poisson(2_000))), 5), 2_000.0) for _ in range(10)]
    assert all(each.low < 5 < each.high for each in burstiness(trials).dispersion)
    even = bulk(trials)
    assert even.variation.high < 1e-9 and max(each.high for each in even.dispersion) < 0.01
    assert np.isnan(burstiness(trials[:1]).variation.low), "one trial has no interval"


def test_the_middle_of_a_trial_leaves_out_its_ends():
    trial = stream(np.concatenate([np.full(50, 1.0), np.linspace(100, 200, 101), np.full(50, 900.0)]), 1_000.0)
    kept = middle(trial, 0.5)
    assert len(kept.began) < 101 and np.allclose(np.diff(kept.began), 1) and kept.span < 101 and kept.began[0] == 0
    assert middle(trial, 1.0)[6:] == trial[6:] and len(middle(trial, 1.0).began) == len(trial.began)


# -- K agents


def test_agents_who_call_by_chance_wait_as_in_a_closed_network():
    """M/D/1 at the limit of many agents who seldom call, and the time of one call where there is one agent."""
    rng = np.random.default_rng(2)
    trials = [stream(np.sort(rng.uniform(0, 50_000, 500)), 50_000.0) for _ in range(5)]
    server = Server(base=0.1, each=0.0, prompt=0.0005, batch=1)
    one, many = curve(trials, server, (1, 60), range(3))
    assert one.latency[0].value == pytest.approx(0.1 * 20 + 0.25)
    assert many.busy > 0.5 and many.latency[1].value > 2 * one.latency[1].value
    assert many.latency[1].value == pytest.approx(many.chance[1].value, rel=0.3)


def test_a_team_begins_anywhere_and_goes_on_from_the_trials_end():
    rng = np.random.default_rng(3)
    trial = stream(np.array([10.0, 30.0, 90.0]), 100.0)
    calls = team([trial], 3, 1_000.0, rng)
    assert len(calls.starts) == 4
    for first, last in zip(calls.starts, calls.starts[1:], strict=False):
        moments = np.cumsum(calls.gap[first:last])
        assert moments[-2] < 1_000 <= moments[-1]
        assert {round(each) for each in np.diff(moments)} == {20, 60}  # from 90 to the end, and 10 more, is 20, too
    mixed = by_chance(calls, rng)
    assert mixed.gap.sum() == pytest.approx(calls.gap.sum()) and sorted(mixed.prompt) == sorted(calls.prompt)


# -- records

WORLD = {"name": "warehouse", "layout": "tiny", "deliveries": 2, "max_ticks": 12}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two agents whose model takes some time."""
    folder = tmp_path_factory.mktemp("calls") / "run"
    with Fake(plays(delay=0.02)) as server:
        llm = {"model": f"local:{server.address}", "max_tokens": 100}
        sandbox.run({"world": WORLD, "agents": [{"count": 2, "reasoner": "llm", "llm": llm}]}, seed=3, out=folder)
    return folder


def test_a_call_says_when_it_began_and_old_ones_are_read_without(run):
    with open_run(run) as record:
        calls = [event for event in record.events() if isinstance(event, CallDone)]
    began = [call.began for call in calls]
    assert began == sorted(began) and began[0] > 0 and len(set(began)) == max(call.tick for call in calls)
    ends = {call.tick: call.began + call.seconds for call in calls}
    assert all(call.began >= ends.get(call.tick - 1, 0.0) for call in calls)
    old = json.loads(canonical(calls[0]))
    del old["began"]
    assert parse(json.dumps(old, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).began is None
    assert verify(run).passed


def test_both_clocks_of_a_run(run):
    (world,), (own,) = calls_in(run), calls_in(run, Clock.RUN)
    assert world.began.tolist() == np.repeat(np.arange(12.0), 2).tolist() and world.span == 12
    assert own.agents == 2 and own.counted and (own.ended > own.began).all() and own.span < 60
    assert set(own.prompt) == {100} and set(own.output) == {10}


def test_the_office_tells_calls_in_its_own_minutes(tmp_path):
    record({"name": "office", "cases": 5, "max_ticks": 2_000}, 2, 1, 7, tmp_path / "run")
    (trial,) = calls_in(tmp_path / "run")
    assert not trial.counted and set(trial.output) == {7} and trial.prompt.min() > 100
    assert trial.span > 86_400 and np.allclose(trial.began * 1024 / 60, np.round(trial.began * 1024 / 60))
    with pytest.raises(UsageError, match="no time on the clock of the run"):
        calls_in(tmp_path / "run", Clock.RUN)


def test_the_command_prints_tables_and_draws(run, tmp_path, capsys):
    assert told("serving", run, "--agents", "1,4", "--out", tmp_path / "calls.svg") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "24 calls, 1 trial, up to 2 agents" in printed and "LMDeploy" in printed
    assert "agents on one server" in (tmp_path / "calls.svg").read_text()


@pytest.mark.parametrize(("arguments", "words"), [
    (["--clock", "wall"], "--clock wall: expected world or run"),
    (["--server", "llama"], "unknown server 'llama'"),
    (["--agents", "0"], "--agents 0: expected whole numbers"),
    (["--out", "calls.pdf"], "unknown kind of picture '.pdf'"),
    (["--condition", "3"], "--condition 3: expected one of 0"),
    (["--middle", "2"], "--middle 2: expected a share"),
])  # fmt: skip
def test_errors_are_one_line(run, arguments, words, capsys):
    assert told("serving", run, *arguments) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line


def test_a_run_without_models_says_so(tmp_path):
    sandbox.run({"world": WORLD, "agents": [{"count": 2}]}, seed=3, out=tmp_path / "run")
    with pytest.raises(UsageError, match="no language model; expected a run with the reasoner 'llm'"):
        calls_in(tmp_path / "run")


def test_a_server_of_ones_own(tmp_path):
    file = Path(tmp_path / "own.toml")
    file.write_text("base = 0.01\nbatch = 2\n")
    assert server_of(str(file)) == Server(base=0.01, batch=2)
    file.write_text("base = 0.01\nbatchs = 2\n")
    with pytest.raises(UsageError, match="own.toml: batchs: Extra inputs"):
        server_of(str(file))
