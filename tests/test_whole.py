"""Files appear whole or not at all, and no symbolic link leads out of a run's folder."""

import errno
import os
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from sandbox.agents.skills.library import Library
from sandbox.cli.results import EXPORTS
from sandbox.core.errors import RecordError
from sandbox.record import whole
from sandbox.record.whole import obstacle, replacing, within, write_text
from sandbox.report.figures import save
from sandbox.report.video import write_video

FRAMES = [[[[0, 0, 0]] * 8] * 8]


def _video(path: Path) -> None:
    import numpy as np

    write_video(path, np.array(FRAMES, np.uint8), 12)


WRITERS = {
    "page.html": lambda path: write_text(path, "text"),
    "figure.svg": lambda path: save(Figure(), path),
    "figure.png": lambda path: save(Figure(), path),
    "film.gif": _video,
    "library.toml": lambda path: Library().save(path),
}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_is_written_whole_or_stays_as_it_was(name, error, tmp_path, monkeypatch):
    path = tmp_path / name
    WRITERS[name](path)
    before = path.read_bytes()
    path.write_bytes(b"old")
    path.chmod(0o600)
    with monkeypatch.context() as patch, pytest.raises((RecordError, KeyboardInterrupt)) as told:
        patch.setattr(whole.os, "fsync", _raising(error))
        WRITERS[name](path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == [name]
    if isinstance(error, OSError):
        assert str(told.value) == f"{path}: it cannot be written (No space left on device)"
    WRITERS[name](path)
    assert path.read_bytes() == before and path.stat().st_mode & 0o777 == 0o600 and os.listdir(tmp_path) == [name]


def _raising(error: BaseException):
    def raising(*_):
        raise error

    return raising


@pytest.mark.parametrize("suffix", EXPORTS)
def test_so_are_tables(suffix, tmp_path):
    path, rows = tmp_path / f"rows{suffix}", pd.DataFrame({"a": [1]})
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as part:
        getattr(rows, EXPORTS[suffix])(part, index=False)
        raise ZeroDivisionError
    assert path.read_text() == "old" and os.listdir(tmp_path) == [path.name]
    with replacing(path) as part:
        getattr(rows, EXPORTS[suffix])(part, index=False)
    assert path.stat().st_size > 3 and os.listdir(tmp_path) == [path.name]


def test_no_link_device_or_folder_is_replaced(tmp_path):
    (tmp_path / "precious").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    (tmp_path / "loose").symlink_to(tmp_path / "nowhere")
    for path, words in {
        tmp_path / "link": "symbolic link", tmp_path / "loose": "symbolic link", tmp_path: "a folder",
        Path(os.devnull): "a device",
    }.items():  # fmt: skip
        with pytest.raises(RecordError, match=f"^{path}: it is {words}|{words}"):
            write_text(path, "new")
        assert obstacle(path)
    assert (tmp_path / "precious").read_text() == "old" and not (tmp_path / "nowhere").exists()
    assert not Path(os.devnull).is_file()


def test_a_folder_may_be_a_link_and_what_lies_in_it_may_not(tmp_path):
    (tmp_path / "disk" / "run").mkdir(parents=True)
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "other").symlink_to(tmp_path)
    assert within(tmp_path / "runs", "run", "run.db") == tmp_path / "runs" / "run" / "run.db"
    with pytest.raises(RecordError, match="other: it is a symbolic link, which is not followed"):
        within(tmp_path / "runs", "other", "run.db")
