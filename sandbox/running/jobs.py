"""Batches and certificates in the background: each is a process that outlives the page and the server.

The folder of the results contains everything, so that any tab, and any later server, finds a job again:
``scenario.toml``, ``job.json`` and ``job.log`` beside the table that the job fills. ``job.json`` identifies the process
by its number and start time: no second one starts while it runs, and its end is detected.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from sandbox.core.errors import RecordError
from sandbox.record.lock import held
from sandbox.record.store import DATABASE, one_line
from sandbox.record.table import Glance, glance
from sandbox.record.whole import new_folder, within, write_text
from sandbox.running.claims import CLAIM
from sandbox.running.claims import FILE as CERTIFICATE
from sandbox.scenario import Scenario
from sandbox.scenario.load import MODEL, as_toml

JOB, LOG, FILE = "job.json", "job.log", "scenario.toml"
TAIL = 4_000  # bytes at the end of a log that are read
OPTION = re.compile(r"--trials|[0-9]+|--(reliability|confidence|failures)=[0-9.e-]+")  # options of a job
# Ctrl-C must end a job even if the server ignores the signal, as a server started in the background does.
WINDOWS = os.name == "nt"
CODE = (
    f"import signal; signal.signal(signal.{'SIGBREAK' if WINDOWS else 'SIGINT'}, signal.default_int_handler); "
    "from sandbox.cli.main import main; main()"
)
APART = {"creationflags": 0x200} if WINDOWS else {"start_new_session": True}  # CREATE_NEW_PROCESS_GROUP

Kind = Literal["batch", "certify"]
State = Literal["starting", "running", "done", "stopped", "failed", "gone"]


class Status(NamedTuple):
    """The state of a job."""

    state: State
    words: str  # one line
    known: Glance | None  # the content of its table; None if there is none yet
    ours: bool = False  # whether ``stop`` can end it

    @property
    def active(self) -> bool:
        return self.state in ("starting", "running")


_processes: dict[Path, subprocess.Popen] = {}  # processes of this server, for their exit codes
_starting = threading.Lock()  # two tabs may continue the same job at once


def begin(scenario: Scenario, name: str, kind: Kind, arguments: Sequence[str], runs: Path) -> Path:
    """Start a job in a new folder below ``runs``, and return the folder; raises RecordError if it cannot be written.

    ``arguments`` are options of ``sandbox batch`` or ``sandbox certify``, without the scenario and the folder.
    """
    try:
        folder = new_folder(runs, f"{name}-{'certificate' if kind == 'certify' else 'batch'}")
    except OSError as error:
        raise RecordError(f"{runs}: cannot write there ({error.strerror})") from None
    write_text(folder / FILE, as_toml(scenario.as_dict()))
    # An upload must not use the model that the owner of the server has named.
    _start(folder, kind, arguments, without=() if scenario.origin.environment else (MODEL,))
    return folder


def go_on(folder: Path) -> None:
    """Continue a job that has ended; raises RecordError if it runs, or if its folder is incomplete."""
    job = _job(folder)
    if not _ours(job) or not within(folder, FILE).is_file():  # started on the command line
        known = glance(folder)
        write_text(folder / FILE, as_toml(known.scenario))
        job = _as_begun(folder, known)
    _start(folder, job["kind"], job["arguments"])


def stop(folder: Path) -> None:
    """End a job as Ctrl-C does: finished trials are kept. Without a running job nothing happens."""
    process = _processes.get(folder.absolute())
    pid = process.pid if process and process.poll() is None else _job(folder).get("pid") if _lives(folder) else None
    if isinstance(pid, int) and pid > 1:  # another program may have written the file; -1 means all processes
        with suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))  # the former on Windows


def status(folder: Path) -> Status:
    """The state of the job in a folder; never raises."""
    process = _processes.get(folder.absolute())
    ended = process.poll() if process else None  # also removes a zombie process
    if not folder.is_dir():
        words = "the folder is gone" + ("; its process is still at work" if process and ended is None else "")
        return Status("gone", words, None, process is not None and ended is None)
    ours = _lives(folder)
    try:
        known = glance(folder)
    except RecordError as error:
        if ours:  # its table does not exist yet
            return Status("starting", _last_line(folder) or "starting", None, True)
        words = str(error) if (folder / DATABASE).exists() or not (folder / JOB).exists() else _end(folder, ended)
        return Status("failed", words, None)
    if ours:
        said = _last_line(folder)
        return Status("running", said if said.startswith("compiling") else "", known, True)
    if held(folder):
        return Status("running", "started outside the studio, where Ctrl-C ends it", known)
    if (folder / CERTIFICATE).is_file() or (known.done >= known.planned and not (folder / CLAIM).is_file()):
        return Status("done", "", known)
    words = _end(folder, ended)
    return Status("failed" if words.startswith("error:") else "stopped", words, known)


# -- starting ----------------------------------------------------------------------------------------------------------


def _as_begun(folder: Path, known: Glance) -> dict:
    """The command that created a folder, derived from its content."""
    try:
        claim = json.loads(within(folder, CLAIM).read_text(encoding="utf-8"))
    except OSError:
        each = max(known.planned // max(len(known.counts), 1), 1)
        return {"kind": "batch", "arguments": ["--trials", str(each)]}
    options = [f"--{name}={claim[name]:.10g}" for name in ("reliability", "confidence", "failures")]
    return {"kind": "certify", "arguments": options}


def _start(folder: Path, kind: Kind, arguments: Sequence[str], without: Sequence[str] = ()) -> None:
    """Start the process, with an environment ``without`` some variables."""
    command = [kind, str(folder / FILE), *arguments, "--out", str(folder)]
    with _starting:
        if _lives(folder) or held(folder):
            raise RecordError(f"{folder}: it is running already; watch it, or stop it first")
        try:
            with within(folder, LOG).open("w", encoding="utf-8") as log:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-c", CODE, *command], stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, env={k: v for k, v in os.environ.items() if k not in without}, **APART,
                )  # fmt: skip
            _processes[folder.absolute()] = process
            started = datetime.now(UTC).isoformat(timespec="seconds")
            about = {"pid": process.pid, "born": _born(process.pid), "started": started, "kind": kind}
            write_text(folder / JOB, json.dumps({**about, "arguments": list(arguments)}))
        except OSError as error:
            raise RecordError(f"{folder}: the job cannot be started there ({error.strerror})") from None


def _born(pid: int) -> float | None:
    """Start time of a process, seconds since 1970; None if it has ended. It tells apart processes of one number."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (psutil.Error, ValueError, OverflowError):
        return None


# -- state -------------------------------------------------------------------------------------------------------------


def _job(folder: Path) -> dict:
    try:
        found = json.loads(within(folder, JOB).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecordError):
        return {}
    return found if isinstance(found, dict) else {}


def _ours(job: dict) -> bool:
    """Whether a job may be started again: it has only options that the studio sets."""
    given = job.get("arguments")
    known = isinstance(given, list) and all(isinstance(one, str) and OPTION.fullmatch(one) for one in given)
    return bool(known and given) and job.get("kind") in get_args(Kind)


def _lives(folder: Path) -> bool:
    """Whether the process of the job in this folder is alive."""
    job = _job(folder)
    pid, born = job.get("pid"), job.get("born")
    return type(pid) is int and born is not None and _born(pid) == born


def _end(folder: Path, code: int | None) -> str:
    """How an unfinished job ended, as text."""
    said = _last_line(folder)
    if code is not None and code < 0:
        return f"its process was ended from outside ({signal.strsignal(-code) or -code})"
    if said.startswith("error:"):
        return said
    if said.startswith(("stopped", "KeyboardInterrupt")):
        return "stopped from the page or by Ctrl-C"
    return "its process is gone" + (f"; the last that it said: {said}" if said else "")


def _last_line(folder: Path) -> str:
    """The last lines of a job's output."""
    try:
        with within(folder, LOG).open("rb") as log:
            log.seek(max(log.seek(0, os.SEEK_END) - TAIL, 0))
            lines = log.read().decode(errors="replace").strip().splitlines()
    except (OSError, RecordError):
        return ""
    return one_line(lines[-1]) if lines else ""
