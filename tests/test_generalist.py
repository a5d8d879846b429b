"""An agent that is told in words: instructions, a demonstrator, contrastive tasks, short trainings, the reasoner."""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import save

import sandbox
from sandbox.agents import wordllama
from sandbox.analysis.instructed.demonstrations import Place, senses_of
from sandbox.analysis.instructed.plans import counts, instructed, plans, tick
from sandbox.analysis.instructed.starts import starts
from sandbox.analysis.instructed.tasks import Chance, Listening, Shown, obeyed, tasks
from sandbox.core.errors import UsageError
from sandbox.engine.registry import OURS, find
from sandbox.nets.generalist import Generalist, Senses
from sandbox.nets.weights import Weights, read, shipped
from sandbox.running.replay import verify
from sandbox.running.session import Session
from sandbox.scenario import load

KITCHEN = {"name": "kitchen", "layout": "coordination_ring", "scattered": True, "sight": 3, "max_ticks": 40}
SEEDS = range(990_000, 990_200)


def scenario(instruction: str = "fetch a clean plate", **options) -> dict:
    told = {"instruction": instruction, **options}
    return {"world": KITCHEN, "agents": [{"reasoner": "generalist", "generalist": told}]}


@pytest.fixture(scope="module")
def words():
    if not os.environ.get("CI"):
        pytest.importorskip("wordllama")


@pytest.fixture(scope="module")
def net() -> Generalist:
    return Generalist(read(shipped("generalist")))


def kitchen(net: Generalist) -> Place:
    return Place.of("kitchen", instructed(find("kitchen")).places[2], net.senses["kitchen"])


def sentences(world: str, text: int) -> np.ndarray:
    return np.stack([wordllama.embed(each.texts)[text] for each in instructed(find(world)).instructions])


# -- what can be told --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", OURS)
def test_every_world_has_instructions_in_five_wordings(world):
    known = instructed(find(world))
    texts = [text for each in known.instructions for text in each.texts]
    assert len(known.instructions) >= 4 and len(set(texts)) == len(texts) == 5 * len(known.instructions)
    assert not {json.dumps(each) for each in known.places} & {json.dumps(each) for each in known.held_out}


def test_a_plan_does_what_it_should_and_there_is_no_shorter_one(net):
    """Against a search without any memory of what it has seen, two ticks deep."""
    place, checked = kitchen(net), 0
    for start in starts(place.env, SEEDS[:12]):
        before, found = counts(place.env, start.state), plans(place.env, start)
        first = np.flatnonzero(start.mask[0])
        for goal in range(before.shape[1]):
            once = start.chosen(np.zeros(len(first), int))
            tick(place.env, once, first)
            done = counts(place.env, once.state) > before
            short = 1 if (done[:, goal] & (done.sum(axis=1) == 1)).any() else 2
            if short == 2:
                once = once.chosen(~done.any(axis=1))
                parents, pairs = np.nonzero(once.mask)
                twice = once.chosen(parents)
                tick(place.env, twice, pairs)
                done = counts(place.env, twice.state) > before
                short = 2 if (done[:, goal] & (done.sum(axis=1) == 1)).any() else 3
            length = len(found.get(goal, [0] * 99))
            assert length == short if short < 3 else length >= 3
            checked += short < 3
    assert checked > 12


@pytest.mark.parametrize("world", ["kitchen", "warehouse"])
def test_the_demonstrator_obeys_always_and_chance_does_not(world):
    known = instructed(find(world))
    senses = senses_of([sandbox.make(world, **options) for options in known.places])
    place = Place.of(world, known.places[0], senses)
    told = tasks(place, SEEDS, 6)
    assert all((told.start == k).sum() >= 3 for k in range(6))
    assert obeyed(place, told, Shown(told)).all()
    assert obeyed(place, told, Chance(np.random.default_rng(0))).mean() < 0.7


def test_numbers_are_known_by_their_names():
    small = Senses(("wall",), 3, ("row", "gold"), ("go",), 1, centred=True)
    assert small.places(5, ("col", "row")).tolist() == [6, 7, 8, 11, 12, 13, 16, 17, 18, 26, -1]
    assert small.places(1, ("gold",)).tolist() == [-1, -1, -1, -1, 0, -1, -1, -1, -1, -1, 1]
    folded = Senses(("wall",), 2, (), ("go",), 1, centred=False)
    assert folded.places(3, ()).tolist() == [0, 1, 3, 4]


# -- what was trained --------------------------------------------------------------------------------------------------


def test_the_shipped_net_obeys_and_it_is_the_words(net, words):
    place = kitchen(net)
    told, rates = tasks(place, SEEDS, 10), {}
    own = sentences("kitchen", 0)[told.goal]
    for name, said in {"told": own, "held out": sentences("kitchen", -1)[told.goal], "silence": own * 0}.items():
        rates[name] = obeyed(place, told, Listening(net, place, said, np.random.default_rng(0))).mean()
    assert rates["told"] > 0.85 and rates["held out"] > 0.6 and rates["silence"] < 0.6


def test_a_short_training_obeys_and_one_on_shuffled_words_does_not(tmp_path, words):
    from sandbox.learn.generalist import GeneralistJob, write
    from sandbox.learn.training import train

    rates = {}
    for language in ("told", "shuffled"):
        job = GeneralistJob(tmp_path / "shown", ("kitchen",), most=240, ticks=1, language=language)
        path = tmp_path / language / "weights.safetensors"
        card = write(job, path, train(job, path.parent, 1e6))
        assert card["steps"] == 240 and card["samples"]["kitchen"] == len(job.samples["kitchen"]) > 500
        net = Generalist(read(path))
        place = kitchen(net)
        told = tasks(place, SEEDS, 10)
        hears = Listening(net, place, sentences("kitchen", 0)[told.goal], np.random.default_rng(0))
        rates[language] = obeyed(place, told, hears).mean()
    assert rates["told"] > 0.7 and rates["shuffled"] < 0.6


def test_a_training_continues_to_the_last_bit_and_reads_its_demonstrations_again(tmp_path, words, monkeypatch):
    from sandbox.learn import generalist
    from sandbox.learn.training import train

    def trained(folder, *most):
        for steps in most:
            job = generalist.GeneralistJob(tmp_path / "shown", ("kitchen",), most=steps, ticks=2)
            train(job, tmp_path / folder, 1e6)
            monkeypatch.setattr(generalist, "demonstrated", None)  # they are in their files from now on
        return job.tensors()

    whole, halves = trained("whole", 60), trained("halves", 20, 60)
    assert all(np.array_equal(whole[name], halves[name]) for name in whole)
    next((tmp_path / "shown").iterdir()).write_bytes(b"nothing")
    with pytest.raises(UsageError, match="damaged; remove it"):
        trained("damaged", 60)


# -- the reasoner ------------------------------------------------------------------------------------------------------


def test_an_agent_does_what_it_is_told_and_its_record_needs_neither_words_nor_weights(tmp_path, words, monkeypatch):
    done = 0
    for seed in range(990_000, 990_010):
        told = {"put": "lay it on the worktop", "go": "walk to the serving hatch"}
        put, go = (
            sandbox.run(scenario(text), seed=seed, out=tmp_path / f"{name}{seed}") for name, text in told.items()
        )
        done += put.digest != go.digest
    assert done >= 8
    monkeypatch.setattr(wordllama, "embed", None)
    monkeypatch.setattr("sandbox.agents.generalist.source.read", None)
    assert verify(tmp_path / "go990000").passed


def test_a_person_tells_it_something_else_on_the_way(tmp_path, words):
    session = Session(load(scenario("walk to the serving hatch")), seed=990_003, out=tmp_path / "run")
    for _ in range(5):
        session.step()
    session.reseat(0, "generalist", generalist={"instruction": "fetch an onion"})
    while session.step():
        pass
    session.close()
    assert session.model.scenario.agents[0].generalist.instruction == "fetch an onion"
    assert verify(tmp_path / "run").passed


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"agents.0.generalist.instruction": ""}, "instruction"),
        ({"agents.0.generalist.sha256": "0" * 64}, "expected 000000000000"),
        ({"agents.0.generalist.weights": "policy-kitchen.safetensors"}, "no such file|is missing|expected"),
        ({"agents.0.generalist.words": "go"}, "unknown key 'words'"),
        ({"agents.0.reasoner": "generalist", "agents.0.generalist": None}, "belong together|generalist"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(change, told):
    with pytest.raises(UsageError, match=told) as error:
        load(scenario(), change).env()
    assert "\n" not in str(error.value)


def test_weights_of_another_kind_or_another_world_are_refused(net, tmp_path):
    with pytest.raises(UsageError, match="no generalist; expected weights"):
        Generalist(read(shipped("policy-kitchen")))
    found = read(shipped("generalist"))
    for name in ("kitchen.place", "sentence"):
        wrong = {**found.tensors, name: found.tensors[name][:-1]}
        with pytest.raises(UsageError, match="do not fit together"):
            Generalist(Weights(wrong, found.card, ""))
    for senses in (None, {"kitchen": 3}, {"kitchen": {**found.card["senses"]["kitchen"], "side": 10**9}}):
        with pytest.raises(UsageError, match="tells of no world"):
            Generalist(Weights(found.tensors, {**found.card, "senses": senses}, ""))
    with pytest.raises(UsageError, match="unknown world 'chess'"):
        net.check("chess", (), (), 1)
    with pytest.raises(UsageError, match="another version of the world 'kitchen'"):
        net.check("kitchen", net.senses["kitchen"].channels, ("fly",), 1)
    (tmp_path / "other.safetensors").write_bytes(save({"a": np.zeros(1)}))
    with pytest.raises(UsageError, match="no generalist"):
        load(scenario(weights=str(tmp_path / "other.safetensors"))).env()


def test_without_the_vectors_of_words_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(wordllama, "find_spec", lambda name: None)
    wordllama._model.cache_clear()
    with pytest.raises(UsageError, match=r"pip install 'sandbox\[embed\]'"):
        sandbox.run(scenario())
