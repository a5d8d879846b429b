"""Signatures: over the root that is made anew, by one key, of one kind; whatever else lies there is told in a line."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from commands import told

import sandbox
from sandbox.record import signing
from sandbox.running.claims import claim
from sandbox.scenario import load
from sandbox.studies.certify import certify

SCENARIO = {"world": {"name": "web", "layout": "all"}, "agents": [{"reasoner": "rules"}]}
KINDS = ("run", "batch", "certificate")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One of each kind, signed, and two pairs of keys."""
    place = tmp_path_factory.mktemp("signed")
    sandbox.run(SCENARIO, out=place / "run")
    sandbox.batch(SCENARIO, place / "batch", trials=3)
    chosen = load(SCENARIO)
    certify(chosen, claim(chosen, 0.5, 0.9, 0), place / "certificate")
    for name in ("mine", "others"):
        assert told("keygen", "--out", place / f"{name}.pem") == 0
    for kind in KINDS:
        assert told("sign", place / kind, "--key", place / "mine.pem") == 0
    return place


@pytest.fixture(params=KINDS)
def folder(request, place, tmp_path):
    return shutil.copytree(place / request.param, tmp_path / request.param)


def _refused(capsys, *arguments) -> str:
    """The one line with which a command ends."""
    capsys.readouterr()
    assert told(*arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1 and lines[-1] == errors[0]
    return errors[0]


def test_a_pair_of_keys_is_private_and_never_overwritten(place, tmp_path, capsys):
    assert stat.S_IMODE((place / "mine.pem").stat().st_mode) == 0o600
    assert "PRIVATE" not in (place / "mine.pub").read_text()
    before = (place / "mine.pem").read_bytes()
    capsys.readouterr()
    assert told("keygen", "--out", place / "mine.pem") == 2
    assert "keys are not overwritten" in capsys.readouterr().err and (place / "mine.pem").read_bytes() == before
    (tmp_path / "k.pub").write_text("somebody's")
    assert told("keygen", "--out", tmp_path / "k.pem") == 2 and not (tmp_path / "k.pem").exists()
    assert told("keygen", "--out", tmp_path / "x.pub") == 2
    os.symlink(tmp_path / "nowhere", tmp_path / "l.pem")
    assert told("keygen", "--out", tmp_path / "l.pem") == 2 and not (tmp_path / "nowhere").exists()


def test_who_signed_is_checked_and_without_a_key_only_told(folder, place, capsys):
    assert told("verify", folder, "--key", place / "mine.pub") == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("signed by key ") and len(line.split()[-1]) == 32
    assert told("verify", folder) == 0
    assert f"says that key {line.split()[-1]} signed it; give --key" in capsys.readouterr().out
    assert "signed by key" in _refused(capsys, "verify", folder, "--key", place / "others.pub")
    (folder / signing.FILE).unlink()
    assert told("verify", folder) == 0 and "key" not in capsys.readouterr().out
    assert "not signed" in _refused(capsys, "verify", folder, "--key", place / "mine.pub")


def test_a_signature_is_of_one_root_and_one_kind(place, tmp_path, capsys):
    for kind in KINDS:
        copy = shutil.copytree(place / kind, tmp_path / kind)
        for other in KINDS:
            shutil.copy(place / other / signing.FILE, copy / signing.FILE)
            code = told("verify", copy, "--key", place / "mine.pub")
            assert (code == 0) == (kind == other)
    root = "ab" * 32
    key = signing.public_key(place / "mine.pub")
    signing.sign(tmp_path, signing.Root("run", root), place / "mine.pem")
    assert signing.check(tmp_path, signing.Root("run", root), key)
    said = json.loads((tmp_path / signing.FILE).read_text())
    (tmp_path / signing.FILE).write_text(json.dumps({**said, "kind": "batch"}))
    with pytest.raises(sandbox.SandboxError, match="the signature is wrong"):
        signing.check(tmp_path, signing.Root("batch", root), key)


def test_no_part_of_a_signature_can_be_changed_dropped_or_cut(folder, place, capsys):
    text = (folder / signing.FILE).read_text()
    found, key = json.loads(text), ("--key", place / "mine.pub")
    others = {"format": 2, "kind": "other", "root": "ab" * 32, "key": "A" * 43 + "=", "signature": "A" * 86 + "=="}
    for name, other in others.items():
        for forgery in ({**found, name: other}, {**found, name: None}, {k: v for k, v in found.items() if k != name}):
            (folder / signing.FILE).write_text(json.dumps(forgery))
            _refused(capsys, "verify", folder, *key)
    for cut in (0, 1, len(text) // 2, len(text) - 3):
        (folder / signing.FILE).write_text(text[:cut])
        _refused(capsys, "verify", folder, *key)
    for junk in (b"\xff\0", b"[1]", b"[" * 9_000, b" " * 20_000 + text.encode()):
        (folder / signing.FILE).write_bytes(junk)
        _refused(capsys, "verify", folder, *key)


def test_what_is_no_key_is_told_before_anything_is_executed(folder, place, tmp_path, capsys):
    whole = (place / "mine.pub").read_bytes()
    for name, text in (("cut", whole[:50]), ("empty", b""), ("junk", os.urandom(200)), ("long", whole * 500)):
        (tmp_path / name).write_bytes(text)
        told = _refused(capsys, "verify", folder, "--key", tmp_path / name)
        assert "expected a public key of Ed25519" in told
        assert "expected a private key" in _refused(capsys, "sign", folder, "--key", tmp_path / name)
    assert "expected a public key" in _refused(capsys, "verify", folder, "--key", place / "mine.pem")
    assert "expected a private key" in _refused(capsys, "sign", folder, "--key", place / "mine.pub")
    assert "cannot be read" in _refused(capsys, "verify", folder, "--key", tmp_path / "nowhere")


def test_what_was_changed_after_it_was_signed_is_not_what_was_signed(place, tmp_path, capsys):
    """A batch that is longer by true trials agrees with itself; the signature is of what it was."""
    copy = shutil.copytree(place / "batch", tmp_path / "b")
    sandbox.batch(SCENARIO, copy, trials=4)
    assert told("verify", copy) == 0
    assert "it signs the batch of root" in _refused(capsys, "verify", copy, "--key", place / "mine.pub")


def test_what_is_unfinished_or_contradicts_itself_is_not_signed(folder, place, capsys):
    (folder / signing.FILE).unlink()
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        if folder.name == "run":
            db.execute("UPDATE event SET body = replace(body, '}', ' }') WHERE seq = 2")
        else:
            db.execute("UPDATE chunk SET start = 1 WHERE start = 0")
    _refused(capsys, "sign", folder, "--key", place / "mine.pem")
    assert not (folder / signing.FILE).exists()


def test_without_the_package_the_extra_is_named(place):
    code = "import sys; sys.modules['cryptography'] = None; from sandbox.cli.main import main; main()"
    command = [sys.executable, "-c", code, "sign", str(place / "batch"), "--key", str(place / "mine.pem")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "cryptography is missing for keys: pip install 'sandbox[sign]'" in done.stderr
