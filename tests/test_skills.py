"""Skills: what the world has verified is kept, is found again, and is the same for the same seed."""

import json
import multiprocessing
import os
import shutil
import signal
import sys
from random import Random

import networkx as nx
import psutil
import pytest

import sandbox
from sandbox.agents.llm.offline import Script
from sandbox.agents.llm.options import Line
from sandbox.agents.llm.request import Setup
from sandbox.agents.skills.library import Library, Skill
from sandbox.agents.skills.prompted import Prompted
from sandbox.agents.skills.writer import HERE, Feedback, RuleWriter
from sandbox.cli.main import main
from sandbox.core.errors import RecordError, UsageError
from sandbox.record import whole
from sandbox.record.lock import Lock
from sandbox.running.workers import Workers
from sandbox.studies import skills
from sandbox.studies.skill_episodes import Life
from sandbox.studies.skills import ARMS, Arm, Curriculum, Learner

MAP = "\n".join(["TTTTTTTTTTTT", *["T..........T"] * 4, "T....@.....T", *["T..........T"] * 5, "TTTTTTTTTTTT"])
WOOD = "def to_collect_wood():\n    return pursue('collect_wood', 'tree', None, ['do'], 9)\n"
WAITS = "def to_collect_wood():\n    act('noop')\n    return True\n"


@pytest.fixture(scope="module")
def env():
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


def test_the_ladder_is_the_recipes(env):
    graph = env.world.ladder.graph
    assert len(graph) == 22 and nx.is_directed_acyclic_graph(graph)
    assert graph.edges["collect_wood", "place_table"]["amount"] == 2
    assert set(graph.predecessors("make_iron_pickaxe")) == {
        "place_table", "place_furnace", "collect_wood", "collect_coal", "collect_iron",
    }  # fmt: skip
    assert "make_iron_pickaxe" in nx.ancestors(graph, "collect_diamond")


def test_a_program_is_verified_by_the_world(env):
    life = Life(env, 1)
    library = Library()
    assert not life.run(library.text(Skill("collect_wood", "", WAITS)), "collect_wood").success
    found = life.run(library.text(Skill("collect_wood", "", WOOD)), "collect_wood")
    assert found.success and found.began and "do" in found.used and not found.error
    assert life.achieved()["collect_wood"] == 1 and life.ever["collect_wood"] == life.ticks
    table = "def to_place_table():\n    need('collect_wood', to_collect_wood, 2)\n    act('place_table')\n"
    library.add(Skill("collect_wood", "", WOOD))
    # It faces the tree that was felled: grass now, on which a table can stand.
    assert life.run(library.text(Skill("place_table", "", table, ("collect_wood",))), "place_table").success


def test_what_fails_verification_is_not_kept_but_under_the_ablation(env):
    kept = {}
    for arm in (Arm("all"), Arm("unverified", verified=False)):
        learner = Learner(env, 1, arm, writer=Always(WAITS))
        learner.learn(6)
        kept[arm.name] = [skill.name for skill in learner.library]
    assert kept["all"] == [] and len(kept["unverified"]) == 6


def test_a_frozen_library_and_none_stay_as_they_are(env):
    for options in ({"frozen": True}, {"arm": Arm("none", library=False)}):
        learner = Learner(env, 1, writer=Always(WOOD), **options)
        learner.learn(6)
        assert len(learner.library) == 0


def test_rules_learn_and_the_same_seed_learns_the_same(env):
    found = [Learner(env, seed).learn(30) for seed in (7, 7)]
    first, second = found
    assert [*first.library] == [*second.library] and first.curve == second.curve and first.ticks == second.ticks
    assert "collect_wood" in first.library and first.curve[-1] >= 3
    assert first.curve == sorted(first.curve) and len(first.curve) == 30
    row = first.row(env.world.ladder.milestones)
    assert row["achievements"] == first.curve[-1] and row["distance"] > 0 and row["diamond_tick"] is None


def test_a_learned_skill_works_in_another_world(env):
    library = Learner(env, 7).learn(30).library
    life = Life(sandbox.make("craft", size=24, agents=1, goal="none", mobs=False), 3)
    assert life.run(library.text(library["collect_wood"]), "collect_wood").success


def test_the_curriculum_proposes_what_is_in_reach(env):
    graph = env.world.ladder.graph
    curriculum = Curriculum(graph, Random(0))
    for done in (set(), {"collect_wood"}, {"collect_wood", "place_table"}):
        for _ in range(20):
            task = curriculum.propose(done)
            assert task not in done and set(graph.predecessors(task)) <= done
    assert curriculum.propose(set(graph)) is None
    anything = {Curriculum(graph, Random(k), random=True).propose(set()) for k in range(60)}
    assert any(set(graph.predecessors(task)) for task in anything)


def test_the_writer_calls_earlier_skills_and_gives_up_what_failed(env):
    ladder, library = env.world.ladder, Library([Skill("collect_wood", "collect wood near tree", WOOD)])
    writer = RuleWriter(ladder, Random(0))
    skill = writer.write("place_table", library, ["tree"])
    assert "need('collect_wood', to_collect_wood, 2)" in skill.program and skill.calls == ("collect_wood",)
    assert (
        "lambda: pursue('collect_wood'"
        in RuleWriter(ladder, Random(0)).write("place_table", Library(), ["tree"]).program
    )
    for _ in range(40):  # all that is done at a place is of no use there: it is not drawn again
        skill = writer.write("collect_coal", Library(), [])
        verbs = skill.program.rsplit("[", 1)[1].split("]")[0].replace("'", "").split(", ")
        writer.learn(skill, Feedback(False, frozenset({verbs[0]}), began=True), library)
        again = writer.write("collect_coal", Library(), []).program.rsplit("[", 1)[1]
        assert repr(verbs[0]) not in again or len(verbs) == 1


def test_what_fails_here_is_looked_for_elsewhere(env):
    writer, places = RuleWriter(env.world.ladder, Random(0)), []
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


def test_a_library_plays_in_a_scenario(env, tmp_path):
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


def test_a_language_model_writes_skills(env):
    def reply(program: str) -> str:
        return json.dumps({"description": "fells a tree", "program": program})

    fenced = f"<think>Wood { {} }.</think>Sure:\n```json\n{reply(WOOD)}\n```"
    two = f"{reply(WOOD)}\n{reply(WAITS)}"
    lines = [Line(text=text) for text in (two, reply("def to_collect_wood(:"), reply(WAITS), fenced)]
    setup = Setup(model="scripted", instructions="", tools=(), max_tokens=512, temperature=None, price=(0.0, 0.0))
    client = Script(lines)
    asked, ask = [], client.ask
    client.ask = lambda requests, within: asked.extend(requests) or ask(requests, within)
    learner = Learner(env, 1, writer=Prompted(env.world, client, setup))
    learner._curriculum.propose = lambda done: None if "collect_wood" in done else "collect_wood"
    learner.learn(4)
    assert [skill.name for skill in learner.library] == ["collect_wood"]
    assert learner.library["collect_wood"].program == WOOD and learner.found.reached["collect_wood"] == 4
    prompts = [request.prompt for request in asked]
    assert len(prompts) == 4 and "expected a JSON object" in prompts[1] and "line 1: invalid syntax" in prompts[2]
    assert "the task was not achieved" in prompts[3] and WAITS in prompts[3] and asked[0].schema["required"]


def test_the_command_writes_a_table_a_picture_and_a_library(env, tmp_path, monkeypatch, capsys):
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
    assert all(arm.name in told.out for arm in ARMS) and "Voyager" in told.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "learners.csv", "curves.csv", "curves.png", "library.toml", "learners", "study.json",
    }  # fmt: skip


# -- a study goes on ---------------------------------------------------------------------------------------------------

MEADOW = {
    "world": {"name": "craft", "layout": MAP, "goal": "none", "mobs": False}, "agents": [{"reasoner": "rules"}],
}  # fmt: skip
CLEAN = multiprocessing.get_context("forkserver")  # a fork of this process would inherit a pool of programs
CLEAN.set_forkserver_preload(["sandbox.studies.skills"])


def study(out, seeds=1, on_progress=lambda now: None):
    return skills.study(sandbox.scenario.load(MEADOW), seeds, 2, out, 2, lambda: None, on_progress)


@pytest.fixture
def threads(monkeypatch):
    """Threads in the place of processes, which start sooner."""
    monkeypatch.setattr(skills, "Workers", lambda on, compiled, count: Workers(on, True, count))


@pytest.fixture(scope="module")
def undisturbed(env, tmp_path_factory):
    """What a study comes to that nothing disturbs, by the names of its files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(skills, "Workers", lambda on, compiled, count: Workers(on, True, count))
        study(out := tmp_path_factory.mktemp("whole") / "out")
    return read(out)


def read(out) -> dict[str, str]:
    return {str(path.relative_to(out)): path.read_text() for path in out.rglob("*.*") if not whole.is_part(path.name)}


def _dying(out, learners: int) -> None:
    """A study that gets a SIGKILL as soon as so many learners are done in it."""
    skills.Workers = lambda on, compiled, count: Workers(on, True, count)

    def on_progress(now):
        if now.latest and now.done >= learners:
            os.kill(os.getpid(), signal.SIGKILL)

    study(out, 1, on_progress)


def _killed(out, learners: int) -> None:
    child = CLEAN.Process(target=_dying, args=(out, learners))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


def test_a_study_that_is_killed_goes_on_to_the_same_end(undisturbed, threads, tmp_path):
    seen = []
    for learners in (1, 3, 5):
        _killed(tmp_path / "out", learners)
        (tmp_path / "out" / ".study.0123abcd.part.json").write_text("{")
    study(tmp_path / "out", on_progress=seen.append)
    assert seen[0].done == 4 and seen[-1].done == seen[-1].total == 6
    assert read(tmp_path / "out") == undisturbed
    study(tmp_path / "out", on_progress=seen.append)
    assert len(seen) <= 6 and read(tmp_path / "out") == undisturbed  # nobody learns twice


def test_a_killed_worker_loses_nothing(undisturbed, tmp_path):
    killed = []

    def kill(now):
        if now.latest and not killed:
            killed.append(next(child for child in psutil.Process().children() if "spawn" in " ".join(child.cmdline())))
            killed[0].kill()

    study(tmp_path / "out", on_progress=kill)
    assert killed and read(tmp_path / "out") == undisturbed


def test_another_study_or_another_folder_is_refused(undisturbed, threads, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match=r"mine: holds something else \(thesis.txt\); choose another folder"):
        study(tmp_path / "mine")
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]
    study(tmp_path / "out")
    with pytest.raises(UsageError, match="out: begun with another study: seeds was 1, is 2; choose another folder"):
        study(tmp_path / "out", seeds=2)
    lock = Lock(tmp_path / "out")
    with pytest.raises(RecordError, match="another process is writing this run"):
        study(tmp_path / "out")
    lock.release()
    assert read(tmp_path / "out") == undisturbed
    damaged = next((tmp_path / "out" / "learners").iterdir())
    for content, words in (("", "it cannot be read"), ("[]", "it is damaged"), ("{}", "it holds no learner")):
        damaged.write_text(content)
        with pytest.raises(RecordError, match=f"{damaged.name}: {words}"):
            study(tmp_path / "out")


def test_a_folder_that_is_removed_ends_a_study(undisturbed, threads, tmp_path):
    with pytest.raises(RecordError, match="its folder was removed or renamed while it was being written"):
        study(tmp_path / "out", on_progress=lambda now: now.done == 2 and shutil.rmtree(tmp_path / "out"))
