"""Gemma out of its packages, and prompts for base models; the real weights play at the end."""

import os
import re
import signal
import subprocess
import sys
import time
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import pytest
import tiny_gguf

import sandbox
from sandbox.agents.llm import gemma
from sandbox.record import open_run
from sandbox.running.replay import verify

PARTS = (b"GGUF" + bytes(3 << 20), b"the rest")
WHOLE = b"".join(PARTS)
CHILD = """
import resource, sys
from pathlib import Path
import platformdirs
from sandbox.agents.llm import gemma
gemma.SHA256 = {digest!r}
if {most}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
try:
    print(gemma.weights())
except Exception as error:
    print(type(error).__name__, error)
"""


class Packages:
    """Fake packages of weights on the path of a child process, and a cache of its own."""

    def __init__(self, folder: Path):
        self.folder, self.cache = folder, folder / "cache"
        self.path = self.cache / "sandbox" / "models" / gemma.NAME
        for k, part in enumerate(PARTS):
            (folder / f"part{k}").write_bytes(part)
        (folder / f"{gemma.PACKAGE}.py").write_text(
            "from pathlib import Path\n\n\ndef chunk_paths():\n"
            "    return [Path(__file__).parent / name for name in ('part0', 'part1')]\n"
        )

    def start(self, digest: str = sha256(WHOLE).hexdigest(), most: int = 0) -> subprocess.Popen:
        paths = os.pathsep.join([str(self.folder), str(Path(sandbox.__file__).parents[1])])
        return subprocess.Popen(
            [sys.executable, "-c", CHILD.format(digest=digest, most=most)], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": paths, "XDG_CACHE_HOME": str(self.cache)},
        )  # fmt: skip

    def run(self, *arguments, **options) -> tuple[str, str]:
        return self.start(*arguments, **options).communicate(timeout=60)

    @property
    def left(self) -> set[str]:
        return {path.name for path in self.path.parent.iterdir()} - {f"{gemma.NAME}.lock"}


@pytest.fixture
def packages(tmp_path):
    return Packages(tmp_path)


def test_weights_are_put_together_once_and_their_terms_shown_once(packages):
    first, again = packages.run(), packages.run()
    assert first[0] == again[0] == f"{packages.path}\n" and packages.path.read_bytes() == WHOLE
    assert "Gemma\nTerms of Use" in first[1] and "Terms" not in again[1]
    packages.path.write_bytes(WHOLE[:-1] + b"X")
    assert packages.run()[0] == f"{packages.path}\n" and packages.path.read_bytes() == WHOLE, "damaged: made again"
    assert packages.left == {gemma.NAME}


def test_other_weights_and_a_full_disk_leave_no_file_and_one_clear_line(packages):
    assert "UsageError llm: gemma: the packages" in packages.run("0" * 64)[0] and not packages.left
    told, _ = packages.run(most=1 << 20)  # a file may grow no further
    assert told.startswith("UsageError llm: gemma:") and "cannot be written" in told and told.count("\n") == 1
    assert not packages.left


def test_a_kill_in_the_middle_and_two_at_once_leave_one_whole_file(packages):
    (packages.folder / "part1").unlink()
    os.mkfifo(packages.folder / "part1")  # a reader waits for a writer
    killed = packages.start()
    draft = packages.path.with_suffix(".part")
    deadline = time.monotonic() + 60
    while not (draft.is_file() and draft.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert draft.stat().st_size, "it was killed between two parts"
    assert not packages.path.exists()
    (packages.folder / "part1").unlink()
    (packages.folder / "part1").write_bytes(PARTS[1])
    both = [packages.start(), packages.start()]
    told = [child.communicate(timeout=60) for child in both]
    assert [out for out, _ in told] == 2 * [f"{packages.path}\n"] and packages.path.read_bytes() == WHOLE
    assert packages.left == {gemma.NAME} and sorted("Terms" in err for _, err in told) == [False, True]


# -- prompts for base models -------------------------------------------------------------------------------------------


def scenario(ticks: int, **llm) -> dict:
    world = {"name": "web", "layout": "login-user", "max_ticks": ticks}
    return {"world": world, "agents": [{"reasoner": "llm", "llm": {"timeout": 120.0, **llm}}]}


def test_a_base_model_is_sent_examples_and_a_step_to_complete(tmp_path):
    tiny = tiny_gguf.write(tmp_path / "tiny.gguf")
    outcome = sandbox.run(scenario(6, model=f"gguf:{tiny}", style="base", examples=5), seed=5, out=tmp_path / "run")
    assert outcome.error is None and outcome.fallbacks == outcome.invalid_replies == 0 and outcome.calls == 6
    with open_run(tmp_path / "run") as run:
        (used,) = (event for event in run.events() if event.kind == "model")
        calls = [event for event in run.events() if event.kind == "call"]
    before, *examples = used.instructions.split("\n\n### Step\n")
    assert "- click: Click the element" in before and len(examples) == 5, "the rules log in by five actions"
    assert examples[1].endswith('Action:\n{"verb": "type", "target": 3}')
    assert all(call.prompt.startswith("### Step\n") and call.prompt.endswith("Action:\n") for call in calls)
    assert verify(tmp_path / "run").passed, "the examples are played again, the model is not asked"
    sent = f"{used.instructions}\n\n{calls[0].prompt}"
    # Tokens are bytes; each space is a sign of three, one more stands before the text, one token begins it.
    assert calls[0].input_tokens == len(sent) + 2 * sent.count(" ") + 3 + 1, "the text is sent as it is, without roles"


def test_examples_fit_their_number_and_their_room():
    prompts = sandbox.Sandbox(scenario(3, model="scripted", style="base", examples=2), rng=1).reasoners[0][1].setup
    assert prompts.instructions.count("### Step") == 2
    more = sandbox.Sandbox(scenario(3, model="scripted", style="base", examples=8), rng=1).reasoners[0][1].setup
    tasks = set(re.findall("Your task: (.*)", more.instructions))
    assert more.instructions.count("### Step") == 8 and len(tasks) > 1, "an episode has fewer steps: another follows"
    none = sandbox.Sandbox(scenario(3, model="scripted", style="base", examples=0), rng=1).reasoners[0][1].setup
    assert "### Step" not in none.instructions


# -- the model itself --------------------------------------------------------------------------------------------------


def test_gemma_decides_for_itself(tmp_path):
    if not os.environ.get("CI"):
        pytest.importorskip(gemma.PACKAGE)
    import_module(gemma.PACKAGE)
    outcome = sandbox.run(scenario(3, model="gemma", temperature=0.0), seed=1, out=tmp_path / "run")
    assert outcome.error is None and outcome.calls == outcome.own_decisions > 0 == outcome.invalid_replies
    assert verify(tmp_path / "run").passed
