"""Figures of the documents stand where claims look for them; what is wrong is refused, and hardly anything else."""

from argparse import Namespace

import numpy as np
import pytest
from scipy import stats

import benchmarks.__main__
from benchmarks import claims, lessons
from benchmarks.__main__ import BENCHMARKS
from benchmarks.measured import climbed, climbed_beside
from benchmarks.stated import AGREES, REFUSED, ROOT, UNCLEAR, Found, Stated, bare, cell, figure, judge, sentence
from benchmarks.unclaimed import UNCLAIMED
from sandbox.core.errors import UsageError
from sandbox.statistics import mean_difference, success_rate
from sandbox.studies.lessons import load_lesson

RUNS, TOGETHER = 60, 5
LEVEL = 1 - claims.ERROR / TOGETHER
MOST = stats.binom.ppf(0.999, RUNS, claims.ERROR)  # runs with a refusal, were one in a hundred expected


# -- figures on pages --------------------------------------------------------------------------------------------------


def test_every_claim_finds_its_figure():
    assert len(claims.CLAIMS) > 200 and len({claim.id for claim in claims.CLAIMS}) == len(claims.CLAIMS)
    for claim in claims.CLAIMS:
        stated = claim.read()
        assert stated.low is None or stated.low <= stated.value <= stated.high, claim.id
        computed = claim.trials == 0
        assert computed or stated.low is not None or stated.trials, f"{claim.id}: no interval and no number of trials"


PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_that_looks_measured_is_a_claim_or_said_to_be_none(name):
    """A new one is measured by a claim of benchmarks/claims.py, or named with the reason in benchmarks/unclaimed.py."""
    left = [place for each in UNCLAIMED if each.page == name for place in each.places()]
    covered = [claim.place() for claim in claims.CLAIMS if claim.page == name] + left
    assert [each.text for each in bare(name, covered)] == []


def test_a_figure_without_a_claim_is_found():
    name = "docs/skills.md"
    found = {each.text for each in bare(name, [cell(name, "all of it", "achievements")])}
    assert {"-5.0 (-6.1 .. -3.8)", "9.4 (9.0 .. 9.9)"} <= found and "14.4 (13.3 .. 15.5)" not in found
    assert not {"160", "95 %", "5"} & found


def test_every_claim_has_a_place_of_its_own():
    places = [claim.place() for claim in claims.CLAIMS]
    assert len(set(places)) == len(places)


def test_learners_are_taught_once_for_all_their_claims():
    """A process measures the claims whose names begin alike, and each process has trials of its own."""
    own = [claim for claim in claims.CLAIMS if claim.measure.func in (climbed, climbed_beside)]
    assert len(own) > 10 and {tuple(claim.id.split("-")[:2]) for claim in own} == {("skills", "learners")}


def test_a_sentence_is_found_wherever_its_lines_break():
    with_interval = sentence("docs/lessons.md", "113 ticks instead of 128: #")
    assert figure(with_interval.text).low is not None
    third = sentence("docs/lessons.md", "0, 2, 5, 20 ticks ahead: #, #, #, #", 2)
    assert third.text.isdigit() and third.start > with_interval.start


def test_a_page_that_says_it_no_more_is_refused():
    with pytest.raises(UsageError, match=r"docs/teams.md: no table has a row 'bazaar' with a column 'ticks'"):
        cell("docs/teams.md", "bazaar", "ticks")
    with pytest.raises(UsageError, match=r"docs/lessons.md: does not say '\*\*-11.8\*\*'"):
        sentence("docs/lessons.md", "**-11.8**")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("87.3 ticks", (87.3, None, None, 0.05)), ("**-8.5** (-13.1 .. -3.7)", (-8.5, -13.1, -3.7, 0.05)),
        ("fails (of 12)", (0, None, None, 0)),
        ("fails in 39 of 40", (2.5, None, None, 0)), ("5596 (75 % get done)", (5596, None, None, 0.5)),
        ("**.091**", (0.091, None, None, 0.0005)), (".040 (0 .. .095)", (0.04, 0, 0.095, 0.0005)),
        ("5,962 (5,562 .. 6,344)", (5962, 5562, 6344, 0.5)), ("**-19.2 points** (-22.8 .. -16.0)",
                                                            (-19.2, -22.8, -16.0, 0.05)),
        ("**+26 (+20 .. +32)**", (26, 20, 32, 0.5)),
    ],
)  # fmt: skip
def test_a_figure_is_read_as_it_is_written(text, expected):
    found = figure(text)
    assert (pytest.approx(found.value), found.low, found.high, pytest.approx(found.rounding)) == expected


# -- the rule ----------------------------------------------------------------------------------------------------------


def _means(rng, trials: int, shift: float, level: float):
    return mean_difference(rng.exponential(10, trials) - shift, level)


@pytest.mark.parametrize("shift, refused", [(0.0, False), (12.0, True)])
@pytest.mark.parametrize("interval", [True, False])
def test_a_difference(shift, refused, interval):
    """Of 100 trials stated and 30 now; wrong by 12, which is three times the half of both intervals together."""
    rng, runs = np.random.default_rng(1), 0
    for _ in range(RUNS):
        verdicts = set()
        for _ in range(TOGETHER):
            value, *ends = _means(rng, 100, shift, 0.95)
            stated = Stated("", value, *ends) if interval else Stated("", value, trials=100)
            found = Found(*_means(rng, 30, 0, LEVEL), 30)
            verdicts.add(judge(stated, found, found, LEVEL, "difference"))
        runs += REFUSED in verdicts
    assert runs == RUNS if refused else runs <= MOST


@pytest.mark.parametrize("truth, now, refused", [(0.9, 0.9, False), (0.02, 0.02, False), (0.9, 0.3, True)])
def test_a_share(truth, now, refused):
    rng, runs = np.random.default_rng(2), 0
    for _ in range(RUNS):
        verdicts = set()
        for _ in range(TOGETHER):
            stated = Stated("", 100 * rng.binomial(200, truth) / 200, trials=200, rounding=0.05)
            found = Found(*(100 * part for part in success_rate(int(rng.binomial(40, now)), 40, LEVEL)), 40)
            verdicts.add(judge(stated, found, found, LEVEL, "share", 100))
        runs += REFUSED in verdicts
    assert runs == RUNS if refused else runs <= MOST


def test_what_agrees_with_everything_tells_nothing():
    clear, none = Stated("", 5.0, 3.0, 7.0), Stated("", 0.5, -1.0, 2.0)
    half = Stated("", 50.0, trials=100)

    def verdict(stated: Stated, low: float, value: float, high: float, kind: str, scale: float = 1.0) -> str:
        return judge(stated, Found(value, -99.0, 199.0, 50), Found(value, low, high, 50), LEVEL, kind, scale)

    assert verdict(clear, -1.0, 4.0, 9.0, "difference") == UNCLEAR
    assert verdict(clear, 1.0, 4.0, 7.0, "difference") == AGREES
    assert verdict(none, -1.0, 1.0, 3.0, "difference") == AGREES
    assert verdict(half, 30.0, 50.0, 70.0, "share", 100) == UNCLEAR
    assert verdict(half, 40.0, 50.0, 60.0, "share", 100) == AGREES
    assert verdict(half, 30.0, 50.0, 60.0, "mean") == UNCLEAR
    found = Found(0.2, 0.1, 0.3, 99)
    assert judge(Stated("", 0.0, trials=100, rounding=0.5), found, found, LEVEL, "share", 1) == REFUSED


# -- the commands ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, options",
    [("claims", ["--seed", "--minutes", "--write", "--only"]), ("lessons", ["--blocks", "--lesson"]),
     ("coverage", ["--only {success,means,rates,peak}"])],
)  # fmt: skip
def test_help_of_a_benchmark_tells_its_own_options(name, options, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmarks", name, "--help"])
    with pytest.raises(SystemExit):
        benchmarks.__main__.main()
    told = " ".join(capsys.readouterr().out.split())
    assert all(option in told for option in options) and BENCHMARKS[name] in told


def test_claims_are_measured_and_written(tmp_path, monkeypatch, capfd):
    kept = next(claim for claim in claims.CLAIMS if claim.id == "web-macro-ids")
    wrong = kept._replace(id="web-macro-wrong", words=lambda text, of: Stated("1", 1.0, trials=1000))
    monkeypatch.setattr(claims, "CLAIMS", [kept, wrong])
    out = tmp_path / "claims.md"
    asked = Namespace(seed=5_000, only="web-macro-ids", quick=True, minutes=9, write=str(out))
    assert claims.main(asked) == 0
    assert "| `web-macro-ids` | [RESULTS](../benchmarks/RESULTS.md) | 0 |" in out.read_text()
    assert (
        "--seed 5000 --only web-macro-ids --quick --write" in out.read_text()
        and "**1 agree, 0 do not" in out.read_text()
    )
    assert claims.main(Namespace(**{**vars(asked), "only": None})) == 1
    assert (
        "- Does not agree: `web-macro-wrong`." in out.read_text()
        and "web-macro-wrong: does not agree" in capfd.readouterr().err
    )


def test_a_lesson_of_too_few_trials_is_found(monkeypatch):
    monkeypatch.setattr(lessons, "DRAWN", 40)
    lesson = load_lesson(lessons.FOLDER / "03-renamed-button.toml")
    shares, _ = lessons.power(lesson, 10, 8, 5_000)
    few, verdicts = shares[10]
    assert few.value < lessons.ENOUGH and sum(verdicts.values()) == 8 and set(verdicts) <= {"same", "Yesterday's site"}
    assert list(shares)[:3] == [10, 20, 40] and shares[40][0].value > few.value


def test_every_lesson_has_a_stated_answer_of_its_own():
    found = {path.stem: load_lesson(path) for path in sorted(lessons.FOLDER.glob("*.toml"))}
    assert list(lessons.STATED) == list(found)
    for name, lesson in found.items():
        assert lessons.STATED[name] in lesson.plan.measure.verdicts
