"""Lessons: the files, what is measured of them, what is said of it, and the page."""

import gc
import re
import threading
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest
from studio import COMPILE, until

from sandbox.core.errors import SandboxError, UsageError
from sandbox.core.finish import Finish, Outcome
from sandbox.scenario import load
from sandbox.scenario.load import as_toml
from sandbox.statistics import lower_bound
from sandbox.studies import answers
from sandbox.studies.answers import measure
from sandbox.studies.lessons import lessons, load_lesson
from sandbox.studies.verdicts import judged, missed, words
from sandbox.studio.backend import classroom
from sandbox.studio.backend.background_task import BackgroundTask
from sandbox.studio.backend.classroom import Classes, counted
from sandbox.studio.backend.lesson_state import preview_seed
from sandbox.studio.views import lesson_class

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "scenarios" / "lessons"
EXAMPLE = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "lessons.md").read_text(), re.DOTALL)[1]
RELIABILITY = """
[lesson.measure]
ask = "reliability"
reliability = 0.9
arms = [{ name = "Four robots" }]
"""
CURVE = """
[lesson.measure]
ask = "curve"
measure = "steps"
range = [0, 400]
along = { label = "Actions fail", key = "perturb.action_failure", values = [0.0, 0.5, 1.0], unit = " %", scale = 30.0 }
"""
TITLES = {
    "Does a world model help?", "How far ahead is worth imagining?", "One renamed button", "Why five nines is hard",
    "More colleagues, less work done?", "What is talk worth?", "What memory is for", "What does a thought cost?",
    "The same dice", "A wrong model is worse than none", "Nothing to see at the ceiling", "Is thinking deeper better?",
    "What is doubt good for?", "Everybody knows, nobody is assigned", "One at a time", "Lost words", "Draw the team",
    "Is there a breaking point?", "Whose success is it?", "Nobody to ask", "Twice the same chance", "Missing, or idle?",
    "How dense a forest?", "Is a second pair of eyes enough?", "Spectacle and utility",
}  # fmt: skip


def write(folder: Path, text: str = EXAMPLE, name: str = "own") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def asking(ask: str, *whens: str) -> str:
    """The example with another ``ask``, and predictions for its verdicts."""
    text = EXAMPLE.replace('measure = "steps"', f'measure = "steps"\nask = "{ask}"')
    for old, new in zip(('when = "No slips"', 'when = "same"'), whens, strict=True):
        text = text.replace(old, f'when = "{new}"')
    return text


def drawn_lesson(folder: Path, **changed: str) -> Path:
    """The example as a curve."""
    text = re.sub(r"predictions = \[.*?\n\]\n", "", EXAMPLE, flags=re.DOTALL)
    text = text[: text.index("[lesson.measure]")] + CURVE + text[text.index("[scenario]") :]
    for old, new in changed.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    return write(folder, text)


# -- the files ---------------------------------------------------------------------------------------------------------


def test_the_lessons_that_come_with_it():
    found, wrong = lessons(FOLDER)
    assert not wrong and len(found) >= 20 and {lesson.plan.title for lesson in found} == TITLES
    for lesson in found:
        assert 2 <= len(lesson.plan.controls) <= 3 and lesson.plan.further
        whens = set() if lesson.plan.measure.ask == "curve" else set(lesson.plan.measure.verdicts)
        assert {each.when for each in lesson.plan.predictions} == whens, lesson.name


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_arm_is_set_up_with_every_option(path):
    lesson = load_lesson(path)
    first, *others = lesson.plan.measure.arms
    for control in lesson.plan.controls:
        for option in control.options:
            lesson.scenario(first, {control.label: option.label}).env()
    for arm in others:
        lesson.scenario(arm).env()
    exported = tomllib.loads(as_toml(lesson.scenario(first).as_dict()))
    assert load(exported) == lesson.scenario(first)  # stands for itself, without the files beside the lesson


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_lesson_is_measured_and_says_what_came_out(path):
    """With few trials, so that it is cheap: its arms play on the same seeds, and words and verdict agree."""
    lesson, arms = load_lesson(path), load_lesson(path).plan.measure.arms
    found = measure(lesson, trials=2, seed=1)
    assert [result.name for result in found.results] == [arm.name for arm in arms] and found.seeds == (1, 2)
    assert all(result.trials == 2 and not result.errors for result in found.results)
    assert found.verdict in lesson.plan.measure.verdicts and words(lesson.plan.measure, found)
    if lesson.plan.measure.ask == "curve":
        low, high = lesson.plan.measure.range
        assert missed(lesson.plan.measure, found, [low] * len(arms)).startswith("Your curve is")
        spread = [result.value.value for result in found.results]
        assert low <= min(spread) and max(spread) <= high, spread  # what is to be drawn fits on the paper


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_preview_gives_no_outcome_away(path):
    """No arm is done within the ticks that can be watched before it is measured; each has a seed of its own."""
    lesson = load_lesson(path)
    seeds = [preview_seed(lesson, k, lesson.scenario().seed) for k in range(len(lesson.plan.measure.arms))]
    assert len(set(seeds)) == len(seeds)
    assert not {(lesson.scenario().seed + k) % 2**64 for k in range(lesson.scenario().trials.count)} & set(seeds)
    for arm, seed in zip(lesson.plan.measure.arms, seeds, strict=True):
        longer = load(lesson.scenario(arm), {"world.max_ticks": lesson.plan.preview + 1})
        ((played,),), _ = answers.play_arms([longer], [seed], lambda _: None, lambda: False)
        assert played.ticks > lesson.plan.preview, f"{arm.name}: done after {played.ticks} ticks"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('look = "A', 'loook = "A', "lesson: unknown key 'loook'; did you mean 'look'?"),
        ("minutes = 5", 'minutes = "five"', "lesson.minutes: input should be a valid integer, got 'five'"),
        ('default = "Four"', 'default = "Fuor"', "lesson.controls.0: unknown option 'Fuor'; did you mean 'Four'?"),
        ('when = "same"', 'when = "No slip"', "unknown verdict 'No slip'; did you mean 'No slips'?"),
        ('measure = "steps"', 'measure = "step"', "lesson.measure: unknown measure 'step'; did you mean 'steps'?"),
        ('key = "agents.0.count"', 'key = "perturb.action_failure"', "sets perturb.action_failure, and so does arm"),
        ('key = "agents.0.count"', 'key = "agents.7.count"', "there is no '7'; expected 0..0"),
        ('reasoner = "rules"', 'reasonr = "rules"', "unknown key 'reasonr'; did you mean 'reasoner'?"),
        ('title = "Do slips add up?"', f'title = "{"<script>" * 700}"', "lesson.title: string should have at most 120"),
        ("[scenario]", "[scenario", "not TOML"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path, old, new, told):
    assert EXAMPLE.count(old) >= 1
    path = write(tmp_path, EXAMPLE.replace(old, new, 1))
    found, (line,) = lessons(tmp_path)
    assert not found and told in line and "own" in line and "\n" not in line
    with pytest.raises(UsageError):
        load_lesson(path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("values = [0.0, 0.5, 1.0]", "values = [0.0, 1.0, 0.5]", "expected ascending ones"),
        ("values = [0.0, 0.5, 1.0]", "values = [0.0, 1.0]", "at least 3 items"),
        ("range = [0, 400]", "range = [400, 0]", "expected the lower end first"),
        ('ask = "curve"', 'ask = "best"', "ask = 'curve' has along"),
        ('key = "perturb.action_failure"', 'key = "agents.0.count"', "sets agents.0.count, and so does arm"),
        ("minutes = 5", 'minutes = 5\npredictions = [{ text = "a", when = "rises" }]', "because a curve is drawn"),
    ],
)
def test_what_is_wrong_with_a_curve_is_told_in_one_line(tmp_path, old, new, told):
    with pytest.raises(UsageError) as caught:
        load_lesson(drawn_lesson(tmp_path, **{old: new}))
    assert told in str(caught.value) and "\n" not in str(caught.value)


# -- measured ----------------------------------------------------------------------------------------------------------


def test_the_example_of_the_documents_is_measured(tmp_path):
    lesson, seen = load_lesson(write(tmp_path)), []
    found = measure(lesson, on_progress=seen.append)
    assert found == measure(lesson)._replace(seconds=found.seconds)  # chance follows from the seeds
    (slow,) = found.differences
    assert slow.clear == (not slow.value.low <= 0 <= slow.value.high)
    assert found.verdict == ("No slips" if slow.clear else "same") and found.verdict in words(
        lesson.plan.measure, found
    ).replace("No difference", "same")
    assert seen[0].compiling and seen[-1] == (400, 400, False)
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert found.seeds == (1, 200) and 1 <= found.telling <= 200


def test_a_control_and_another_seed_make_another_answer(tmp_path):
    lesson = load_lesson(write(tmp_path))
    two = measure(lesson, {"Robots": "Two"}, trials=30)
    four = measure(lesson, {"Robots": "Four"}, trials=30)
    assert two.results[0].value.value > four.results[0].value.value  # half as many, later
    assert measure(lesson, trials=30, seed=2**64 - 1).seeds == (2**64 - 1, 28)
    with pytest.raises(UsageError, match="unknown control 'Robot'; did you mean 'Robots'"):
        measure(lesson, {"Robot": "Two"})
    with pytest.raises(UsageError, match="100,001 trials, expected 100,000 at most"):
        measure(lesson, trials=100_001)


def test_the_same_dice_and_a_reliability(tmp_path):
    lesson = load_lesson(write(tmp_path, asking("pairing", "narrower", "same")))
    found = measure(lesson, trials=60)
    paired, apart = (each.value for each in found.differences)
    assert paired.value == pytest.approx(apart.value) and found.verdict in lesson.plan.measure.verdicts
    assert (found.verdict == "narrower") <= (paired.high - paired.low < apart.high - apart.low)
    text = asking("reliability", "earned", "open")
    text = text[: text.index("[lesson.measure]")] + RELIABILITY + text[text.index("[scenario]") :]
    lesson = load_lesson(write(tmp_path, text))
    for trials, verdict in ((20, "open"), (60, "earned")):  # 29 without a failure show nine tenths
        found = measure(lesson, trials=trials)
        assert (found.failures, found.verdict, found.needed) == (0, verdict, 29)
        assert found.bound == lower_bound(trials, trials)
        assert ("earned" in words(lesson.plan.measure, found)) == (verdict == "earned")


def test_it_can_be_stopped(tmp_path):
    seen = []
    assert measure(load_lesson(write(tmp_path)), on_progress=seen.append, stop=lambda: len(seen) > 3) is None
    assert seen[-1].done < seen[-1].total


def test_a_curve_is_measured_at_each_of_its_values(tmp_path):
    lesson = load_lesson(drawn_lesson(tmp_path))
    assert [arm.name for arm in lesson.plan.measure.arms] == ["0 %", "15 %", "30 %"]
    found = measure(lesson, trials=40)
    values = [result.value.value for result in found.results]
    assert found.verdict == "rises" and values == sorted(values)
    assert "actions fail 0 %" in words(lesson.plan.measure, found)
    drawn = [values[0] + 10, values[1], values[2] - 40]
    told = missed(lesson.plan.measure, found, drawn)
    assert told.startswith("Your curve is 16.7 ticks off on average.") and "farthest off at actions fail 30 %" in told


# -- what it says, of made-up outcomes ---------------------------------------------------------------------------------


def outcome(seed: int, success: bool, ticks: int = 10, error: str | None = None) -> Outcome:
    finish = (Finish.COMPLETED if success else Finish.TICK_LIMIT).words
    return Outcome(
        "warehouse", seed, success, finish, ticks, ticks if success else None, 0.0, 0, 1, 0, 0, 0.0, "", error
    )


def answered(lesson, monkeypatch, *arms: list[Outcome]) -> answers.Answer:
    with monkeypatch.context() as patch:
        patch.setattr(answers, "play_arms", lambda *_: (list(arms), 0.0))
        return measure(lesson)


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    return load_lesson(write(tmp_path_factory.mktemp("lessons")))


@pytest.fixture(scope="module")
def by_success(tmp_path_factory):
    text = EXAMPLE.replace('measure = "steps"\nbetter = "lower"', 'measure = "success"')
    return load_lesson(write(tmp_path_factory.mktemp("lessons"), text))


@settings(max_examples=25)
@given(pairs=some.lists(some.tuples(some.booleans(), some.booleans()), min_size=1, max_size=60))
def test_a_verdict_follows_from_the_interval(by_success, pairs):
    first, second = ([outcome(k, pair[arm]) for k, pair in enumerate(pairs)] for arm in (0, 1))
    with pytest.MonkeyPatch.context() as patch:
        found, turned = answered(by_success, patch, first, second), answered(by_success, patch, second, first)
    (beside,), asked = found.differences, by_success.plan.measure
    lead = sum(b - a for a, b in pairs)
    assert beside.value.value == pytest.approx(lead / len(pairs))
    if beside.clear:
        assert found.verdict == asked.arms[int(lead > 0)].name and found.verdict in words(asked, found)
        assert beside.value.low > 0 or beside.value.high < 0
    else:
        assert found.verdict == "same" and re.match("No difference|Too few", words(asked, found))
    assert (turned.verdict == "same") == (found.verdict == "same") and turned.verdict in ("same", *(
        arm.name for arm in asked.arms if arm.name != found.verdict
    ))  # fmt: skip
    for prediction in by_success.plan.predictions:
        assert ("That is what came out." in judged(prediction, found)) == (prediction.when == found.verdict)


def test_steps_of_who_fails_are_the_limit_and_errors_count_for_nobody(lesson, monkeypatch):
    quick = [outcome(k, True, 100) for k in range(40)]
    gave_up = [outcome(k, False, 5) for k in range(40)]  # at tick 5 of 500: to fail early is no merit
    found = answered(lesson, monkeypatch, quick, gave_up)
    assert found.verdict == "No slips" and found.results[1].value.value == 500
    lost = [outcome(k, False, 0, "the server is down") for k in range(40)]
    found = answered(lesson, monkeypatch, quick, lost[:30] + quick[30:])
    assert found.verdict == "same" and found.results[1][:3] == ("One slip in ten", 10, 30)
    assert "30 trials could not be played" in words(lesson.plan.measure, found)
    with pytest.raises(SandboxError, match="the server is down"):
        answered(lesson, monkeypatch, quick, lost)


def test_a_few_trials_that_are_all_alike_are_no_evidence(lesson, monkeypatch):
    for count, verdict in ((1, "same"), (5, "same"), (6, "No slips")):
        arms = [[outcome(k, True, ticks) for k in range(count)] for ticks in (10, 20)]
        assert answered(lesson, monkeypatch, *arms).verdict == verdict


def test_of_three_arms_the_best_must_beat_both_others(tmp_path, monkeypatch):
    text = EXAMPLE.replace("arms = [", 'arms = [\n  { name = "Third", set = { "perturb.action_failure" = 0.5 } },')
    lesson, rng = load_lesson(write(tmp_path, text)), np.random.default_rng(1)
    noise = [rng.integers(0, 20, 60) for _ in range(3)]

    def play(*levels: int):
        arms = [
            [outcome(k, True, int(100 + level + n[k])) for k in range(60)]
            for level, n in zip(levels, noise, strict=True)
        ]
        return answered(lesson, monkeypatch, *arms)

    assert play(50, 0, 50).verdict == "No slips"
    assert play(0, 0, 50).verdict == "same"  # two are ahead, and neither of the other
    assert len(play(0, 0, 0).differences) == 3


@pytest.mark.parametrize(
    "levels, verdict",
    [
        ((0, 50, 90), "rises"),
        ((90, 50, 0), "falls"),
        ((0, 90, 40), "peaks"),
        ((90, 0, 50), "dips"),
        ((9, 9, 9), "same"),
    ],
)
def test_the_shape_of_a_curve(tmp_path, monkeypatch, levels, verdict):
    lesson, rng = load_lesson(drawn_lesson(tmp_path)), np.random.default_rng(2)
    arms = [[outcome(k, True, int(100 + level + rng.integers(0, 20))) for k in range(60)] for level in levels]
    found = answered(lesson, monkeypatch, *arms)
    assert found.verdict == verdict
    word = {"peaks": "highest inside", "dips": "lowest inside", "same": "cannot be told apart"}.get(verdict, verdict)
    assert word in words(lesson.plan.measure, found)


# -- in the background -------------------------------------------------------------------------------------------------


def steps(count: int, pause: float = 0.01):
    def work(on_progress, stop):
        for k in range(count):
            on_progress(SimpleNamespace(done=k, total=count, compiling=k == 0))
            if stop():
                return None
            time.sleep(pause)
        return count

    return work


def test_an_errand_tells_how_far_it_is_and_what_came_of_it():
    errand = BackgroundTask(steps(30))
    until(lambda: errand.peek().progress and errand.peek().left)
    assert errand.wait(10) and errand.peek().phase == "done" and errand.peek().value == 30
    stopped = BackgroundTask(steps(10_000))
    stopped.stop()
    assert stopped.wait(10) and stopped.peek().phase == "stopped"
    for failure, told in ((UsageError("no such lesson"), "no such lesson"), (ValueError("hm"), "ValueError: hm")):
        failed = BackgroundTask(lambda *_, failure=failure: (_ for _ in ()).throw(failure))
        assert failed.wait(10) and (failed.peek().phase, failed.peek().error) == ("failed", told)


def test_an_errand_that_nobody_has_any_more_ends():
    errand = BackgroundTask(steps(10_000))
    del errand
    gc.collect()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "sandbox-errand"])


# -- the page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(tmp_path, monkeypatch):
    (tmp_path / "scenarios" / "lessons").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def script():
        from sandbox.studio.pages import lessons

        lessons.page()

    return AppTest.from_function(script, default_timeout=30)


def shown(page: AppTest) -> str:
    """All words of the page, as a reader sees them."""
    assert not page.exception
    kinds = ("markdown", "caption", "info", "success", "warning", "error")
    return " ".join(each.value for kind in kinds for each in page.get(kind)).replace("\\", "")


def test_an_empty_folder_says_what_to_do(page):
    assert "There are no lessons here. Put a lesson" in shown(page.run())


def test_predict_measure_answer(page, tmp_path):
    write(tmp_path / "scenarios" / "lessons", EXAMPLE.replace("count = 200", "count = 40"))
    write(tmp_path / "scenarios" / "lessons", "[lesson]\ntitel = 3", "broken")
    page.run()
    assert "Do slips add up?" in shown(page) and "did you mean 'title'" in shown(page)  # beside one another
    page.button(key="open.own").click().run()
    assert page.button(key="measure").disabled and "What it means" not in shown(page)
    page.radio(key="prediction.own").set_value("No: one slip in ten is lost in the noise.").run()
    page.button(key="measure").click().run()

    def measured():
        page.run()
        return "You predicted" in shown(page)

    until(measured, COMPILE)
    kept = page.session_state["lessons"]["own"]
    assert kept.answer.results[0].trials == 40 and "What it means" in shown(page)
    assert ("That is what came out" in shown(page)) == (kept.answer.verdict == "same")
    page.button_group(key="control.own.Robots").set_value("Two").run()
    assert "Measured with other settings (Robots: Four)" in shown(page)
    page.query_params.clear()  # leave, and come back
    assert "measured" in shown(page.run())
    page.button(key="open.own").click().run()
    assert "You predicted" in shown(page) and page.radio(key="prediction.own").value.startswith("No:")


def test_a_measurement_is_stopped_and_has_no_answer(page, tmp_path):
    write(tmp_path / "scenarios" / "lessons")
    page.query_params["lesson"] = "own"
    page.run()
    page.radio(key="prediction.own").set_value("Yes, clearly later.").run()
    page.number_input(key="trials.own").set_value(100_000).run()
    page.button(key="measure").click().run()
    page.button(key="stop").click().run()
    until(lambda: "Stopped, so there is no answer" in shown(page.run()), COMPILE)
    assert page.session_state["lessons"]["own"].answer is None and not page.button(key="measure").disabled


def test_a_file_that_changes_while_it_is_open(page, tmp_path):
    folder = tmp_path / "scenarios" / "lessons"
    write(folder)
    page.query_params["lesson"] = "own"
    page.run()
    page.button_group(key="control.own.Robots").set_value("Two").run()
    page.radio(key="prediction.own").set_value("Yes, clearly later.").run()
    write(
        folder,
        EXAMPLE.replace('"Two"', '"A pair"').replace("Yes, clearly", "Yes, much").replace("No slips", "None"),
    )
    page.run()
    assert not page.exception and page.button_group(key="control.own.Robots").value == "Four"
    assert page.radio(key="prediction.own").value is None and page.button(key="measure").disabled
    write(folder, "[lesson")
    assert "not TOML" in shown(page.run())
    (folder / "own.toml").unlink()
    assert "There is no lesson own" in shown(page.run())


def test_an_address_that_leads_nowhere(page):
    page.query_params["lesson"] = "../../secret<script>"
    assert "There is no lesson" in shown(page.run()) and page.error


ADDRESS = {
    "lesson": "own",
    "set": ["Robots=Two", "Robotz=Two", "Robots=Twelve"],
    "arm": "One slip in ten",
    "seed": "77",
}


def test_an_address_sets_a_lesson(page, tmp_path):
    """What it names in vain is said."""
    write(tmp_path / "scenarios" / "lessons")
    page.query_params.update(ADDRESS | {"trials": "33"})
    told = shown(page.run())
    assert (
        page.button_group(key="control.own.Robots").value == "Two" and page.number_input(key="trials.own").value == 33
    )
    assert page.text_input(key="seed.own").value == "77" and page.button_group(key="arm.own").value == ADDRESS["arm"]
    assert "no option 'Two' of 'Robotz'" in told and "no option 'Twelve' of 'Robots'" in told
    assert page.query_params["set"] == "Robots=Two" and page.query_params["trials"] == "33"


def test_a_class_chooses_and_its_teacher_reveals(page, tmp_path, monkeypatch):
    """A histogram of what it chose stands beside the answer; a browser that is not the teacher's cannot reveal."""
    store = Classes(tmp_path / "runs")
    monkeypatch.setattr(classroom, "classes", lambda: store)
    monkeypatch.setattr(lesson_class, "classes", lambda: store)
    monkeypatch.setattr(lesson_class, "browser_of", lambda show: "pupil")
    lesson = load_lesson(write(tmp_path / "scenarios" / "lessons"))
    one = store.open("own", {"Robots": "Two"}, 20, 5, "teacher")
    store.guess(one.code, "another", lesson.plan.predictions[0].text)
    page.query_params.update({"lesson": "own", "class": one.code})
    assert "1 prediction so far" in shown(page.run()) and "Robots: Two; 20 trials" in shown(page)
    assert not [each for each in page.button if each.key == "measure"]
    page.radio(key="prediction.own").set_value(lesson.plan.predictions[1].text).run()
    assert len(store.find(one.code).guesses) == 2
    alike = [outcome(k, True, 10 + k % 3) for k in range(20)]
    found = answered(lesson, monkeypatch, alike, alike)
    store.reveal(one.code, "teacher", found)
    assert "You predicted: No: one slip" in shown(page.run()) and "Your class" in shown(page)
    assert [count for _, count in counted(lesson, store.find(one.code))] == [1, 1]
    assert page.button_group(key="control.own.Robots").value == "Two"
    page.query_params["class"] = "../../x"
    assert "There is no class of this lesson" in shown(page.run())
