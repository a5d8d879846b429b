"""Folders: runs are written to and read from one folder of the working directory."""

import os
import re
import tempfile
from datetime import datetime
from pathlib import Path

from sandbox.core.errors import UsageError
from sandbox.record.lock import remove
from sandbox.record.whole import within

RUNS = Path(os.environ.get("SANDBOX_RUNS", "runs"))
SCENARIOS, LESSONS = Path("scenarios"), "lessons"
WATCHED = "studio"  # below it: what was watched in the studio
KEPT = 50  # runs that were watched; older ones go
_OURS = re.compile(r"\d{8}-\d{6}-.+-seed\d+-\w+")  # folders that ``new_folder`` made


def new_folder(world: str, seed: int) -> Path:
    """An empty folder for a run that is about to be watched; raises UsageError where none can be made.

    Raises RecordError where the folder of these runs is a symbolic link: old runs are removed from it.
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
    """Of what was watched, only the latest is kept, and what any process writes or reads."""
    ours = sorted(path for path in place.iterdir() if _OURS.fullmatch(path.name) and not path.is_symlink())
    for old in ours[:-KEPT]:
        remove(old)


def inside(given: str) -> str:
    """The folder of a run that an address names, empty where it lies elsewhere than below the folder of runs.

    A link does not lead out of it. The answer does not show what exists elsewhere.
    """
    try:
        below = Path(given).resolve().is_relative_to(RUNS.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links; a name that no folder can have
        below = False
    return given if given and below else ""


def scenario_files() -> dict[str, Path]:
    """The scenarios of the working directory, by what they are called in a list; lessons have a page of their own."""
    found = sorted(path for path in SCENARIOS.rglob("*.toml") if LESSONS not in path.parts)
    return {path.relative_to(SCENARIOS).with_suffix("").as_posix(): path for path in found}
