"""BPMN models with Prosimos' parameters: what is imported, the process that comes of it, and what is refused."""

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from commands import told
from scipy import integrate, stats

import sandbox
from sandbox.core.errors import UsageError
from sandbox.engine.queueing.distributions import moments, quantiles
from sandbox.record import open_run
from sandbox.running.replay import replay
from sandbox.worlds.office import bpmn, layouts
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.log import log_of
from sandbox.worlds.office.prosimos import scenario
from sandbox.worlds.office.state import DAY, Case, Status, Time

MODEL = Path(__file__).parents[1] / "examples" / "bpmn" / "claims.bpmn"
PARAMETERS = MODEL.with_suffix(".json")


@pytest.fixture(scope="module")
def claims(tmp_path_factory):
    """The imported scenario of the example, from the command line."""
    file = tmp_path_factory.mktemp("claims") / "claims.toml"
    assert told("import", MODEL, PARAMETERS, "--out", file) == 0
    return file


def options(file: Path, **changed) -> dict:
    return {key: value for key, value in tomllib.loads(file.read_text())["world"].items() if key != "name"} | changed


# -- distributions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("law", "parameters", "low", "high"), [
    ("expon", [1.0, 7.0], 1.0, 120.0), ("norm", [12.0, 2.0], 10.0, 60.0), ("gamma", [4.0, 0.0, 4.5], 2.0, 120.0),
    ("lognorm", [0.47, 0.0, 40.0], 10.0, 360.0), ("uniform", [10.0, 20.0], 0.0, 25.0),
    ("exponnorm", [4.6, 17.0, 1.1], 13.0, 140.0), ("triang", [0.3, 5.0, 10.0], 0.0, np.inf),
])  # fmt: skip
def test_a_law_within_limits_has_scipys_moments(law, parameters, low, high):
    """Mean and variance by integration of the density between the limits, to a per mille and half a per cent."""
    frozen = getattr(stats, law)(*parameters)
    low, high = max(low, frozen.support()[0]), min(high, frozen.support()[1])
    whole = frozen.cdf(high) - frozen.cdf(low)
    first, second = (
        integrate.quad(lambda x, k=k: x**k * frozen.pdf(x) / whole, low, high, limit=200)[0] for k in (1, 2)
    )
    mean, variance = moments(quantiles(law, parameters, low, high))
    assert mean == pytest.approx(first, rel=1e-3) and variance == pytest.approx(second - first**2, rel=5e-3)


# -- what is imported --------------------------------------------------------------------------------------------------


def test_the_example_is_imported_with_its_ways_people_hours_and_laws(claims):
    process = layouts.checked(options(claims)["layout"], "claims")
    assert process.flow[0].path == [
        "Register claim", "-> Papers arrive 0.2", "Assess claim", "-> Write refusal 0.25",
        "-> Assess claim 0.133333333333", "Approve payment", "Pay", "-> end", "Write refusal", "-> end",
        "Papers arrive", "-> Register claim",
    ]  # fmt: skip
    team = process.post["team"].person
    assert [(each.count, each.work, each.wage, [*each.minutes]) for each in team] == [
        (1, "mon-fri 8-12, mon-fri 13-17", 45.0, ["Assess claim"]),
        (1, "mon-wed 9-15, thu-fri 9-13", 52.0, ["Assess claim", "Approve payment"]),
        (1, "mon-fri 13-17", 70.0, ["Approve payment"]),
    ]  # fmt: skip
    law = team[0].minutes["Assess claim"]
    mean, variance = stats.lognorm(*law.parameters).stats("mv")
    assert (float(mean), float(variance)) == pytest.approx((2700 / 60, 1822500 / 3600)) and law.high == 360
    assert process.arrival.work == "mon-fri 8-16" and options(claims)["people"] == 3
    env = sandbox.make("office", **options(claims, cases=5))
    assert moments(env.params.gap.tolist())[0] == pytest.approx(40, rel=1e-3)  # the load gives the gap of the file


def test_an_imported_process_runs_as_its_chain_hours_and_people_say(claims):
    """800 cases by people: visits within four standard errors of the chain; arrivals within their hours."""
    env = sandbox.make("office", agents=1, **options(claims, cases=200))
    state, _ = env.play(range(4), "idle")
    assert (state.case[:, :, Case.STATUS] == Status.RIGHT).all()
    expected = {"Register claim": 1.25, "Papers arrive": 0.25, "Assess claim": 1 / 0.9, "Approve payment": 0.65 / 0.9,
                "Pay": 0.65 / 0.9, "Write refusal": 0.25 / 0.9}  # fmt: skip
    visits = dict(zip(labels(env.params).activities, np.moveaxis(state.visits, 2, 0).reshape(6, -1), strict=True))
    for name, often in expected.items():
        assert visits[name].mean() == pytest.approx(often, abs=4 * visits[name].std() / 800**0.5), name
    again = visits["Assess claim"]
    assert (again > 1).mean() == pytest.approx(0.1, abs=0.043) and (again > 2).mean() == pytest.approx(0.01, abs=0.015)
    arrived = state.time[:, :, Time.ARRIVED]
    assert (arrived // DAY % 7 < 5).all() and (arrived % DAY >= 480).all() and (arrived % DAY < 960).all()


def test_nobody_does_what_only_others_can_or_works_in_a_break(claims, tmp_path):
    """The recorded run is verified by replay; its log says who did what, and when."""
    assert told("run", claims, "--out", tmp_path / "run", "--set", "world.cases=40") == 0
    assert told("verify", tmp_path / "run") == 0
    with open_run(tmp_path / "run") as run:
        live = replay(run)
        log = [entry for entry in log_of(live) if entry.did == "served"]
    able = {"Assess claim": {"team-0", "team-1"}, "Approve payment": {"team-1", "team-2"}}
    hours = {"team-0": [(480, 720), (780, 1020)], "team-2": [(780, 1020)]}
    for entry in log:
        assert entry.resource in able.get(entry.activity, {entry.resource}), entry
        if own := hours.get(entry.resource):
            assert any(begin <= entry.start % DAY < end for begin, end in own), entry
            assert any(begin < entry.complete % DAY <= end for begin, end in own), entry
    assert {entry.resource for entry in log} >= {"team-0", "team-1", "team-2"}


@pytest.mark.parametrize("policy", ["rules", "random"])
def test_agents_play_an_imported_process(claims, policy):
    env = sandbox.make("office", agents=2, **options(claims, cases=5, people=0, max_ticks=2_000))
    state, _ = env.play(range(3), policy)
    assert (state.case[:, :, Case.STATUS] >= Status.RIGHT).all()
    assert policy == "random" or (state.case[:, :, Case.STATUS] == Status.RIGHT).all()
    idle, _ = env.play([1], "idle")
    assert (idle.case[:, :, Case.STATUS] < Status.RIGHT).any()


# -- parallel branches -------------------------------------------------------------------------------------------------

HEAD = f'<definitions xmlns="{bpmn.SPACE}"><process id="p">'


def chain_of(tmp_path: Path, lines: list[str]) -> tuple[bpmn.Chain, list[str]]:
    """The chain of elements ("task a") and flows ("a b"), and the parallel gateways."""
    text = "".join(f'<{tag} id="{name}"/>' if len(tag) > 3 else
                   f'<sequenceFlow id="{tag}-{name}" sourceRef="{tag}" targetRef="{name}"/>'
                   for tag, name in (line.split() for line in lines))  # fmt: skip
    (tmp_path / "m.bpmn").write_text(f"{HEAD}{text}</process></definitions>")
    lined, gateways = bpmn.in_sequence(bpmn.read(tmp_path / "m.bpmn"))
    return bpmn.chain(lined, {}), gateways


NESTED = ("startEvent s", "endEvent e", "parallelGateway g", "parallelGateway h", "parallelGateway i",
          "parallelGateway j", *(f"task {name}" for name in "abcd"), "s g", "g a", "g h", "h b", "h c", "b i", "c i",
          "i d", "a j", "d j", "j e")  # fmt: skip


def test_parallel_branches_are_worked_on_one_after_another(tmp_path):
    """Also those within a branch; the gateways are told."""
    found, gateways = chain_of(tmp_path, [*NESTED])
    assert found == {"": {"a": 1}, "a": {"b": 1}, "b": {"c": 1}, "c": {"d": 1}, "d": {"end": 1}}
    assert gateways == ["parallel gateway 'g'", "parallel gateway 'h'"]


@pytest.mark.parametrize(("changes", "error"), [
    ({"a j": "a e"}, "the branches of parallel gateway 'g' do not all meet"),
    ({"parallelGateway g": "exclusiveGateway g"}, "parallel gateway 'j' waits for branches"),
    ({"parallelGateway h": "inclusiveGateway h"}, "inclusive gateway 'h' takes any of 2 ways"),
    ({"task b": "subProcess b"}, "subProcess 'b' is not imported"),
    ({"s g": "s x"}, "unknown element 'x'"),
    ({"j e": "j d"}, "end event 'e' has no way in"),
    ({"task a": "startEvent a"}, "2 start events"),
    ({"task a": "task a\n" + "\n".join(f"task t{k}" for k in range(27))}, "31 tasks and events; expected 30 at most"),
    ({"d j": "d j\n" + "\n".join(f"parallelGateway g{k}\nh g{k}\ng{k} b\ng{k} c" for k in range(20))},
     "22 parallel gateways begin branches; expected 20 at most"),
])  # fmt: skip
def test_models_that_have_no_such_chain_are_told(tmp_path, changes, error):
    with pytest.raises(UsageError, match=error):
        chain_of(tmp_path, "\n".join(changes.get(line, line) for line in NESTED).splitlines())


# -- hostile files -----------------------------------------------------------------------------------------------------

BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(("file", "old", "new", "error"), [
    (MODEL, "<definitions", f"{BOMB}<definitions", "document type"),
    (MODEL, "</definitions>", "", "no element found|line"),
    (MODEL, "<process", "<collaboration", "mismatched tag|no <process>"),
    (MODEL, 'targetRef="settled"', 'targetRef="closed"', "has no way in|no way leads"),
    (MODEL, 'id="assess"', 'id="asess"', "unknown element 'assess'; did you mean 'asess'"),
    (PARAMETERS, '"value": 0.8', '"value": 0.7', "gateway 'complete': the probabilities add up to 0.9, expected 1"),
    (PARAMETERS, '"gateway_id": "decision"', '"gateway_id": "decison"', "unknown gateway 'decison'; did you"),
    (PARAMETERS, '"path_id": "yes"', '"path_id": "yess"', "unknown path 'yess'; did you mean 'yes'"),
    (PARAMETERS, '"task_id": "pay"', '"task_id": "pays"', "unknown task 'pays'; did you mean 'pay'"),
    (PARAMETERS, '_name": "gamma"', '_name": "gama"', "unknown distribution 'gama'; did you mean 'gamma'"),
    (PARAMETERS, '"calendar": "half days"', '"calendar": "half day"', "unknown calendar 'half day'; did you"),
    (PARAMETERS, '"amount": 2', '"amount": 2000', "amount: input should be less than or equal to 1000"),
    (PARAMETERS, '"value": 0.1', '"value": NaN', "value"),
    (PARAMETERS, '"resource_calendars"', '"calendars"', "resource_calendars: field required"),
    (PARAMETERS, '{\n', '{"batch_processing": [{"task_id": "pay"}],\n', "batch_processing is not imported"),
    (PARAMETERS, "12:00:00", "7:00:00", "expected a begin before the end"),
    (PARAMETERS, '"MONDAY"', '"MOONDAY"', "MONDAY"),
])  # fmt: skip
def test_files_that_cannot_be_imported_are_one_line(tmp_path, capsys, file, old, new, error):
    for each in (MODEL, PARAMETERS):
        text = each.read_text()
        assert file != each or old in text
        (tmp_path / each.name).write_text(text.replace(old, new, 1) if file == each else text)
    out = tmp_path / "x.toml"
    assert told("import", tmp_path / MODEL.name, tmp_path / PARAMETERS.name, "--out", out) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert re.search(error, line) and not out.exists(), line


def test_a_process_that_never_ends_is_refused(tmp_path):
    """All of the probability goes round: from the model, and from a path of a process file."""
    text = json.loads(PARAMETERS.read_text())
    text["gateway_branching_probabilities"][1]["probabilities"] = [{"path_id": "second", "value": 1}]
    (tmp_path / "p.json").write_text(json.dumps(text))
    with pytest.raises(UsageError, match="no way leads to an end event"):
        scenario(MODEL, tmp_path / "p.json")
    made = scenario(MODEL, PARAMETERS).scenario["world"]["layout"]
    for old, new, error in (('"-> end"', '"-> Assess claim"', "no way leads to the end"),
                            ('"Register claim",', '"-> end 0.1",\n"Register claim",', "the end without an activity"),
                            ("-> Write refusal", "-> Write refusl", "unknown step 'Write refusl'; did you mean"),
                            ('law = "gamma"', 'law = "gama"', "unknown law 'gama'; did you mean 'gamma'"),
                            ("mon-fri 13-17", "mon-fri 11-17", "overlap")):  # fmt: skip
        with pytest.raises(UsageError, match=error):
            sandbox.make("office", layout=made.replace(old, new))
