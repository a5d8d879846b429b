"""Classes of the studio: what is kept of predictions, whose they are, and what hostile input does. No browser."""

import json
from threading import Thread

import pytest

from sandbox.core.errors import UsageError
from sandbox.statistics import Estimate
from sandbox.studies.answers import Answer, Difference, Result
from sandbox.studio.backend import classroom
from sandbox.studio.backend.classroom import Classes
from sandbox.studio.components.sketch import Paper

ANSWER = Answer(
    "A", (Result("A", 3, 0, Estimate(1.0, float("-inf"), float("inf")), {"steps": 2.0}),),
    (Difference("A", "B", Estimate(1.0, 0.5, 2.0), True),), 7, (1, 3), 0.5,
)  # fmt: skip
TEACHER, PUPIL = "a" * 32, "b" * 32


@pytest.fixture
def classes(tmp_path):
    return Classes(tmp_path)


@pytest.fixture
def one(classes):
    return classes.open("03-renamed-button", {"Errand": "All"}, 40, 2**64 - 1, TEACHER)


def test_a_browser_has_one_prediction_until_the_answer_is_revealed(classes, one):
    for guess in ("same", "Clearly fewer."):
        classes.guess(one.code, PUPIL, guess)
    assert list(classes.find(one.code).guesses.values()) == ["Clearly fewer."]
    with pytest.raises(UsageError, match="only its teacher"):
        classes.reveal(one.code, PUPIL, ANSWER)
    classes.reveal(one.code, TEACHER, ANSWER)
    classes.guess(one.code, PUPIL, "same")
    classes.guess(one.code, "another", "same")
    assert list(classes.find(one.code).guesses.values()) == ["Clearly fewer."]


def test_a_restart_loses_nothing_and_no_file_names_a_browser(classes, one, tmp_path):
    classes.guess(one.code, PUPIL, (1.0, 2.5, 0.0))
    classes.reveal(one.code, TEACHER, ANSWER)
    again = Classes(tmp_path)
    assert again.find(one.code) == classes.find(one.code) and again.find(one.code).answer == ANSWER
    (path,) = tmp_path.rglob("*.json")
    assert TEACHER not in path.read_text() and PUPIL not in path.read_text()


def test_seats_and_classes_are_bounded(classes, one, monkeypatch):
    monkeypatch.setattr(classroom, "SEATS", 3)
    for k in range(3):
        classes.guess(one.code, f"browser {k}", "same")
    with pytest.raises(UsageError, match="no more are taken"):
        classes.guess(one.code, "one more", "same")
    classes.guess(one.code, "browser 1", "other")  # may change its mind
    monkeypatch.setattr(classroom, "CLASSES", 2)
    classes.open("x", {}, None, 1, TEACHER)
    with pytest.raises(UsageError, match="classes of today already"):
        classes.open("y", {}, None, 1, TEACHER)
    monkeypatch.setattr(classroom, "OLD", -1.0)  # yesterday's
    third = classes.open("z", {}, None, 1, TEACHER)
    assert classes.find(third.code) and classes.find(one.code) is None  # the oldest gave way


def test_many_predict_at_once(classes, one):
    threads = [Thread(target=classes.guess, args=(one.code, f"browser {k}", "same")) for k in range(40)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(classes.find(one.code).guesses) == 40


def test_files_that_are_no_classes_are_left_alone(classes, one, tmp_path):
    folder = tmp_path / classroom.FOLDER
    good = json.loads((folder / f"{one.code}.json").read_text())
    for name, text in {
        "broken": "{", "list": "[]", "deep": "[" * 100_000, "other": json.dumps(good),
        "../up": "{}", "nan": json.dumps(good | {"seed": "x"}),
    }.items():  # fmt: skip
        (folder / f"{name}.json").write_text(text)
    again = Classes(tmp_path)
    assert again.find(one.code) == one and len(again._known) == 1
    for code in ("", "nothing", "../../secret", "a" * 10_000, "<script>"):
        assert again.find(code) is None
        with pytest.raises(UsageError, match="there is no class"):
            again.guess(code, PUPIL, "same")


@pytest.mark.parametrize(
    "sent, read",
    [
        ([1, 2.5, None], (1.0, 2.5, None)), ([-5, 50, 10], (0.0, 10.0, 10.0)), ([1, 2], (None,) * 3),
        ("abc", (None,) * 3),
        ([float("nan"), float("inf"), True], (None,) * 3), ({"a": 1}, (None,) * 3), ([[1], "2", {}], (None,) * 3),
        ([10**400, 1, 1], (None, 1.0, 1.0)),
    ],
)  # fmt: skip
def test_a_drawing_is_read_whatever_a_browser_sends(sent, read):
    assert Paper("x", ["0", "1", "2"], "y", 0.0, 10.0).read(sent) == read
