"""Video models: they learn what actions do, draw what a state is, and are judged by what their pictures show."""

from importlib import import_module

import numpy as np
import pytest

from sandbox.analysis.videos.imagined import Simulated, Still
from sandbox.analysis.videos.measures import beginning, frechet, measured
from sandbox.analysis.videos.pictures import Camera, album_of, film, joined, read, scene
from sandbox.analysis.videos.planning import attempts
from sandbox.core.errors import UsageError
from sandbox.nets.video import DRAW, Video
from sandbox.nets.weights import Weights, shipped
from sandbox.nets.weights import read as weights

SEEDS, TICKS = range(970_000, 970_003), 21


@pytest.fixture(scope="module")
def camera() -> Camera:
    return Camera(scene("kitchen"))


@pytest.fixture(scope="module")
def model() -> Video:
    return Video(weights(shipped("video-kitchen-next")))


def right(camera, model, video):
    soon, _ = measured(camera, beginning(camera, video), model, SEEDS, "oracle", 0.1, TICKS)
    return soon.right.value


def test_pictures_are_read_back_as_what_they_show(camera):
    (_, _, shots), *_ = film(camera, range(4), "rules", np.zeros(4), 1, np.random.default_rng(0))
    album = album_of(np.concatenate([shots.before, shots.after]))
    noisy = shots.after + np.random.default_rng(1).normal(0, 0.02, shots.after.shape)
    assert (read(album, noisy) == read(album, shots.after)).all()
    assert (read(album, shots.before) != read(album, shots.after)).any()


def test_the_rules_are_right_a_copy_never_is_and_the_shipped_models_are_between(camera, model):
    begins = {
        "rules": lambda state, pictures: Simulated(camera, camera.env.step, state, pictures),
        "copy": lambda state, pictures: Still(pictures), "film": beginning(camera, model),
    }  # fmt: skip
    found = {name: measured(camera, begin, model, SEEDS, "oracle", 0.1, TICKS)[0] for name, begin in begins.items()}
    assert found["rules"].right.value == 1 and found["copy"].right.value == 0 == found["copy"].delta_psnr.value
    assert 0.5 < found["film"].right.value <= 1 and found["film"].delta_psnr.value > 1
    assert found["rules"].distance < found["film"].distance < found["copy"].distance


def test_a_model_that_is_told_the_state_draws_it(camera, model):
    drawer = Video(weights(shipped("video-kitchen-draw")))
    assert drawer.kind == DRAW and right(camera, model, drawer) > 0.9


def test_a_search_in_the_rules_reaches_what_random_actions_do_not(camera, model):
    begin = lambda state, pictures: Simulated(camera, camera.env.step, state, pictures)  # noqa: E731
    found = attempts(camera, begin, model.album, SEEDS, "oracle", 0.1, TICKS)
    assert len(found) > 3 and all(one.really for one in found) and not all(one.guessed for one in found)
    still = attempts(camera, lambda state, pictures: Still(pictures), model.album, SEEDS, "oracle", 0.1, TICKS)
    assert not any(one.verbs for one in still)


def test_equal_films_have_no_distance():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(500, 4))
    assert frechet(first, first) == pytest.approx(0, abs=1e-6)
    assert frechet(first, first + 2) == pytest.approx(16, rel=0.01)  # the squared distance of the means


def test_a_training_learns_the_actions_and_one_on_shuffled_actions_does_not(camera, model, monkeypatch):
    video = import_module("sandbox.learn.video")  # it brings JAX
    for name, small in {"WIDE": 32, "DEEP": 2, "BATCH": 64}.items():
        monkeypatch.setattr(video, name, small)

    played = film(camera, range(970_000, 970_016), "oracle", np.full(16, 0.5), 20, np.random.default_rng(0))
    test = joined([shots for _, _, shots in played])
    others = test.acts[np.random.default_rng(1).permutation(len(test))]

    def gain(shuffled: bool) -> float:
        """How much worse the pictures are with the actions of others."""
        job = video.VideoJob("kitchen", ticks=1_600, shuffled=shuffled)
        for _ in range(25):
            job.round()
        made, rngs = Video(job.weights()), (np.random.default_rng(2), np.random.default_rng(2))
        errors = [((made.pictures(test.before, acts, rng) - test.after) ** 2).mean()
                  for acts, rng in zip((test.acts, others), rngs, strict=True)]  # fmt: skip
        return errors[1] / errors[0]

    assert gain(False) > 1.08 > gain(True)


@pytest.mark.parametrize("spoil", ["kind", "shape", "number", "size"])
def test_other_weights_are_refused_in_one_line(spoil, model):
    found = weights(shipped("video-kitchen-next"))
    tensors, card = dict(found.tensors), dict(found.card)
    if spoil == "kind":
        card["kind"] = "policy"
    elif spoil == "shape":
        tensors["place"] = tensors["place"][:-1]
    elif spoil == "number":
        tensors["place"] = np.full_like(tensors["place"], np.nan)
    else:
        card["wide"] = 10**9
    with pytest.raises(UsageError, match="video model") as told:
        Video(Weights(tensors, card, ""))
    assert "\n" not in str(told.value)


def test_worlds_without_tokens_or_cells_are_refused():
    for world in ("wildfire", "web"):
        with pytest.raises(UsageError, match=r"tokens|cells"):
            scene(world)
