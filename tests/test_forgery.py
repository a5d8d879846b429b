"""Nothing forged passes: whoever changes a record and makes its chain, root and seal anew is found, or it is told."""

import json
import typing

import pytest
from commands import told
from forging import RUNS, forgeries, rewrite, sample, tables, verdict_on

import sandbox
from sandbox.core.finish import Outcome
from sandbox.record import Event, canonical, open_run, parse
from sandbox.running.replay import UNROOTED, verify
from sandbox.running.trust import TRUSTED

MAY_DOUBLE = {"placed", "changed", "resumed"}  # once more it changes nothing but what is told
TRIED = 2  # forgeries of each field of each kind of event


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> dict[str, list[dict]]:
    """The events of a run of every kind."""
    found = {}
    for make in RUNS:
        make(folder := tmp_path_factory.mktemp(make.__name__) / "run")
        found[make.__name__] = tables(folder)
    return found


def kinds() -> dict[str, type]:
    """The models of all events, by kind."""
    union, *_ = typing.get_args(Event)
    return {model.model_fields["kind"].default: model for model in typing.get_args(union)}


@pytest.fixture(scope="module")
def tried(records):
    """Forgeries of every field of every kind of event, each with its record's name and the verdict on it."""
    chosen: dict[tuple[str, str], int] = {}
    found = []
    for name, events in records.items():
        for one in sample(forgeries(events), 1, 7):
            if chosen.get(one.place, 0) < TRIED:
                chosen[one.place] = chosen.get(one.place, 0) + 1
                found.append((name, one, verdict_on(one.tables)))
    return found


def test_records_of_every_kind_verify_when_written_again(records):
    for name, events in records.items():
        verdict = verdict_on(events)
        assert verdict.passed, f"{name}: {verdict.summary}"


def test_every_field_of_every_event_is_tried(tried):
    places = {one.place for _, one, _ in tried}
    fields = {(kind, name) for kind, model in kinds().items() for name in model.model_fields}
    fields |= {("trial_finished", f"outcome.{name}") for name in Outcome._fields}
    assert fields - {("trial_finished", "outcome")} <= places
    assert {place for place in TRUSTED if place not in places} == set()


def test_what_is_forged_is_found_or_told(tried):
    """A field is compared, or it is in the table of what no record can show."""
    for name, one, verdict in tried:
        if verdict is None or not verdict.passed:
            continue
        kind, field = one.place
        of_a_script = kind == "call" and name != "served"
        if one.how.endswith("dropped") and field:  # reads as the default, and where that is wrong it is told
            default = Outcome._field_defaults.get(field.removeprefix("outcome."), "none")
            assert default != "none" or not kinds()[kind].model_fields[field].is_required(), one.how
        elif not field:
            assert kind in MAY_DOUBLE or (name, kind) == ("killed", "tick"), f"{name}: {one.how}"
        else:
            assert (kind, field) in TRUSTED and not of_a_script, f"{name}: {kind}, {one.how}"
        assert UNROOTED in verdict.summary


def test_a_noted_root_finds_all_of_it(records):
    events = records["rules"]
    root = verdict_on(events).chain.root
    assert verdict_on(events, root).passed
    assert not any(
        verdict_on(one.tables, root).passed for one in sample(forgeries(events), 1, 3) if one.place[1] == "seed"
    )


# -- what was forged when this was written -----------------------------------------------------------------------------


def changed(events: list[dict], kind: str, **fields) -> list[dict]:
    """With other fields of the events of a kind; ``outcome`` is merged."""
    outcome = fields.pop("outcome", {})
    return [
        {**event, **fields, **({"outcome": event["outcome"] | outcome} if outcome else {})}
        if event["kind"] == kind
        else event
        for event in events
    ]


def test_an_idle_run_is_no_success(records, tmp_path):
    sandbox.run(
        {"world": {"name": "web", "max_ticks": 3}, "agents": [{"reasoner": "idle"}]}, seed=1, out=tmp_path / "r"
    )
    idle = tables(tmp_path / "r")
    success = records["completed"][-2]["outcome"]
    own = {key: value for key, value in success.items() if key not in ("ticks", "digest", "steps_to_completion")}
    verdict = verdict_on(changed(idle, "trial_finished", outcome=own | {"steps_to_completion": 3}))
    assert verdict.chain.intact and "the outcome differs (success: recorded True" in verdict.differs
    assert (
        "the outcome differs (finish: "
        in verdict_on(changed(idle, "trial_finished", outcome={"finish": "completed"})).differs
    )


def test_a_run_that_is_cut_has_not_completed(records):
    ticks = [event for event in records["completed"] if event["kind"] == "tick"]
    for kept in range(len(ticks)):
        cut = [event for event in records["completed"] if event["kind"] != "tick" or event["tick"] <= kept]
        words = f"the outcome says 'completed'; executed again, the episode goes on after tick {kept}"
        assert words in verdict_on(cut).differs
    stopped = {"finish": "stopped", "success": True}
    claimed = changed(changed(cut, "trial_finished", outcome=stopped), "run_finished", status="stopped")
    assert "success: recorded True, executed again False" in verdict_on(claimed).differs


@pytest.mark.parametrize(("kind", "change", "words"), [
    ("trial_finished", {"outcome": {"tokens": 7}}, "tokens: recorded 7, executed again 30"),
    ("trial_finished", {"outcome": {"money": 0.0}}, "money: recorded 0.0, executed again 5.9"),
    ("call", {"output_tokens": 6}, "a call of a language model gives another result (output_tokens: recorded 6"),
    ("call", {"money": 1e-9}, "a call of a language model gives another result (money: recorded 1e-09"),
    ("model", {"price": [0.0, 0.0]}, "a language model receives another prompt (price[0]: recorded 0.0"),
    ("model", {"model": "openai:gpt-5.2"}, "(model: recorded 'openai:gpt-5.2', executed again 'scripted')"),
    ("trial_started", {"agents": [{"name": "Ada", "role": "courier", "reasoner": "llm"}]}, "the team differs"),
    ("run_started", {"scenario_hash": "0" * 64}, "the scenario differs"),
    ("run_finished", {"trials": 2}, "the run is said to be done, with 2 trials; it is done, with 1"),
])  # fmt: skip
def test_other_tokens_money_names_are_found(records, kind, change, words):
    verdict = verdict_on(changed(records["scripted"], kind, **change))
    assert verdict.chain.intact and words in verdict.differs


def test_a_script_says_what_its_scenario_says(records):
    """Its replies are in the scenario, so other ones are found even where no action differs."""
    events = records["scripted"]
    first = next(event["reply"] for event in events if event["kind"] == "call" and event["reply"])
    assert "the script says something else" in verdict_on(changed(events, "call", reply=first)).differs


def test_a_luckier_seed_is_found_by_the_noted_root(tmp_path):
    """Without one it is said that nobody can know."""
    table = {
        "world": {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 60},
        "agents": [{"count": 4}],
    }
    for seed in (1, 2):
        sandbox.run(table, seed=seed, out=tmp_path / str(seed))
    with open_run(tmp_path / "1") as run:
        root = run.meta["root"]
    verdict = verify(tmp_path / "2")
    assert verdict.passed and verdict.summary.endswith(UNROOTED)
    found = verify(tmp_path / "2", root)
    assert not found.passed and "the noted root is" in found.summary
    assert "the noted root agrees" in verify(tmp_path / "1", root).summary


def test_other_versions_are_told(records):
    events = changed(records["rules"], "run_started", versions=records["rules"][0]["versions"] | {"numba": "0.1"})
    verdict = verdict_on(events)
    assert verdict.passed and any(
        line.startswith("recorded with numba 0.1, verified with numba ") for line in verdict.told
    )


def test_what_was_done_to_a_run_is_told(records):
    summary = verdict_on(records["disturbed"]).summary
    for words in (
        "before tick 3 somebody drew into the world (closed)", "agents.1.reasoner: 'rules' -> 'llm'",
        "trial 0 was stopped after tick 3, which a record can claim of any tick",
        "before tick 4 the run was interrupted",
        "the scenario was changed (perturb: nothing -> {'action_failure': 0.5})",
    ):  # fmt: skip
        assert words in summary
    assert "what people did and allowed" in verdict_on(records["people"]).summary
    assert "what language models replied" in verdict_on(records["served"]).summary
    assert "language models" not in verdict_on(records["scripted"]).summary
    assert "has no outcome: the run was killed" in verdict_on(records["killed"]).summary


def test_records_of_earlier_versions_verify(records):
    """What they do not say is told where it is not the default."""
    events = records["scripted"]
    late = ("read", "without", "outage")
    old = [{key: value for key, value in event.items() if key not in late} for event in events]
    outcome = {key: value for key, value in events[-2]["outcome"].items() if key not in ("autonomy", "stalls")}
    verdict = verdict_on([*old[:-2], {**old[-2], "outcome": outcome}, old[-1]])
    assert verdict.passed
    assert [line for line in verdict.told if "autonomy" in line] and not [
        line for line in verdict.told if "stalls" in line
    ]


def test_numbers_are_numbers():
    """A record that says "1" or 1.0 for 1 is another one."""
    tick = {"kind": "tick", "trial": 0, "tick": 1, "actions": [[1, 0]], "reward": [0.5], "digest": "0" * 64}

    event = parse(json.dumps(tick).encode())
    assert parse(canonical(event)) == event
    for field, value in (("tick", "1"), ("tick", 1.0), ("trial", False), ("actions", [[1.0, 0]]), ("reward", ["0.5"])):
        with pytest.raises(sandbox.core.errors.RecordError):
            parse(json.dumps(tick | {field: value}).encode())


def test_the_command_line_tells_it(records, tmp_path):
    root = verdict_on(records["people"]).chain.root
    rewrite(records["people"], tmp_path / "run")
    assert told("verify", tmp_path / "run") == 0 and told("verify", tmp_path / "run", "--root", root) == 0
    rewrite(changed(records["people"], "trial_finished", outcome={"reward": 9.0}), tmp_path / "forged")
    assert told("verify", tmp_path / "forged") == 1


# -- what a sceptic tried ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["placed", "changed"])
def test_nothing_is_done_to_an_episode_that_is_over(records, kind):
    """Else a success could be drawn into its last state, or an agent's failure be forgotten."""
    deeds = [event | {"tick": 5} for event in records["disturbed"] if event["kind"] == kind][-1:]
    events = records["rules"]
    assert "end of its episode" in verdict_on([*events[:-2], *deeds, *events[-2:]]).differs


@pytest.mark.parametrize("change", [{"claim": "team with fallback"}, {"seed": 7}, {"world": {"name": "web"}}])
def test_what_cannot_change_in_the_middle_was_not_changed(records, change):
    events = records["disturbed"]
    k = next(k for k, event in enumerate(events) if event["kind"] == "changed")
    forged = [*events[:k], events[k] | {"scenario": events[k]["scenario"] | change}, *events[k + 1 :]]
    assert "tick 3: expected the same" in verdict_on(forged).differs


def test_a_key_that_stands_twice_is_found(records, tmp_path):
    """SQLite reads the first one, Python the last."""
    body = json.dumps(records["rules"][2], sort_keys=True, separators=(",", ":"))
    twice = [body.replace("{", '{"digest":"' + "0" * 64 + '",', 1), records["rules"][0]]
    for k, text in (
        (2, twice[0]),
        (0, json.dumps(twice[1], separators=(",", ":"), sort_keys=True)[:-1] + ',"trials":1}'),
    ):
        folder = rewrite(records["rules"], tmp_path / str(k), {k: text})
        assert "is not written as events are" in verify(folder).chain.problems[0]


def test_several_trials_are_all_executed_again(records):
    first, second = records["rules"], [event | {"trial": 1} for event in records["rules"][1:-1]]
    both = [first[0] | {"trials": 2}, *first[1:-1], *second, first[-1] | {"trials": 2}]
    verdict = verdict_on(both)
    assert verdict.passed and verdict.ticks == 8, verdict.summary
    assert (
        "trial 1: the outcome differs (reward"
        in verdict_on([*both[:-2], both[-2] | {"outcome": both[-2]["outcome"] | {"reward": 9.0}}, both[-1]]).differs
    )
    assert "its trial 1 is not" in verdict_on([*both[:-2], both[-1]]).differs
    assert verdict_on(both[:-2]).passed and not verdict_on(both[:-1]).passed


@pytest.mark.parametrize("part", ["decide", "act", "record"])
def test_a_run_that_is_stopped_in_the_middle_of_a_tick_verifies(part, tmp_path, monkeypatch):
    """What it counts is of whole ticks, which are recorded."""
    from sandbox.engine.environment import Environment
    from sandbox.running import trial

    model = {"reasoner": "llm", "llm": {"model": "scripted", "replies": [{"verb": "left"}] * 9}, "fallback": "rules"}
    team = {"protocol": "manager", "tasks": [{"kind": "first", "argument": 0}]}
    table = {
        "world": {"name": "warehouse", "layout": "tiny", "deliveries": 5},
        "agents": [model, {"count": 2}],
        "team": team,
    }
    calls = []
    place, name = {
        "decide": (sandbox.Sandbox, "percept"),
        "act": (Environment, "digest"),
        "record": (trial, "tick_events"),
    }[part]
    original = getattr(place, name)

    def interrupted(*arguments):
        calls.append(name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(place, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        sandbox.run(table, seed=2, out=tmp_path / "run")
    monkeypatch.undo()
    verdict = verify(tmp_path / "run")
    assert verdict.passed and verdict.ticks == 2, verdict.summary
    assert "trial 0 was stopped after tick 2" in verdict.summary
    sandbox.resume(tmp_path / "run")
    assert verify(tmp_path / "run").passed


def test_a_run_that_ended_by_the_clock_verifies(tmp_path):
    team = {"protocol": "independent", "tasks": [{"kind": "first", "argument": 0}], "stop": "seconds(0) & ticks(3)"}
    table = {"world": {"name": "warehouse", "layout": "tiny", "deliveries": 5}, "agents": [{"count": 2}], "team": team}
    outcome = sandbox.run(table, seed=2, out=tmp_path / "run")
    assert outcome.ticks == 3
    verdict = verify(tmp_path / "run")
    assert verdict.passed and "trial 0 ended by the clock after tick 3" in verdict.summary, verdict.summary
    events = tables(tmp_path / "run")
    early = [event for event in events if event["kind"] != "tick" or event["tick"] < 3]
    assert "executed again, the episode goes on after tick 2" in verdict_on(early).differs


def test_a_function_is_described_in_full(records):
    """Else the record could not be read again."""
    events = records["scripted"]
    (used,) = [event for event in events if event["kind"] == "model"]
    ((name, told_of),) = used["functions"].items()
    for key in told_of:
        less = {name: {other: value for other, value in told_of.items() if other != key}}
        assert not verdict_on(changed(events, "model", functions=less)).chain.intact
    assert not verdict_on(changed(events, "model", functions={name: told_of | {"more": 1}})).chain.intact
