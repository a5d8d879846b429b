"""Folders: runs are written to and read from one folder of the working directory."""

import re
import tempfile
from datetime import datetime
from pathlib import Path

from sandbox.core.errors import UsageError
from sandbox.record.lock import remove
from sandbox.record.whole import within
from sandbox.running.listing import RUNS
from sandbox.scenario import Scenario, load
from sandbox.scenario.capabilities import of_file

SCENARIOS, LESSONS = Path("scenarios"), "lessons"
WATCHED = "studio"  # folder of the runs watched in the studio
KEPT = 50  # watched runs; older ones are removed
_OURS = re.compile(r"\d{8}-\d{6}-.+-seed\d+-\w+")  # folders made by ``new_folder``


def new_folder(world: str, seed: int) -> Path:
    """An empty folder for a run to be watched; raises UsageError if none can be made.

    Raises RecordError if the folder of these runs is a symbolic link, because old runs are removed from it.
    """
    place = within(RUNS, WATCHED)
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    try:
        place.mkdir(parents=True, exist_ok=True)
        _prune(place)
        return Path(tempfile.mkdtemp(prefix=f"{stamp}-{Path(world).stem}-seed{seed}-", dir=place))
    except OSError as error:
        raise UsageError(f"{place}: cannot record there ({error.strerror}); set SANDBOX_RUNS") from None


def _prune(place: Path) -> None:
    """Remove all but the latest watched runs, and those that a process writes or reads."""
    ours = sorted(path for path in place.iterdir() if _OURS.fullmatch(path.name) and not path.is_symlink())
    for old in ours[:-KEPT]:
        remove(old)


def inside(given: str) -> str:
    """The folder of a run named in an address; empty if it is not below the folder of runs.

    Links do not lead out of that folder. The answer does not reveal what exists elsewhere.
    """
    try:
        below = Path(given).resolve().is_relative_to(RUNS.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, or an impossible name
        below = False
    return given if given and below else ""


def opened(path: Path) -> Scenario:
    """The scenario of a file on this machine, for a user in a browser; raises UsageError."""
    return load(path, origin=of_file(path).shown())


def scenario_files() -> dict[str, Path]:
    """The scenarios of the working directory, by their names in a list; lessons have their own page."""
    found = sorted(path for path in SCENARIOS.rglob("*.toml") if LESSONS not in path.parts)
    return {path.relative_to(SCENARIOS).with_suffix("").as_posix(): path for path in found}
