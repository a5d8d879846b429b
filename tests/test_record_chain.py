"""Any tampering with a record is found; Merkle trees as certificate transparency has them."""

import random
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from records import START, edit, record, story, tick, verify

from sandbox.record.chain import GENESIS, chain_hash, included, inclusion_proof, leaf_hash, merkle_root, node_hash
from sandbox.record.log import BACKLOG


def rewrite(folder: Path, seal: bool) -> None:
    """What a forger with the whole file can do: link all rows anew from their bodies, and seal them."""
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        bodies = [body.encode() for (body,) in db.execute("SELECT body FROM event ORDER BY seq")]
        head = GENESIS
        for seq, body in enumerate(bodies, 1):
            previous, head = head, chain_hash(head, leaf_hash(body))
            db.execute("UPDATE event SET prev = ?, hash = ? WHERE seq = ?", (previous.hex(), head.hex(), seq))
        if seal:
            db.execute("UPDATE meta SET value = ? WHERE key = 'root'", (merkle_root(bodies).hex(),))


SET = "UPDATE event SET"
SHIFT = "UPDATE event SET seq = -seq WHERE seq > {a}; UPDATE event SET seq = -seq + %d WHERE seq < 0;"
COPY = "INSERT INTO event SELECT %s, trial, tick, kind, body, prev, hash FROM event WHERE seq = {a}"
SWAP = f"""CREATE TEMP TABLE old AS SELECT * FROM event;
{SET} (%s) = (SELECT %s FROM old WHERE old.seq = {{a}} + {{b}} - event.seq) WHERE seq IN ({{a}}, {{b}})"""
ALL, BODY = "trial, tick, kind, body, prev, hash", "trial, tick, kind, body"

TAMPER = {  # script, and how the first problem begins; a < b < n are rows, n is their number
    "body": (f"{SET} body = replace(body, ':', ': ') WHERE seq = {{a}}", "seq {a}: the row was changed"),
    "blob": (f"{SET} body = x'ff00' WHERE seq = {{a}}", "seq {a}: the row was changed"),
    "hash": (f"{SET} hash = 'xx' || substr(hash, 3) WHERE seq = {{a}}", "seq {a}: the row was changed"),
    "prev": (f"{SET} prev = 'no' WHERE seq = {{a}}", "seq {a}: it does not follow"),
    "deleted": ("DELETE FROM event WHERE seq = {a}", "seq {a1}: row {a} is missing"),
    "deleted block": ("DELETE FROM event WHERE seq BETWEEN {a} AND {b}", "seq {b1}: row"),
    "closed up": (f"DELETE FROM event WHERE seq = {{a}}; {SHIFT % -1}", "seq {a}: it does not follow"),
    "tail": ("DELETE FROM event WHERE seq > {b}", "after the last row: the seal counts {n} events"),
    "last": ("DELETE FROM event WHERE seq = {n}", "after the last row: the seal counts {n} events"),
    "doubled": (f"{SHIFT % 1} {COPY % '{a} + 1'}", "seq {a1}: it does not follow"),
    "doubled at the end": (COPY % "{n} + 1", "seq {n1}: it does not follow"),
    "swapped": (SWAP % (ALL, ALL), "seq {a}: it does not follow"),
    "swapped bodies": (SWAP % (BODY, BODY), "seq {a}: the row was changed"),
    "renumbered": (f"{SET} seq = {{n}} + 5 WHERE seq = {{a}}", "seq {a1}: row {a} is missing"),
    "before all": (f"{SET} seq = -3 WHERE seq = {{a}}", "seq -3: it stands after seq 0"),
    "tick column": (f"{SET} tick = 99 WHERE seq = {{a}}", "seq {a}: column tick says 99"),
    "kind column": (f"{SET} kind = 'nap' WHERE seq = {{a}}", "seq {a}: column kind says nap"),
    "root": ("UPDATE meta SET value = 'aa' WHERE key = 'root'", "the root in the seal is aa"),
    "no root": ("DELETE FROM meta WHERE key = 'root'", "the seal is incomplete (root missing)"),
    "no seal": ("DELETE FROM meta", "the seal is incomplete (events, root missing)"),
}


@pytest.mark.parametrize("name", TAMPER)
def test_tampering_is_found_and_placed(name, finished, tmp_path):
    dice, (script, words), n = random.Random(name), TAMPER[name], len(story())
    for attempt in range(6):
        folder = shutil.copytree(finished, tmp_path / str(attempt))
        a, b = sorted(dice.sample(range(2, n), 2))
        edit(folder, script.format(a=a, b=b, n=n))
        report = verify(folder)
        assert not report.intact
        assert report.problems[0].startswith(words.format(a=a, n=n, a1=a + 1, b1=b + 1, n1=n + 1)), report.summary


def test_a_forged_chain_disagrees_with_the_root(finished, tmp_path):
    root = verify(finished).root
    folder = shutil.copytree(finished, tmp_path / "forged")
    edit(folder, "UPDATE event SET body = replace(body, '0.5', '0.9') WHERE seq = 7")
    rewrite(folder, seal=False)
    assert verify(folder).problems[0].startswith("the root in the seal")
    rewrite(folder, seal=True)
    assert verify(folder).intact
    assert verify(finished, root.upper()).intact
    assert "the noted root is" in verify(folder, root).summary


@pytest.mark.parametrize(("events", "words"), [
    ([START, *story()[1:4], tick(0, 4)], "seq 5: trial 0 goes from tick 2 to tick 4"),
    ([*story()[:4], tick(0, 2)], "seq 5: trial 0 goes from tick 2 to tick 2"),
    ([START, tick(0, 1)], "seq 2: tick of trial 0, which has not begun"),
    ([*story()[:-1], tick(2, 21)], "seq 68: tick of trial 2, which is finished"),
    ([*story()[:2], story()[1]], "seq 3: trial 0 begins a second time"),
    (story()[1:], "seq 1: a run begins with run_started"),
    ([START, START], "seq 2: a run begins with run_started"),
])  # fmt: skip
def test_an_order_that_cannot_be_is_found(events, words, tmp_path):
    record(tmp_path / "run", events)
    assert verify(tmp_path / "run").problems[0].startswith(words)


def naive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return (
            leaf_hash(leaves[0])
            if leaves
            else bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        )
    half = max(1 << k for k in range(10) if 1 << k < len(leaves))
    return node_hash(naive_root(leaves[:half]), naive_root(leaves[half:]))


@pytest.mark.parametrize("size", range(41))
def test_merkle_root_and_inclusion(size):
    leaves = [bytes([number]) * (number % 5) for number in range(size)]
    root = merkle_root(leaves)
    assert root == naive_root(leaves)
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(leaves, index)
        assert included(leaf, index, size, proof, root)
        assert not included(leaf + b"x", index, size, proof, root)
        assert not included(leaf, index + 1, size, proof, root)
        assert not included(leaf, index, size, (*proof, root), root)
        assert not included(leaf, index, size, proof[1:], root) or not proof


def test_root_of_the_vectors_of_certificate_transparency():
    """Leaves and root of the test vectors in google/certificate-transparency, merkletree/merkle_tree_test.cc."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert merkle_root(map(bytes.fromhex, leaves)).hex() == root


def test_speed_of_append(tmp_path, capsys):
    events = story(trials=1, ticks=30_000)
    assert len(events) > 2 * BACKLOG
    begin = time.perf_counter()
    record(tmp_path / "run", events)
    with capsys.disabled():
        cost = (time.perf_counter() - begin) / len(events) * 1e6
        print(f"\nrecord: {cost:.1f} us an event, commits and close included")
