"""The generic perturbations: their stated rates, no effect at severity 0, errors where there is nothing to act on."""

import numpy as np
import pytest
from scipy.stats import binomtest

import sandbox
from sandbox.agents.reasoners import Faulty
from sandbox.core.decision import Decision, Percept
from sandbox.core.errors import UsageError
from sandbox.core.perturb import GENERIC, Fault, generic_doses
from sandbox.engine.episode import Episode
from sandbox.engine.faults import Faults, blur, distort, fails, hold, lose

TICKS = 4000
WORLD = {"name": "warehouse", "layout": "tiny"}


def _faults(**perturb) -> Faults:
    return Faults(generic_doses(perturb), np.zeros((1, 0, 1, 1, 4), np.int32))


def _holds(hits: int, tries: int, rate: float) -> bool:
    interval = binomtest(hits, tries).proportion_ci(0.999)
    return interval.low <= rate <= interval.high


def test_they_stand_in_one_order():
    assert [each.name for each in GENERIC] == [fault.name.lower() for fault in Fault]


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_actions_fail_at_the_stated_rate(severity):
    faults = _faults(action_failure=severity)
    assert _holds(sum(fails(7, tick, 1, faults) for tick in range(TICKS)), TICKS, 0.3 * severity)


def test_agents_crash_for_ten_ticks_at_a_time():
    faults = _faults(agent_crash=1.0)
    down = np.array([fails(7, tick, 2, faults) for tick in range(10 * TICKS)]).reshape(TICKS, 10)
    assert (down.all(axis=1) | ~down.any(axis=1)).all() and _holds(int(down[:, 0].sum()), TICKS, 0.3)


def test_noise_shows_another_cell_at_the_stated_rate_and_spares_the_own():
    wrong, side = np.zeros((5, 5), int), 5
    cells = np.arange(side * side, dtype=np.int8).reshape(1, side, side)
    for tick in range(TICKS):
        window = np.concatenate([cells, 2 * cells])
        blur(3, tick, 0, 0.2, window)
        assert (window[1] == 2 * window[0]).all()  # all channels of a cell move together
        assert (window[0] == 12).sum() == 1  # what is in the middle is nowhere else
        wrong += window[0] != cells[0]
    assert wrong[2, 2] == 0
    assert _holds(int(wrong.sum()), TICKS * 24, 0.2 * 23 / 24)  # one time in 24 the other cell is the same


def test_messages_get_lost_at_the_stated_rate():
    kept = 0
    for tick in range(TICKS):
        inbox = np.ones((3, 4), np.int32)
        lose(5, tick, 0, 0.4, inbox)
        assert ((inbox == 1).all(axis=1) | (inbox == 0).all(axis=1)).all()
        kept += int(inbox[:, 0].sum())
    assert _holds(kept, 3 * TICKS, 0.6)


def test_messages_come_late_by_the_length_of_the_ring():
    mail, heard = np.zeros((3, 2, 1, 4), np.int32), []
    for tick in range(8):
        inbox = np.full((2, 1, 4), tick + 1, np.int32)
        hold(inbox, mail[tick % 3])
        heard.append(int(inbox[0, 0, 0]))
    assert heard == [0, 0, 0, 1, 2, 3, 4, 5]


def test_crews_hear_late_and_less():
    """The same episodes, so that what is heard can be compared tick by tick."""
    options = {"height": 32, "width": 32, "agents": 8, "save": 0.0}
    heard = {}
    for name, perturb in {"clean": {}, "late": {"message_delay": 0.3}, "none": {"message_loss": 1.0}}.items():
        env = sandbox.make("wildfire", **options, perturb=perturb)
        episode, heard[name] = Episode(env, 4, [None] * 8), []
        for _ in range(30):
            episode.sense()
            heard[name].append(episode.observation.inbox[0].copy())
            episode.act()
    clean, late = np.array(heard["clean"]), np.array(heard["late"])
    assert clean.any() and (late[3:] == clean[:-3]).all() and not late[:3].any()
    assert not np.array(heard["none"]).any()


def test_a_failed_action_is_the_noop_and_counts_as_prevented():
    env = sandbox.make("warehouse", agents=1, deliveries=0, max_ticks=400, perturb={"action_failure": 1.0})
    state, stats = env.play(range(30), "random")
    moved = binomtest(int(stats.refused.sum()), 30 * 400).proportion_ci(0.999)
    assert moved.low > 0.15 and moved.high < 0.35  # of all ticks; the no-op itself cannot fail
    assert stats.invalid.sum() == 0


def test_nothing_is_changed_at_dose_0():
    env = sandbox.make("wildfire", height=32, width=32)
    state, observation, faults = env.reset([4]), env.observation(1), env.faults(1)
    env.observe(state, observation)
    before = [part.copy() for part in observation]
    distort(np.uint64(4), 0, 0, observation, faults)
    assert all((a == b).all() for a, b in zip(before, observation, strict=True))
    assert faults.mail.size == 0 and not any(fails(1, tick, 0, faults) for tick in range(100))


class _Steady:
    def decide(self, percepts):
        return [Decision(2, 3) for _ in percepts]


def _replies(ticks: int, **perturb) -> list[Decision]:
    faulty = Faulty(_Steady(), generic_doses(perturb), 9, verbs=5, noop=0)
    return [faulty.decide([Percept(0, tick, None, None, None, None, None)])[0] for tick in range(ticks)]


def test_replies_do_not_come_or_come_in_part():
    assert _replies(50) == [Decision(2, 3)] * 50
    late = _replies(TICKS, tool_timeout=0.6)
    assert set(late) == {Decision(2, 3), Decision(0)} and _holds(late.count(Decision(0)), TICKS, 0.3)
    part = _replies(TICKS, partial_reply=1.0)
    assert set(part) == {Decision(2, 3), Decision(2, 0)} and _holds(part.count(Decision(2, 0)), TICKS, 0.5)
    limited = np.array([reply == Decision(0) for reply in _replies(TICKS, rate_limit=1.0)]).reshape(-1, 10)
    assert (limited.all(axis=1) | ~limited.any(axis=1)).all() and _holds(int(limited[:, 0].sum()), TICKS // 10, 0.5)


def test_in_half_of_the_episodes_the_schema_changes_once():
    changed = 0
    for seed in range(200):
        faulty = Faulty(_Steady(), generic_doses({"changed_schema": 1.0}), seed, verbs=5, noop=0)
        verbs = [faulty.decide([Percept(0, tick, None, None, None, None, None)])[0].verb for tick in range(60)]
        turns = np.flatnonzero(np.diff(verbs))
        assert len(turns) <= 1 and verbs[0] in range(5)
        changed += verbs[-1] != 2
    assert _holds(changed, 200, 0.5)


def test_they_reach_scripted_agents_of_a_scenario():
    scripted = {"count": 1, "reasoner": "scripted", "script": ["left"] * 40}
    scenario = {"world": {**WORLD, "max_ticks": 40}, "agents": [scripted], "perturb": {"tool_timeout": 1.0}}
    model = sandbox.Sandbox(scenario, rng=3)
    verbs = []
    while model.running:
        model.step()
        verbs.append(int(model.latest.actions[0, 0]))
    assert model.error is None and 5 < verbs.count(0) < 35


@pytest.mark.parametrize(
    ("world", "perturb", "told"),
    [
        (WORLD, {"message_loss": 0.5}, "perturb.message_loss: this world has no messages"),
        (WORLD, {"rate_limit": 0.5}, "acts on replies, but every reasoner here is compiled"),
        (WORLD, {"sensor_nose": 0.5}, "did you mean 'sensor_noise'"),
        (WORLD, {"action_failure": 1.5}, "perturb.action_failure: severity 1.5, expected 0..1"),
    ],
)
def test_what_cannot_act_is_told(world, perturb, told):
    with pytest.raises(UsageError, match=told):
        sandbox.run({"world": world, "agents": [{"count": 2}], "perturb": perturb})
