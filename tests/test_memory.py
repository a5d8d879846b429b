"""Memories of agents: what they keep, find and tell, and that a record holds all of it."""

import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sandbox
from benchmarks.memory import told as facts_told
from sandbox.agents import wordllama
from sandbox.agents.memory.atlas import Atlas, common
from sandbox.agents.memory.blocks import Blocks, digest
from sandbox.agents.memory.group import memory_for, restored
from sandbox.agents.memory.options import Block, MemoryOptions, Weights
from sandbox.agents.memory.search import Entry, Store
from sandbox.agents.memory.tokens import clip, cut, tokens
from sandbox.core.decision import Edit
from sandbox.core.errors import UsageError
from sandbox.record import MemoryEdited, open_run
from sandbox.running.replay import memory_of, verify
from sandbox.scenario import load

WORLD = {"name": "warehouse", "layout": "tiny", "deliveries": 0, "max_ticks": 12}
SMALL = MemoryOptions(kind="blocks", context=400, blocks=(Block(label="plan", limit=200),))


def scenario(lines: list, memory: dict, count: int = 1, tools: dict | None = None, **world) -> dict:
    llm = {"model": "scripted", "replies": [{"verb": x} if isinstance(x, str) else x for x in lines], "retries": 0}
    group = {"reasoner": "llm", "fallback": "rules", "count": count, "llm": llm, "memory": memory}
    return {"world": {**WORLD, **world}, "agents": [group | ({"tools": tools} if tools else {})]}


def state_of(memory) -> tuple:
    """All that a memory is, for comparison."""
    blocks = {k: b.value for k, b in memory.blocks.items()} if isinstance(memory, Blocks) else None
    stores = tuple(memory.archive.entries + memory.happened.entries) if isinstance(memory, Blocks) else None
    return memory.context(), blocks, stores


def lived(options: MemoryOptions, ticks: int):
    memory = memory_for(options)
    for tick in range(1, ticks + 1):
        memory.remember(tick, f"you see shelf {tick} in row {tick % 7}", "forward", "it is near")
    return memory


# -- measures and stores -----------------------------------------------------------------------------------------------


@given(st.text(), st.integers(0, 40))
def test_texts_are_cut_to_their_bytes(text, size):
    assert len(clip(text, size).encode()) <= size and tokens(cut(text, size)) <= size
    assert clip(text, 10**6) == text.encode("utf-8", "replace").decode()


def store(texts, **options) -> Store:
    found = Store(Weights(**options), 0.99)
    for tick, text in enumerate(texts):
        found.add(Entry(tick, text))
    return found


def test_entries_are_found_by_words_and_by_likeness():
    texts = [f"robot {k} carries shelf {7 * k}" for k in range(300)] + ["the charging station is in the cellar"]
    entries = store(texts, recency=0, importance=0)
    assert texts[entries.search("where is the charging station?", 1)[0]].endswith("cellar")
    assert texts[entries.search("stations to charge at", 1)[0]].endswith("cellar"), "no word is the same"
    assert texts[entries.search("robot 123", 1)[0]] == texts[123]
    assert pickle.loads(pickle.dumps(entries)).search("robot 123", 5) == entries.search("robot 123", 5)
    for query in ("", "'\"*() OR NEAR", "\x00", "ß" * 500):
        assert len(entries.search(query, 3)) == 3


def test_the_newest_of_equals_comes_first():
    """Recency is highest for the newest entry; a well-known implementation has it the other way round."""
    entries = store(["the door is open"] * 50)
    assert entries.search("door", 3, now=50) == [49, 48, 47]
    entries.add(Entry(0, "the door is open", importance=1.0))
    assert entries.search("door", 1, now=50) == [50], "what is more important beats what is a bit newer"


def test_a_search_is_the_sum_of_its_parts():
    """Against the same sum, written down plainly."""
    from sandbox.agents.memory import search as module

    rng, words = np.random.default_rng(0), ["pump", "valve", "lamp", "gate", "fire"]
    entries = Store(Weights(relevance=2, recency=1, importance=1), 0.9)
    for tick in range(200):
        entries.add(Entry(tick, " ".join(rng.choice(words, 4)), float(rng.integers(1, 11)) / 10))
    found, fit = entries.search("pump and valve", 10, now=200), entries._by_words("pump and valve")
    cosine = np.maximum(entries._vectors[:200] @ module._hashed(["pump and valve"])[0], 0)
    scores = []
    for k, entry in enumerate(entries.entries):
        relevance = (cosine[k] / cosine.max() + 2 * fit[k] / fit.max()) / 3
        scores.append(round(2 * relevance + 0.9 ** (200 - entry.tick) + entry.importance, 4))
    assert found == sorted(range(200), key=lambda k: (-scores[k], -k))[:10]


def test_learned_vectors_find_what_is_said_in_other_words():
    if not os.environ.get("CI"):
        pytest.importorskip("wordllama")
    told = ["The crew puts out the fire.", "Bread is baked in the oven.", "A ship sails on the sea.", ""]
    ranks = {}
    for embedding in ("hash", "wordllama"):
        entries = pickle.loads(pickle.dumps(Store(Weights(recency=0, importance=0), 1.0, embedding)))
        for text in told:
            entries.add(Entry(0, text))
        ranks[embedding] = [entries.search(query, 4).index(k) for k, query in enumerate(
            ["extinguish flames", "loaf of dough", "boats cross oceans"])]  # fmt: skip
    assert ranks["wordllama"] == [0, 0, 0] != ranks["hash"], "no word is shared"


def test_a_missing_embedding_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(wordllama, "find_spec", lambda name: None)
    wordllama._model.cache_clear()
    with pytest.raises(UsageError, match=r"pip install 'sandbox\[embed\]'"):
        Store(Weights(), 1.0, "wordllama")


# -- blocks ------------------------------------------------------------------------------------------------------------


TEXT = st.text(max_size=300) | st.text("a\n\u0301\U0001f600", max_size=300)
ACTS = st.lists(st.tuples(st.sampled_from([*Blocks(SMALL).functions, "tick"]), TEXT, TEXT), max_size=25)


@settings(max_examples=40)
@given(ACTS, st.integers(200, 900))
def test_limits_hold_whatever_is_done(acts, context):
    blocks = Block(label="plan", value="go", limit=90), Block(label="law", value="never", limit=20, read_only=True)
    options = MemoryOptions(kind="blocks", context=context, blocks=blocks)
    memory, edits = memory_for(options), []
    for tick, (name, first, second) in enumerate(acts, 1):
        memory.now = tick
        arguments = {"memory_insert": ("plan", first), "memory_rethink": ("law", first), "memory_replace":
                     ("plan", first, second)}.get(name, (first,))  # fmt: skip
        try:
            memory.remember(tick, first, "go", second) if name == "tick" else memory.functions[name](*arguments)
        except UsageError as error:
            assert "\n" not in str(error)
        edits += memory.taken()
        assert tokens(memory.context(second)) <= context
        assert all(len(b.value.encode()) <= b.limit for b in memory.blocks.values())
        assert memory.blocks["law"].value == "never"
    assert state_of(restored(options, edits)) == state_of(memory)


@settings(max_examples=25)
@given(st.lists(TEXT, max_size=20), st.integers(200, 900))
def test_a_window_never_exceeds_its_budget(texts, context):
    memory = memory_for(MemoryOptions(kind="window", context=context))
    for tick, text in enumerate(texts):
        memory.remember(tick, text, text, text)
        assert tokens(memory.context()) <= context
    assert not texts or f"Tick {len(texts) - 1}: " in memory.context()


def test_what_no_longer_fits_is_told_in_short_and_can_be_recalled():
    memory = lived(SMALL, 40)
    summaries = [edit for edit in memory.taken() if edit.change == "summary"]
    assert summaries and sum(edit.replaces for edit in summaries) + len(memory._latest) == 40
    assert "# Earlier, in short\nTicks " in memory.context() and "forward" in memory.summary
    assert "shelf 3 " not in memory.context() and "shelf 3 " in memory.recall_search("shelf 3 in row 3")
    assert any("shelf 3 " in text for text in memory.recall("shelf 3 in row 3", 3))
    edit = Edit(1, "experience", "x\nYou did: left (so)", "left")
    assert digest("", [edit]) == "Ticks 1 to 1: left 1 x. At the end: left (so)"


def test_what_fits_what_is_perceived_comes_to_mind():
    memory = lived(SMALL, 40)
    memory.archival_insert("The lift key hangs behind the green door.", 9)
    assert "lift key hangs" in memory.context("you stand before a green door, and the lift is locked")
    assert "lift key hangs" not in memory.context(), "nothing is perceived"


def test_blocks_are_edited_and_say_why_not():
    blocks = Block(label="plan", limit=20), Block(label="law", value="x", read_only=True)
    memory = memory_for(MemoryOptions(kind="blocks", blocks=blocks))
    assert memory.memory_insert("plan", "first") == "block 'plan' now holds 5 of 20 bytes"
    memory.memory_insert("plan", "then")
    memory.memory_replace("plan", "then", "last")
    assert memory.blocks["plan"].value == "first\nlast"
    for name, arguments, words in [
        ("memory_insert", ("plans", "x"), "did you mean 'plan'"), ("memory_insert", ("law", "x"), "read-only"),
        ("memory_replace", ("plan", "st", "x"), "2 times"), ("memory_replace", ("plan", "", "x"), "0 times"),
        ("memory_rethink", ("plan", "x" * 21), "would hold 21 bytes, its limit is 20"),
    ]:  # fmt: skip
        with pytest.raises(UsageError, match=words):
            getattr(memory, name)(*arguments)
    assert memory.blocks["plan"].value == "first\nlast"


# -- maps --------------------------------------------------------------------------------------------------------------


def test_a_map_tells_what_all_draws_agree_on():
    draws = [{"rows": ["ab", "c."], "n": 1, "who": [[1, 2], [3, 4]]}, {"rows": ["ab", "cx"], "n": 2, "who": [[3, 4]]}]
    assert common(draws) == {"rows": ["ab", "c?"], "n": "?", "who": [[3, 4]]}


def test_a_map_is_what_the_agent_has_seen_never_the_state():
    """Two states that look the same to the agent give the same map, and it grows as the agent goes."""
    table = scenario([], {"kind": "map", "context": 3000}, layout="small")
    model = sandbox.Sandbox(table, rng=1)
    model.step()
    mind, percept = model.reasoners[0][1].minds[0], model.percept(0)
    mind.begin(percept)
    told = mind.memory.context("now")
    assert "# The world as you know it" in told and "shelves" in told and tokens(told) <= 3000
    model.state.seed[0] += 1
    model.state.shelf[0, -1] = 0  # far away
    mind.begin(percept)
    assert mind.memory.context("now") == told
    short = Atlas(MemoryOptions(kind="map", context=200), mind._beliefs, 0)
    short.remember(1, "x" * 900, "left", "")
    assert tokens(short.context("now")) <= 200 and "..." in short.context("now")


# -- the record --------------------------------------------------------------------------------------------------------


LINES = [
    {"tool": "memory_insert", "arguments": {"label": "plan", "text": "go to the shelf"}}, "left",
    {"tool": "archival_insert", "arguments": {"text": "the goal is below", "importance": 8}}, "forward",
    {"tool": "memory_rethink", "arguments": {"label": "facts", "text": "\u00e9\U0001f600"}}, {"text": "?"}, "right",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["window", "blocks", "map"])
def test_a_memory_made_from_the_record_is_the_live_one_at_every_tick(kind, tmp_path):
    live = {}

    def watch(model):
        live[model.ticks] = [state_of(model.reasoners[0][1].minds[row].memory) for row in (0, 1)]

    table = scenario(LINES if kind == "blocks" else ["left"] * 5, {"kind": kind, "context": 1000}, count=2)
    sandbox.run(table, seed=2, out=tmp_path / "run", on_tick=watch)
    with open_run(tmp_path / "run") as run:
        assert len(live) == WORLD["max_ticks"] + 1 and len({str(states) for states in live.values()}) > 5
        for tick, states in live.items():
            assert [state_of(memory_of(run, row, tick)) for row in (0, 1)] == states
        with pytest.raises(UsageError, match="agent 2 has no memory"):
            memory_of(run, 2)
    assert verify(tmp_path / "run").passed


def test_a_memory_that_was_changed_in_the_record_is_found(tmp_path, monkeypatch):
    sandbox.run(scenario(LINES, {"kind": "blocks"}), seed=2, out=tmp_path / "run")
    from sandbox.running import trial

    original = trial.beside
    monkeypatch.setattr(trial, "beside", lambda model, _: original(model)[: -(model.ticks == 3) or None])
    assert "tick 3: an agent remembers something else" in verify(tmp_path / "run").differs


def test_a_memory_survives_kill_9(tmp_path, root):
    """What was committed before the kill is the memory that a run from the same seed has at that tick."""
    code = (
        "import sandbox, sys, time; sys.path.insert(0, sys.argv[2]); from test_memory import LINES, scenario\n"
        "sandbox.run(scenario(LINES, {'kind': 'blocks'}, max_ticks=500), seed=2, out=sys.argv[1], "
        "on_tick=lambda model: time.sleep(0.05))"
    )
    folder = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", code, str(folder), str(root / "tests")], cwd=root)
    for _ in range(1000):
        time.sleep(0.1)
        if (folder / "run.db").exists() and _ticks(folder) > 5:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    last = _ticks(folder)
    model = sandbox.Sandbox(scenario(LINES, {"kind": "blocks"}, max_ticks=500), rng=2)
    while model.ticks < last:
        model.step()
    with open_run(folder) as run:
        assert last > 5 and state_of(memory_of(run, 0)) == state_of(model.reasoners[0][1].minds[0].memory)


def _ticks(folder) -> int:
    try:
        with open_run(folder) as run:
            return max((event.tick for event in run.milestones("memory") if isinstance(event, MemoryEdited)), default=0)
    except sandbox.core.errors.RecordError:
        return 0  # it is being made


def test_a_model_can_be_pickled_in_the_middle():
    model = sandbox.Sandbox(scenario(LINES, {"kind": "blocks"}), rng=2)
    for _ in range(3):
        model.step()
    other = pickle.loads(pickle.dumps(model))
    for _ in range(4):
        model.step()
        other.step()
        assert model.latest.traces == other.latest.traces and model.latest.digest == other.latest.digest


def test_a_model_writes_its_own_summaries():
    """One call when the context is nearly full; where it fails, since a verb is no summary, a digest stands in."""
    memory = {"kind": "blocks", "context": 400, "summary": "model", "blocks": [{"label": "plan", "limit": 50}]}

    def lived_by(*lines):
        model, told = sandbox.Sandbox(scenario(list(lines), memory, max_ticks=30), rng=2), []
        while model.running:
            model.step()
            assert model.error is None
            told += [call.prompt for call in model.latest.traces[0].calls]
        asked = [k for k, prompt in enumerate(told) if prompt.startswith("Your memory is nearly full.")]
        return asked, [e.text for e in model.reasoners[0][1].minds[0].memory.happened.entries]

    asked, texts = lived_by(*["left"] * 60)
    assert len(asked) > 1 and any(": Ticks " in text for text in texts)
    summary = {"tool": "memory_summary", "arguments": {"text": "I turned and turned."}}
    again, texts = lived_by(*["left"] * asked[0], summary, *["left"] * 60)
    assert again[0] == asked[0] and any("I turned and turned." in text for text in texts)


# -- what is remembered, measured --------------------------------------------------------------------------------------


def test_facts_far_outside_the_context_are_told_by_blocks_only():
    for kind, near, far in (("none", 0, 0), ("window", 1, 0), ("blocks", 1, 1)):
        found = np.array([facts_told(kind, seed, (1, 200)) for seed in range(4)])
        assert found[:, 0].sum() >= 3 if near else not found[:, 0].any()
        assert found[:, 1].sum() >= 3 if far else not found[:, 1].any()


# -- scenarios ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("memory", "told"), [
    ({"kind": "windo"}, "memory.kind"), ({"kinds": "window"}, "did you mean 'kind'"),
    ({"kind": "blocks", "context": 200}, "half of context"), ({"context": "4"}, "memory.context"),
    ({"blocks": [{"label": "a"}, {"label": "a"}]}, "a label of its own"),
    ({"blocks": [{"label": "a", "value": "xx", "limit": 1}]}, "longer than its limit"),
    ({"blocks": [{"label": "a b"}]}, "blocks.0.label"), ({"decay": 0.0}, "memory.decay"),
])  # fmt: skip
def test_bad_options_are_one_clear_line(memory, told):
    with pytest.raises(UsageError, match=told) as error:
        load(scenario([], memory)).env()
    assert "\n" not in str(error.value)


def test_memory_and_tools_need_a_model():
    table = {"world": WORLD, "agents": [{"reasoner": "rules", "memory": {"kind": "window"}}]}
    with pytest.raises(UsageError, match="for the reasoner 'llm'"):
        load(table).env()
