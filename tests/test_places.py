"""The studio keeps the latest of what was watched, and whatever a process writes or reads; it removes nothing else."""

import multiprocessing
import os

import pytest
from studio import sought

from sandbox.core.errors import RecordError
from sandbox.oversight.approvals import Approvals
from sandbox.record import Log, open_run
from sandbox.record.lock import Lock, Reading, remove
from sandbox.running.listing import listing
from sandbox.studio.backend import places
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.backend.places import new_folder

SCENARIO = {"world": {"name": "web", "layout": "all"}, "agents": [{"count": 1, "reasoner": "rules"}]}


@pytest.fixture
def studio(tmp_path, monkeypatch):
    """The folder of what was watched, of which three runs are kept."""
    monkeypatch.setattr(places, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(places, "KEPT", 3)
    return tmp_path / "runs" / places.WATCHED


def _many(count: int = 6) -> None:
    for seed in range(count):
        new_folder("web", seed)


def _other(work, *arguments) -> None:
    """The same in another process."""
    child = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == 0


def test_the_latest_are_kept_and_nothing_of_others_goes(studio):
    studio.mkdir(parents=True)
    (studio / "20200101-000000-my-thesis").mkdir()
    (studio / "notes.txt").write_text("")
    _many()
    assert len(list(studio.iterdir())) == 2 + 4 and (studio / "20200101-000000-my-thesis").is_dir()


def test_a_run_that_is_written_or_read_stays(studio):
    """By this studio or by another one."""
    live = EpisodePlayer.begin(SCENARIO, 1, new_folder("web", 1), Approvals())
    over = EpisodePlayer.begin(SCENARIO, 2, new_folder("web", 2), Approvals())
    while not over.over:
        over.advance()
    seen = EpisodePlayer.open(over.folder)
    over.close()
    with Log.create(new_folder("web", 3)) as log, open_run(live.folder) as run:
        _other(_many)
        _many()
        assert log.folder.is_dir() and run.folder.is_dir()
        assert live.folder.is_dir() and seen.folder.is_dir()
    live.advance()
    sought(seen, 5)
    sought(seen, 0)
    live.close()
    seen.close()
    _other(_many)
    assert not any(folder.is_dir() for folder in (live.folder, seen.folder, log.folder))


def test_no_link_is_followed(studio, tmp_path):
    studio.mkdir(parents=True)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("")
    for k in range(5):
        (studio / f"2020010{k}-000000-web-seed1-abcdefgh").symlink_to(tmp_path / "precious")
    old = new_folder("web", 1)
    (old / "link").symlink_to(tmp_path / "precious")
    assert remove(old) and not old.exists()
    _many()
    assert os.listdir(tmp_path / "precious") == ["file"]
    (studio / "run.db").symlink_to(tmp_path / "precious" / "file")
    assert {entry.kind for entry in listing(studio.parent)} == {"broken"}
    assert "symbolic link" in listing(studio.parent)[0].problem
    studio.rename(tmp_path / "elsewhere")
    studio.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError, match="studio: it is a symbolic link, which is not followed"):
        new_folder("web", 1)


def test_runs_itself_may_be_a_link(studio, tmp_path):
    (tmp_path / "disk").mkdir()
    studio.parent.symlink_to(tmp_path / "disk")
    _many()
    assert len(list((tmp_path / "disk" / places.WATCHED).iterdir())) == 4


def test_what_is_held_is_not_removed(tmp_path):
    for hold in (Lock, Reading):
        held = hold(tmp_path / "run") if hold is Lock else hold(tmp_path)
        assert not remove(tmp_path / "run" if hold is Lock else tmp_path)
        held.release() if hold is Lock else held.close()
    assert remove(tmp_path / "run") and not (tmp_path / "run").exists()
