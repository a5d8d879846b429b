"""What a user calls a run, and the tags of it: a file beside the record, which stays as it was recorded."""

import json
from pathlib import Path
from typing import NamedTuple

from sandbox.core.errors import RecordError, UsageError
from sandbox.record.store import one_line
from sandbox.record.whole import within, write_text

NOTES = "notes.json"
LONGEST, MOST = 120, 12  # letters of a name or a tag; tags
SIZE = 20_000  # bytes of a file that is read


class Notes(NamedTuple):
    """The notes on one run."""

    name: str = ""  # empty: it has none
    tags: tuple[str, ...] = ()


def notes_of(folder: str | Path) -> Notes:
    """The notes on the run in a folder; empty notes if the file is missing or cannot be read."""
    try:
        with within(folder, NOTES).open("rb") as file:
            found = json.loads(file.read(SIZE))
        return Notes(_line(found.get("name", "")), _tags(found.get("tags", ())))
    except (OSError, ValueError, RecordError, TypeError, AttributeError, RecursionError):
        return Notes()


def note(folder: str | Path, notes: Notes) -> None:
    """Write the notes on a run, or remove empty ones; raises UsageError for too many tags, RecordError for a file."""
    tags = _tags(notes.tags)
    if len(tags) > MOST:
        raise UsageError(f"{len(tags)} tags; expected at most {MOST}")
    written = Notes(_line(notes.name), tags)
    path = within(folder, NOTES)
    if written == Notes():
        path.unlink(missing_ok=True)
    else:
        write_text(path, json.dumps(written._asdict(), ensure_ascii=False))


def _line(text: object) -> str:
    return one_line(str(text))[:LONGEST]


def _tags(found: object) -> tuple[str, ...]:
    """Tags without repetitions, in their order."""
    each = found if isinstance(found, list | tuple) else ()
    return tuple(dict.fromkeys(tag for tag in map(_line, each) if tag))
