"""What a person does to a trial under way: it is recorded, replays, verifies and resumes; what cannot be is a line."""

import shutil
from contextlib import closing

import pytest
from commands import told

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.intervention import Aim
from sandbox.oversight.approvals import Approvals
from sandbox.record import Changed, HumanActed, Log, Placed, RunFinished, TrialFinished, open_run
from sandbox.running import intervene
from sandbox.running.replay import verify
from sandbox.running.resume import scenario_now
from sandbox.running.trial import opening, outcome_of, record_tick
from sandbox.teams.graphs import as_graph

WORLD = {"name": "warehouse", "layout": "tiny", "deliveries": 50, "max_ticks": 60}
REPLIES = [{"verb": verb, "reason": f"thought {k}"} for k, verb in enumerate(["left", "forward", "right"] * 40)]
LLM = {"model": "scripted", "replies": REPLIES, "retries": 0}


def scenario(*groups, **keys) -> dict:
    return {"world": WORLD, "agents": list(groups) or [{"count": 4, "reasoner": "rules"}], **keys}


class Environment:
    """Drives a recorded run as the studio does: ticks, and between them what a person does."""

    def __init__(self, folder, table, seed=5):
        self.folder, self.people = folder, Approvals()
        self.model = sandbox.Sandbox(table, rng=seed, people=self.people)
        self.log = Log.create(folder)
        self.log.extend(opening(self.model))

    def play(self, ticks):
        for _ in range(ticks):
            self.model.step()
            assert self.model.error is None
            record_tick(self.model, self.log)
            intervene.show(self.model, self.people)
        return self

    def do(self, what, *arguments, **options):
        self.log.extend(what(self.model, *arguments, **options))
        return self

    def end(self):
        status = "stopped" if self.model.running else "done"
        self.model.stop()
        outcome = outcome_of(self.model, 0.0)
        self.log.extend([TrialFinished(trial=0, outcome=outcome.as_dict()), RunFinished(trials=1, status=status)])
        self.log.close()
        self.model.close()
        return outcome


@pytest.fixture
def env(tmp_path):
    return lambda *groups, **keys: Environment(tmp_path / "run", scenario(*groups, **keys))


def holds(folder, kind=None) -> list:
    """That the run verifies and replays; its events of a kind."""
    verdict = verify(folder)
    assert verdict.passed, verdict.summary
    assert told("replay", folder) == 0
    with open_run(folder) as run:
        return [event for event in run.events(0) if kind and isinstance(event, kind)]


def actions(folder, agent) -> list[str]:
    """The verbs of an agent, tick by tick."""
    verbs = sandbox.make("warehouse").verbs
    with open_run(folder) as run:
        return [verbs[event.actions[agent][0]] for event in run.events(0) if event.kind == "tick"]


# -- the world ---------------------------------------------------------------------------------------------------------


def test_an_aisle_is_blocked_and_cleared(env, capsys):
    run = env().play(10).do(intervene.intervene, "block_aisle", Aim(cell=(9, 0))).play(1)
    assert run.model.env.describe(run.model.state)["closed"] == [[9, 0]]
    run.do(intervene.intervene, "block_aisle").play(10).do(intervene.intervene, "clear_aisles").play(10).end()
    placed = holds(run.folder, Placed)
    assert [event.tick for event in placed] == [11, 12, 22] and placed[0].patch == {"closed": [[9, 0]]}
    assert len(placed[1].patch["closed"]) == 2 and placed[2].patch == {"closed": []}


def test_the_same_is_drawn_from_the_same_run():
    drawn = []
    for _ in range(2):
        with closing(sandbox.Sandbox(scenario(), rng=5)) as model:
            drawn.append(intervene.intervene(model, "block_aisle"))
    assert drawn[0] == drawn[1]


BAD = {
    "an unknown one": (lambda model: intervene.intervene(model, "block_isle"), "did you mean 'block_aisle'"),
    "a shelf": (lambda model: intervene.intervene(model, "block_aisle", Aim(cell=(1, 1))), r"\(1, 1\) is not an aisle"),
    "outside": (lambda model: intervene.intervene(model, "block_aisle", Aim(cell=(-1, 0))), "is not an aisle cell"),
    "no agent": (lambda model: intervene.intervene(model, "block_aisle", Aim(agent=4)), "expected 0..3"),
    "nothing to clear": (lambda model: intervene.intervene(model, "clear_aisles"), "no aisle is blocked"),
    "the clock": (lambda model: intervene.place(model, {"tick": 3}), "tick: it cannot be changed"),
    "no key": (lambda model: intervene.place(model, {"clsoed": []}), "did you mean 'closed'"),
    "no JSON": (lambda model: intervene.place(model, {"reward": [float("nan")] * 4}), "expected JSON values"),
    "an impossible state": (lambda model: intervene.place(model, {"closed": [[99, 0]]}), "expected an open cell"),
    "no such reasoner": (lambda model: intervene.reseat(model, 0, "rulez"), "did you mean 'rules'"),
    "no such key": (lambda model: intervene.reseat(model, 0, "idle", counts=3), "did you mean 'script'|unknown key"),
    "no such agent": (lambda model: intervene.reseat(model, 4, "idle"), "agent 4, expected 0..3"),
    "no team": (lambda model: intervene.cut(model, (0, 1)), "there is no team"),
    "a severity": (lambda model: intervene.change(model, {"perturb.action_failure": 7.0}), "expected 0..1"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_a_line_and_changes_nothing(name):
    with closing(sandbox.Sandbox(scenario(), rng=5)) as model:
        before, same = model.env.digest(model.state), model.scenario
        what, words = BAD[name]
        with pytest.raises(UsageError, match=words) as found:
            what(model)
        assert "\n" not in str(found.value) and model.env.digest(model.state) == before and model.scenario is same
        model.step()
        assert model.error is None
        model.stop()
        with pytest.raises(UsageError, match="the episode is over"):
            intervene.intervene(model, "block_aisle")


def test_a_run_that_was_killed_goes_on_with_what_was_done(env, tmp_path):
    """Its record may end with an intervention that no tick has followed."""
    table = scenario()
    run = Environment(tmp_path / "killed", table).play(10).do(intervene.intervene, "block_aisle", Aim(cell=(9, 0)))
    run.log.close()
    outcome = sandbox.resume(run.folder)
    whole = (
        Environment(tmp_path / "whole", table)
        .play(10)
        .do(intervene.intervene, "block_aisle", Aim(cell=(9, 0)))
        .play(50)
    )
    assert whole.end().digest == outcome.digest != sandbox.run(table, seed=5).digest
    assert len(holds(run.folder, Placed)) == 1


# -- taking over -------------------------------------------------------------------------------------------------------


def test_a_person_takes_an_agent_over(env, capsys):
    run = env().play(5)
    intervene.take(run.model, run.people, 2)
    (view,) = run.people.steered
    assert view.agent == 2 and view.tick == 6 and "forward" in view.legal
    with pytest.raises(UsageError, match="did you mean 'forward'"):
        run.people.key(2, "forwrd")
    with pytest.raises(UsageError, match="agent 1: no person steers it"):
        run.people.key(1, "forward")
    run.people.key(2, "left")
    run.people.key(2, "right")  # the last one counts
    run.play(1).play(1)
    run.people.key(2, "forward")
    run.play(1)
    run.people.release(2)
    run.play(3).end()
    acted = holds(run.folder, HumanActed)
    assert [(event.tick, event.agent) for event in acted] == [(6, 2), (7, 2), (8, 2)]
    assert actions(run.folder, 2)[5:8] == ["right", "noop", "forward"]


def test_an_agent_that_is_lost_stands_still(env):
    run = env().play(3)
    run.people.lose(1)
    run.play(5)
    with pytest.raises(UsageError, match="no person steers it"):
        run.people.key(1, "left")
    run.people.release(1)
    run.play(20).end()
    assert len(holds(run.folder, HumanActed)) == 5
    assert actions(run.folder, 1)[3:8] == ["noop"] * 5 and set(actions(run.folder, 1)[8:]) != {"noop"}


def test_what_is_not_legal_any_more_does_what_an_illegal_action_does(env):
    run = env()
    intervene.take(run.model, run.people, 0)
    view = run.people.steered[0]
    run.people._keyed[0] = (99, 0)  # as if it had become so since
    run.play(1).end()
    assert run.model.invalid_actions == 1 and view.legal and holds(run.folder, HumanActed)[0].action == (99, 0)


def test_nobody_asks_a_model_or_a_person_for_an_agent_that_is_held(env, tmp_path):
    """In a team: two models that share a budget, a person who is asked, and rules; a guard reviews who steers, too."""
    models = {"count": 2, "reasoner": "llm", "fallback": "rules", "llm": LLM}
    groups = [models, {"reasoner": "human", "fallback": "rules", "human": {"patience": 0.0}}, {"reasoner": "rules"}]
    guard = [{"agent": "robot-0", "verb": "right", "effect": "deny"}]
    run = env(*groups, guard=guard, team={"protocol": "market"}).play(4)
    for agent in range(4):
        intervene.take(run.model, run.people, agent)
    before = run.model.usage.calls
    for agent, words in enumerate(("right", "left", "left", "left")):
        run.people.key(agent, words)
    run.play(1)
    run.people.lose(0)
    run.play(4)
    assert run.model.usage.calls == before and [review.agent for review in run.model.latest.reviews] == []
    for agent in range(4):
        run.people.release(agent)
    run.play(4)
    assert run.model.usage.calls > before
    run.end()
    acted = holds(run.folder, HumanActed)
    assert [event.agent for event in acted] == [0, 1, 2, 3] * 5
    assert [actions(run.folder, agent)[4] for agent in range(4)] == ["noop", "left", "left", "left"]
    copy = shutil.copytree(run.folder, tmp_path / "copy")
    assert sandbox.resume(run.folder).digest == sandbox.resume(copy).digest and verify(copy).passed


# -- who decides, what goes wrong --------------------------------------------------------------------------------------


def test_one_agent_gets_another_reasoner_and_the_others_go_on(env, capsys):
    """Of four models that share a budget and remember, one becomes a script, then rules, then another model."""
    memory = {"memory": {"kind": "blocks", "context": 1_000}}
    run = env({"count": 4, "reasoner": "llm", "fallback": "rules", "llm": LLM, **memory}).play(3)
    minds = dict(run.model.reasoners[0][1].minds)
    names = [agent.name for agent in run.model.agents]
    run.do(intervene.reseat, 1, "scripted", script=["left"] * 60).play(3)
    rows, same = run.model.reasoners[0]
    assert rows == (0, 2, 3) and same.minds == {row: minds[row] for row in rows}
    assert actions_now(run) == "left" and [agent.reasoner for agent in run.model.agents][1] == "scripted"
    run.do(intervene.reseat, 1, "rules").play(3).do(intervene.reseat, 2, "llm", llm={**LLM, "temperature": 0.5}).play(3)
    heir = run.model.reasoners[1]
    assert list(heir[0]) == [2] and heir[1].minds[2] is minds[2] and heir[1].setup.temperature == 0.5
    run.do(intervene.reseat, 1, "llm", llm=LLM, fallback="rules", **memory).play(3)
    assert [agent.name for agent in run.model.agents] == names
    assert run.model.reasoners[1][1].minds[1] is not minds[1]
    run.end()
    assert [event.tick for event in holds(run.folder, Changed)] == [4, 7, 10, 13]
    with open_run(run.folder) as record:
        assert [group.count for group in scenario_now(record).agents] == [1, 1, 1, 1]
        assert [event.agents for event in record.milestones("model")] == [(0, 1, 2, 3), (2,), (1,)]
    sandbox.resume(run.folder)
    assert verify(run.folder).passed


def actions_now(run) -> str:
    return run.model.env.verbs[run.model.latest.actions[1, 0]]


def test_a_reasoner_that_cannot_be_made_leaves_all_as_it_was(env, monkeypatch):
    run = env({"count": 2, "reasoner": "llm", "fallback": "rules", "llm": LLM}, {"count": 2}, team={}).play(2)
    from sandbox import reasoning

    def fails(*_):
        raise UsageError("no key")

    before = dict(run.model.reasoners[0][1].minds)
    monkeypatch.setattr(reasoning.clients, "reasoner", fails)
    with pytest.raises(UsageError, match="no key"):
        run.do(intervene.reseat, 0, "llm", llm={**LLM, "retries": 2})
    assert run.model.reasoners[0][1].minds == before and len(run.model.scenario.agents) == 2
    monkeypatch.undo()
    run.play(2).end()
    holds(run.folder)


def test_a_change_needs_the_same_agents(env):
    run = env({"count": 2}, {"count": 2})
    for table in (scenario(), scenario({"count": 4}), scenario({"count": 2}, {"count": 3})):
        with pytest.raises(UsageError, match="in the same groups or in parts of them"):
            run.model.change(sandbox.scenario.load(table))
    with pytest.raises(UsageError, match="a team where there was one"):
        run.model.change(sandbox.scenario.load(scenario({"count": 2}, {"count": 2}, team={})))
    run.log.close()


def test_a_dose_now(env):
    run = env().play(5).do(intervene.change, {"perturb.action_failure": 1.0}).play(20).end()
    assert run.refused_actions > 5
    with pytest.raises(UsageError, match="no perturbation|this world has no messages"):
        intervene.change(sandbox.Sandbox(scenario(), rng=5), {"perturb.message_loss": 1.0})


# -- links -------------------------------------------------------------------------------------------------------------


def lost(run) -> int:
    return int(run.model.talk.team.mail.counts[0, :, 2].sum())


def test_a_link_is_cut_and_mended(env, capsys):
    """What is under way is lost too; nobody is told."""
    run = env(team={"protocol": "market"}).play(10)
    assert lost(run) == 0
    run.do(intervene.cut, (1, 2)).play(10)
    graph, before = as_graph(run.model.talk.team.net), lost(run)
    assert before > 0 and graph.number_of_edges() == 12
    assert {edge for edge in graph.edges if graph.edges[edge]["loss"]} == {(1, 2), (2, 1)}
    assert run.model.talk.hearers(1) == [0, 2, 3]
    with pytest.raises(UsageError, match="the edge between 0 and 1 is not cut"):
        run.do(intervene.mend, (0, 1))
    run.do(intervene.mend, (2, 1)).play(1)
    before = lost(run)
    run.play(10)
    assert lost(run) == before
    run.do(intervene.change, {"perturb.message_loss": 1.0}).play(5)
    assert lost(run) > before
    run.end()
    assert [event.tick for event in holds(run.folder, Changed)] == [11, 21, 32]
    sandbox.resume(run.folder)
    assert verify(run.folder).passed


def test_an_edge_that_never_was_cannot_be_mended(env):
    run = env(team={"network": {"kind": "ring", "cut": [[0, 1]]}}).play(2)
    with pytest.raises(UsageError, match="no edge from 1 to 0 when the team began"):
        run.do(intervene.mend, (0, 1))
    with pytest.raises(UsageError, match="expected two agents with an edge between them"):
        run.do(intervene.cut, (0, 2))
    run.do(intervene.cut, (1, 2)).play(5).end()
    holds(run.folder)


def test_the_example_of_the_document_runs(root, tmp_path, monkeypatch):
    section = (root / "docs" / "oversight.md").read_text().split("## Interventions")[1]
    monkeypatch.chdir(tmp_path)
    exec(section.split("```python\n")[1].split("```")[0], {})
    assert len(holds(tmp_path / "runs" / "disturbed", HumanActed)) == 5
