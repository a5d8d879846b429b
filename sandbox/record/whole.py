"""Files that are written completely or not at all. In a run's folder no symbolic link is followed.

A link in a folder of another author can lead to any file of the reader. The folder itself may be a link, because its
user named it.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sandbox.core.errors import RecordError

_PART = re.compile(r"\..*\.[0-9a-f]{8}\.part(\.\w+)?")
LINK = "it is a symbolic link, which is not followed"


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A new file beside ``path``, to be written in the ``with``; at its end it replaces ``path``.

    After an error or Ctrl-C, ``path`` is unchanged and nothing is left beside it. Raises RecordError if the file
    cannot be written.
    """
    path = Path(path)
    part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    if told := obstacle(path):
        raise RecordError(f"{path}: {told}")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield part
        with part.open("r+b") as file:
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, part)
        os.replace(part, path)
    except OSError as error:
        if not path.parent.is_dir():
            raise RecordError(f"{path}: its folder was removed or renamed while it was being written") from None
        told = error.strerror or str(error).partition("\n")[0] or type(error).__name__
        raise RecordError(f"{path}: it cannot be written ({told})") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def is_part(name: str) -> bool:
    """Whether a file of this name was left by a process that was killed while it wrote another one."""
    return _PART.fullmatch(name) is not None


def new_folder(parent: Path, name: str) -> Path:
    """``parent``/NAME, with a number if that is taken; created, so that no other process takes it.

    Raises OSError if it cannot be created, RecordError if there are too many of that name.
    """
    for number in range(1, 10_000):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise RecordError(f"{parent / name}: there are too many of that name; choose another title")


def write_text(path: str | Path, text: str) -> None:
    """Write a text into its file, whole or not at all; raises RecordError if that fails."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def within(folder: str | Path, *names: str) -> Path:
    """A path below a run's folder; raises RecordError if a part of it below that folder is a symbolic link."""
    path = Path(folder)
    for name in names:
        path /= name
        if path.is_symlink():
            raise RecordError(f"{path}: {LINK}")
    return path


def obstacle(path: Path) -> str:
    """The reason why no file can be written at a path; empty if one can."""
    if path.is_symlink():
        return f"{LINK}; expected a file"
    if path.exists() and not path.is_file():  # a device would be replaced
        return f"it is a {'folder' if path.is_dir() else 'device'}; expected a file"
    return ""
