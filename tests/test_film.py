"""An episode at any of its ticks: what is seen again is what was, and what is recorded stays as it is."""

import gc
import shutil
import weakref

import pytest
from studio import SCENARIO, sought

import sandbox
from sandbox.core.errors import RecordError, UsageError
from sandbox.oversight.approvals import Approvals
from sandbox.record import open_run
from sandbox.running import intervene
from sandbox.running.replay import verify
from sandbox.studio.backend import episode_player as films
from sandbox.studio.backend.episode_player import EpisodePlayer


@pytest.fixture
def film(tmp_path):
    film = EpisodePlayer.begin(SCENARIO, 3, tmp_path / "run", Approvals())
    yield film
    film.close()


def play(film: EpisodePlayer, ticks: int = 1 << 30) -> EpisodePlayer:
    for _ in range(ticks):
        if film.over:
            break
        film.advance()
    return film


def digests(ticks: int, seed: int = 3) -> list[str]:
    model, found = sandbox.Sandbox(SCENARIO, rng=seed), []
    while model.running and model.ticks < ticks:
        model.step()
        found.append(model.latest.digest)
    return found


def test_who_seeks_back_sees_what_was_and_goes_on_from_where_it_ended(film):
    play(film, 30)
    sought(film, 12)
    assert (film.tick, film.head, film.over) == (12, 30, False)
    assert film.model.env.digest(film.model.state) == digests(12)[-1]
    play(film, 40)
    assert film.tick == film.head == 52 and film.past.digests == digests(52)


def test_a_run_that_was_watched_is_a_run_like_any_other(film):
    play(film)
    assert film.over and not film.live
    verdict = verify(film.folder)
    assert verdict.passed and verdict.ticks == film.head
    with open_run(film.folder) as run:
        assert run.outcomes[0]["digest"] == film.past.digests[-1]
    sought(film, 5)
    assert not film.over and film.tick == 5 and film.past.digests == digests(1 << 30)


def test_who_closes_in_the_middle_leaves_a_run_that_was_stopped(film):
    play(film, 9)
    film.close()
    with open_run(film.folder) as run:
        assert run.outcomes[0]["finish"] == "stopped"
    again = EpisodePlayer.open(film.folder)
    assert (again.head, again.live, again.tick) == (9, False, 0)
    play(again)
    assert again.tick == 9 and again.over


def test_who_is_forgotten_seals_its_record_and_frees_its_model(tmp_path):
    def left_alone():
        film = play(EpisodePlayer.begin(SCENARIO, 3, tmp_path / "run", Approvals()), 5)
        return weakref.ref(film.model)

    model = left_alone()
    gc.collect()
    assert model() is None
    assert EpisodePlayer.open(tmp_path / "run").head == 5


def test_seeking_takes_the_nearest_checkpoint(film, monkeypatch):
    monkeypatch.setattr(films, "WORK", 0.0)
    play(film, 60)
    assert 0 < len(film._checkpoints) <= films.KEPT
    opened = []
    monkeypatch.setattr(films, "model_of", lambda *_: opened.append(1))
    sought(film, 41)
    assert film.tick == 41 and not opened
    assert film.model.env.digest(film.model.state) == digests(41)[-1] and film.model.people.held(42) == {}


def test_a_record_that_says_otherwise_is_told(film):
    play(film, 10)
    film.past.digests[6] = "0" * 64
    sought(film, 0)
    with pytest.raises(RecordError, match="tick 7 does not run as recorded: the state differs"):
        sought(film, 10)


def test_a_folder_that_is_gone_is_told(film):
    play(film, 10)
    film._checkpoints.clear()
    film._log.flush()
    shutil.rmtree(film.folder)
    with pytest.raises(RecordError, match="its folder was removed or renamed while it was being written"):
        sought(film, film.tick + 1)
    with pytest.raises(RecordError, match="its folder was removed"):
        sought(film, 0)


def test_the_error_that_ended_an_episode_is_known_when_it_is_seen_again(film):
    play(film, 4)

    def broken() -> None:
        raise ValueError("a mind went blank")

    film.model._decide = broken
    play(film, 5)
    assert film.over and film.model.error == "ValueError: a mind went blank" and film.head == 4
    sought(film, 2)
    assert film.past.error == "ValueError: a mind went blank"
    assert play(film).tick == 4 and film.over


def test_what_people_do_is_recorded_and_seen_again(film):
    play(film, 5)
    film.intervene(lambda model: intervene.intervene(model, "block_aisle"))
    play(film, 5)
    film.intervene(lambda model: intervene.reseat(model, 2, "idle"))
    intervene.take(film.model, film.people, 1)
    film.people.key(1, "left")
    play(film, 3)
    film.people.lose(0)
    play(film, 4)
    film.people.release(1)
    play(film, 3)
    seen = list(film.past.digests)
    sought(film, 2)
    play(film, 18)
    assert film.tick == film.head == 20 and film.past.digests == seen != digests(20)
    play(film, 5)
    film.close()
    assert verify(film.folder).passed and verify(film.folder).ticks == 25
    assert play(EpisodePlayer.open(film.folder)).tick == 25


def test_what_was_done_last_is_not_forgotten_by_who_seeks_back(film):
    play(film, 5)
    film.intervene(lambda model: intervene.intervene(model, "block_aisle"))
    closed = film.model.env.describe(film.model.state)["closed"]
    sought(film, 2)
    assert film.model.env.describe(film.model.state)["closed"] == []
    play(film, 3)
    assert film.model.env.describe(film.model.state)["closed"] == closed
    play(film, 3)
    film.close()
    assert verify(film.folder).passed and verify(film.folder).ticks == 8


def test_a_checkpoint_is_gone_on_from_as_people_had_it(film, monkeypatch):
    monkeypatch.setattr(films, "WORK", 0.0)
    intervene.take(film.model, film.people, 1)
    play(film, 10)
    film.people.release(1)
    play(film, 10)
    seen = list(film.past.digests)
    sought(film, 4)
    play(film, 20)
    assert film.past.digests[:20] == seen and film.tick == film.head == 24


def test_the_past_cannot_be_changed(film):
    play(film, 5)
    sought(film, 3)
    with pytest.raises(UsageError, match="tick 3: this is the past; tick 5 is the present"):
        film.intervene(lambda model: intervene.intervene(model, "block_aisle"))
    play(film)
    with pytest.raises(UsageError, match="the episode is over"):
        film.intervene(lambda model: intervene.intervene(model, "block_aisle"))
