"""Skills: what the world has verified is kept, is found again, and is the same for the same seed."""

import json
import sys
from random import Random

import networkx as nx
import pytest

import sandbox
from sandbox.agents.reasoners.llm.options import Line
from sandbox.agents.reasoners.llm.playback import Script
from sandbox.agents.reasoners.llm.request import Setup
from sandbox.agents.skills.curriculum import Curriculum
from sandbox.agents.skills.library import Library, Skill
from sandbox.agents.skills.prompted import Prompted
from sandbox.agents.skills.writer import HERE, Feedback, Rules
from sandbox.core.errors import UsageError
from sandbox.fronts.cli import main
from sandbox.trials import skills
from sandbox.trials.lives import Life
from sandbox.trials.skills import ARMS, Arm, Learner
from sandbox.trials.workers import Workers

MAP = "\n".join(["TTTTTTTTTTTT", *["T..........T"] * 4, "T....@.....T", *["T..........T"] * 5, "TTTTTTTTTTTT"])
WOOD = "def to_collect_wood():\n    return pursue('collect_wood', 'tree', None, ['do'], 9)\n"
WAITS = "def to_collect_wood():\n    act('noop')\n    return True\n"


@pytest.fixture(scope="module")
def stage():
    """A meadow with trees around it, and nobody else."""
    return sandbox.make("craft", layout=MAP, agents=1, goal="none", mobs=False)


class Always:
    """A writer that has one idea for each task."""

    def __init__(self, program: str):
        self._program = program

    def write(self, task, library, known):
        return Skill(task, task, self._program.replace("collect_wood", task))

    def learn(self, skill, feedback, library):
        return [skill] * feedback.success


def test_the_ladder_is_the_recipes(stage):
    graph = stage.world.ladder.graph
    assert len(graph) == 22 and nx.is_directed_acyclic_graph(graph)
    assert graph.edges["collect_wood", "place_table"]["amount"] == 2
    assert set(graph.predecessors("make_iron_pickaxe")) == {
        "place_table", "place_furnace", "collect_wood", "collect_coal", "collect_iron",
    }  # fmt: skip
    assert "make_iron_pickaxe" in nx.ancestors(graph, "collect_diamond")


def test_a_program_is_verified_by_the_world(stage):
    life = Life(stage, 1)
    library = Library()
    assert not life.run(library.text(Skill("collect_wood", "", WAITS)), "collect_wood").success
    found = life.run(library.text(Skill("collect_wood", "", WOOD)), "collect_wood")
    assert found.success and found.began and "do" in found.used and not found.error
    assert life.achieved()["collect_wood"] == 1 and life.ever["collect_wood"] == life.ticks
    table = "def to_place_table():\n    need('collect_wood', to_collect_wood, 2)\n    act('place_table')\n"
    library.add(Skill("collect_wood", "", WOOD))
    # It faces the tree that was felled: grass now, on which a table can stand.
    assert life.run(library.text(Skill("place_table", "", table, ("collect_wood",))), "place_table").success


def test_what_fails_verification_is_not_kept_but_under_the_ablation(stage):
    kept = {}
    for arm in (Arm("all"), Arm("unverified", verified=False)):
        learner = Learner(stage, 1, arm, writer=Always(WAITS))
        learner.learn(6)
        kept[arm.name] = [skill.name for skill in learner.library]
    assert kept["all"] == [] and len(kept["unverified"]) == 6


def test_a_frozen_library_and_none_stay_as_they_are(stage):
    for options in ({"frozen": True}, {"arm": Arm("none", library=False)}):
        learner = Learner(stage, 1, writer=Always(WOOD), **options)
        learner.learn(6)
        assert len(learner.library) == 0


def test_rules_learn_and_the_same_seed_learns_the_same(stage):
    found = [Learner(stage, seed).learn(30) for seed in (7, 7)]
    first, second = found
    assert [*first.library] == [*second.library] and first.curve == second.curve and first.ticks == second.ticks
    assert "collect_wood" in first.library and first.curve[-1] >= 3
    assert first.curve == sorted(first.curve) and len(first.curve) == 30
    row = first.row(stage.world.ladder.milestones)
    assert row["achievements"] == first.curve[-1] and row["distance"] > 0 and row["diamond_tick"] is None


def test_a_learned_skill_works_in_another_world(stage):
    library = Learner(stage, 7).learn(30).library
    life = Life(sandbox.make("craft", size=24, agents=1, goal="none", mobs=False), 3)
    assert life.run(library.text(library["collect_wood"]), "collect_wood").success


def test_the_curriculum_proposes_what_is_in_reach(stage):
    graph = stage.world.ladder.graph
    curriculum = Curriculum(graph, Random(0))
    for done in (set(), {"collect_wood"}, {"collect_wood", "place_table"}):
        for _ in range(20):
            task = curriculum.propose(done)
            assert task not in done and set(graph.predecessors(task)) <= done
    assert curriculum.propose(set(graph)) is None
    anything = {Curriculum(graph, Random(k), random=True).propose(set()) for k in range(60)}
    assert any(set(graph.predecessors(task)) for task in anything)


def test_the_writer_calls_earlier_skills_and_gives_up_what_failed(stage):
    ladder, library = stage.world.ladder, Library([Skill("collect_wood", "collect wood near tree", WOOD)])
    writer = Rules(ladder, Random(0))
    skill = writer.write("place_table", library, ["tree"])
    assert "need('collect_wood', to_collect_wood, 2)" in skill.program and skill.calls == ("collect_wood",)
    assert "lambda: pursue('collect_wood'" in Rules(ladder, Random(0)).write("place_table", Library(), ["tree"]).program
    for _ in range(40):  # all that is done at a place is of no use there: it is not drawn again
        skill = writer.write("collect_coal", Library(), [])
        verbs = skill.program.rsplit("[", 1)[1].split("]")[0].replace("'", "").split(", ")
        writer.learn(skill, Feedback(False, frozenset({verbs[0]}), began=True), library)
        again = writer.write("collect_coal", Library(), []).program.rsplit("[", 1)[1]
        assert repr(verbs[0]) not in again or len(verbs) == 1


def test_what_fails_here_is_looked_for_elsewhere(stage):
    writer, places = Rules(stage.world.ladder, Random(0)), []
    for _ in range(40):
        skill = writer.write("collect_iron", Library(), ["tree"])
        places.append(skill.program.split("place=")[1].split(",")[0])
        writer.learn(skill, Feedback(False, met=("iron",)), Library())
    assert set(places[:HERE]) <= {"None", "'tree'"} and "'iron'" in places[HERE:]


def test_retrieval_finds_the_right_one_and_a_library_is_a_file(tmp_path):
    names = [f"{word}_{what}" for word in ("collect", "make", "place") for what in ("wood", "stone", "iron_sword")]
    library = Library(Skill(name, f"{name.replace('_', ' ')} near tree", f"def to_{name}(): pass\n") for name in names)
    for name in names:
        found = library.retrieve(name.replace("_", " "))
        assert found[0].name == name and len(found) == 5
    library.save(tmp_path / "library.toml")
    assert [*Library.load(tmp_path / "library.toml")] == [*library]
    (tmp_path / "bad.toml").write_text("[[skill]]\nnam = 3\n")
    with pytest.raises(UsageError, match="expected a library of skills"):
        Library.load(tmp_path / "bad.toml")
    with pytest.raises(UsageError, match="unknown skill"):
        library.add(Skill("a", "a", "", ("nosuch",)))


def test_a_library_plays_in_a_scenario(stage, tmp_path):
    library = Library([Skill("collect_wood", "collect wood", WOOD)])
    (tmp_path / "wood.py").write_text(library.text(library["collect_wood"]))
    scenario = f"""
[world]
name = "craft"
layout = '''
{MAP}
'''
goal = "collect_wood"
mobs = false
max_ticks = 60
[[agents]]
reasoner = "program"
program = "wood.py"
"""
    (tmp_path / "scenario.toml").write_text(scenario)
    outcome = sandbox.run(tmp_path / "scenario.toml")
    assert outcome.success and outcome.fallbacks == 0


def test_a_language_model_writes_skills(stage):
    def reply(program: str) -> str:
        return json.dumps({"description": "fells a tree", "program": program})

    fenced = f"<think>Wood { {} }.</think>Sure:\n```json\n{reply(WOOD)}\n```"
    two = f"{reply(WOOD)}\n{reply(WAITS)}"
    lines = [Line(text=text) for text in (two, reply("def to_collect_wood(:"), reply(WAITS), fenced)]
    setup = Setup(model="scripted", instructions="", tools=(), max_tokens=512, temperature=None, price=(0.0, 0.0))
    client = Script(lines)
    asked, ask = [], client.ask
    client.ask = lambda requests, within: asked.extend(requests) or ask(requests, within)
    learner = Learner(stage, 1, writer=Prompted(stage.world, client, setup))
    learner._curriculum.propose = lambda done: None if "collect_wood" in done else "collect_wood"
    learner.learn(4)
    assert [skill.name for skill in learner.library] == ["collect_wood"]
    assert learner.library["collect_wood"].program == WOOD and learner.found.reached["collect_wood"] == 4
    prompts = [request.prompt for request in asked]
    assert len(prompts) == 4 and "expected a JSON object" in prompts[1] and "line 1: invalid syntax" in prompts[2]
    assert "the task was not achieved" in prompts[3] and WAITS in prompts[3] and asked[0].schema["required"]


def test_the_command_writes_a_table_a_picture_and_a_library(stage, tmp_path, monkeypatch, capsys):
    (tmp_path / "skills.toml").write_text(
        f"[world]\nname = 'craft'\nlayout = '''\n{MAP}\n'''\ngoal = 'none'\nmobs = false\n"
        "[[agents]]\nreasoner = 'rules'\n"
    )
    options = ["--seeds", "1", "--iterations", "4", "--workers", "1", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(skills, "Workers", lambda on, compiled, count: Workers(on, True, count))  # threads start sooner
    monkeypatch.setattr(sys, "argv", ["sandbox", "skills", str(tmp_path / "skills.toml"), *options])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    assert not ended.value.code, told.err
    assert all(arm.name in told.out for arm in ARMS) and "Voyager (Minecraft)" in told.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "learners.csv", "curves.csv", "curves.png", "library.toml",
    }  # fmt: skip
