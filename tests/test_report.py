"""Reports: pages that stand for themselves, with the numbers that the trials say, whatever the trials came to."""

import json
import re
import shutil
import tomllib
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from browser import chromium
from commands import told
from scipy.stats import binomtest

import sandbox
from sandbox.analysis.robustness import Curve, Point
from sandbox.cli._page import TRANSCRIPTS
from sandbox.core.finish import Outcome
from sandbox.record.columns import Packed, of_outcomes
from sandbox.record.table import Chunk, Table
from sandbox.report import report_figures
from sandbox.report.figures import distinct, robustness
from sandbox.report.samples import script
from sandbox.running.transcript import transcript
from sandbox.scenario import load
from sandbox.scenario.load import as_toml
from sandbox.statistics import kaplan_meier, success_rate
from sandbox.studies.certify import certify, claim

HOSTILE = '<script>alert("x")</script> & <img src=https://example.com/x.png>'
SCENARIO = {
    "title": HOSTILE,
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 3, "max_ticks": 60},
    "agents": [{"count": 4, "reasoner": "rules"}],
    "sweep": {"one_at_a_time": {"perturb.agent_crash": [0.5, 1.0]}},
}
VOID = {"meta", "img", "input", "br", "path", "use", "rect", "link"}


class Page(HTMLParser):
    """A page's text, ids and references; fails where elements are not closed in order."""

    def __init__(self, path):
        super().__init__()
        self.scripts = []
        self.open, self.ids, self.found, self.words, self.source = [], [], [], [], path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert not self.open
        text, name = script()
        assert self.scripts == [str(text)] * len(self.scripts) and len(self.scripts) <= 1, "one script of ours"
        assert f"script-src '{name}'\"" in self.source or not self.scripts
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids += [values["id"]] if "id" in values else []
        self.found += [values[name] for name in ("href", "src", "xlink:href", "action") if values.get(name)]
        self.found += re.findall(r"url\(([^)]*)\)", " ".join(value or "" for value in values.values()))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif not self.open or self.open[-1] != "style":
            self.words.append(data)


def reported(folder, *runs) -> Page:
    assert told("report", *runs, "--out", folder / "page.html") == 0
    page = Page(folder / "page.html")
    assert not [each for each in page.found if not each.startswith(("#", "data:"))]
    assert len(set(page.ids)) == len(page.ids)
    assert {each[1:] for each in page.found if each.startswith("#")} <= set(page.ids)
    return page


@pytest.fixture(scope="module")
def runs(tiny, tmp_path_factory):
    """Two agents on the same seeds."""
    folder = tmp_path_factory.mktemp("runs")
    for reasoner in ("rules", "oracle"):
        sandbox.batch(SCENARIO, folder / reasoner, trials=20, overrides={"agents.0.reasoner": reasoner})
    return folder


def test_a_page_of_two_runs_says_what_the_trials_say(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(runs)
    page, rows = reported(tmp_path, "rules", "oracle"), sandbox.results("rules")
    assert 0 < rows["success"].sum() < 60
    for number, words in enumerate(("clean", "agent crash 0.5", "agent crash 1.0")):
        own = rows[rows["condition"] == number]
        wins = int(own["success"].sum())
        low, high = binomtest(wins, 20).proportion_ci(method="exact")
        steps = np.where(own["success"], own["ticks"], 60).mean()
        passes = np.prod([(wins - k) / (20 - k) for k in range(8)]) if wins >= 8 else 0.0
        line = f"{words} rules 20 {5 * wins:.1f} % {100 * low:.1f} .. {100 * high:.1f} % {passes:.3f}"
        assert any(f"{line} {steps + e:.1f}" in page.text for e in (-1e-9, 1e-9))  # half a tenth is rounded either way
    pooled = f"{100 * rows['success'].mean():.1f} %"
    rates = 100 * rows.groupby("condition")["success"].mean()
    assert pooled not in page.text and f"{rates.min():.1f} .. {rates.max():.1f} % succeed, by condition" in page.text
    other = sandbox.results("oracle")
    beside = 100 * (other["success"].astype(int) - rows["success"].astype(int))[rows["condition"] == 2].mean()
    assert f"oracle agent crash 1.0 20 {beside:+.1f}" in page.text
    assert "McNemar" in page.text and "Holm" in page.text and "120 trials" in page.text
    assert page.source.count("<figcaption>") == 5 == page.source.count("Again: <code>sandbox report rules oracle")
    assert 30_000 < len(page.source) < 400_000


def test_hostile_words_are_only_words(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(runs)
    page = reported(tmp_path, "rules")
    assert (
        HOSTILE in page.text
        and page.source.count("<script") == 1 == len(page.scripts)
        and "<img src=https" not in page.source
    )
    assert "seeds 0 to 19" in page.text and f"numpy {np.__version__}" in page.text


def test_the_worst_seeds_are_shown_and_can_be_watched(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(runs)
    page, rows = reported(tmp_path, "rules"), sandbox.results("rules")
    shown = re.findall(r"sandbox run rules.toml --seed (\d+)( --set perturb.agent_crash=[\d.]+)? --video", page.text)
    assert 1 <= len(shown) <= 3 and page.source.count("data:image/png;base64,") == 4 * len(shown)
    for seed, change in shown:
        severity = float(change.rpartition("=")[2] or 0)
        row = rows[(rows["seed"] == int(seed)) & (rows["perturb.agent_crash"] == severity)].iloc[0]
        assert not row["success"] and f"Tick limit at tick {row['ticks']}; {row['tasks_done']} of 3" in page.text


def test_trials_are_a_table_each_with_what_it_came_to_and_the_worst_with_transcripts(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(runs)
    page, rows = reported(tmp_path, "rules"), sandbox.results("rules")
    table = page.source.partition('id="samples"')[2].partition("</table>")[0]
    kinds = re.findall(r'<tr data-kind="(\w+)"><td class="n">(\d+)</td>', table)
    assert sorted(int(row) for _, row in kinds) == list(range(60))
    assert [kind for kind, _ in kinds] == sorted(kind for kind, _ in kinds), "failures come first"
    assert all(rows["success"][int(row)] == (kind == "success") for kind, row in kinds)
    linked = re.findall(r'href="#transcript-0-(\d+)">', table)
    assert linked == [row for _, row in kinds[:TRANSCRIPTS]]
    found = transcript("rules", int(linked[0]))
    assert found.summary in page.text and found.findings[-1].text in page.text
    assert page.text.count(" ticks, tasks done: ") == len(linked)


def test_the_table_is_filtered_and_searched_and_a_seed_opens_its_transcript(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(runs)
    rows = sandbox.results("rules")
    reported(tmp_path, "rules")
    with chromium() as browser:
        page = browser.new_page()
        said = []
        page.on("console", lambda each: said.append(each.text))
        page.goto((tmp_path / "page.html").as_uri())
        page.select_option("#kind", "failure")
        failed = rows[~rows["success"]]
        assert page.inner_text("#chosen") == f"{len(failed)} of 60" and page.locator("tr[data-kind]:visible").count()
        page.fill("#words", "crash TICK 1.0")
        chosen = failed[(failed["perturb.agent_crash"] == 1.0) & (failed["finish"] == "tick limit")]
        assert page.inner_text("#chosen") == f"{len(chosen)} of 60"
        page.fill("#words", "")
        link = page.locator("#samples a").first
        text = page.locator(f"{link.get_attribute('href')} pre")
        assert not text.is_visible()
        link.click()
        text.wait_for(state="visible")
        assert said == [], "the policy allows all that the page needs"


def test_a_page_of_many_trials_shows_those_that_need_a_look(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("sandbox.report.samples.MOST", 50)
    _table(tmp_path / "many", 400, [(k % 10 != 3, "gone" if k == 7 else None) for k in range(400)])
    page = reported(tmp_path, tmp_path / "many")
    assert "50 of 400 trials: infrastructure errors, then failures" in page.text
    kinds = Counter(re.findall(r'<tr data-kind="(\w+)">', page.source))
    assert kinds == {"error": 1, "failure": 40, "success": 9}


def test_one_trial_a_single_run_and_a_certificate(runs, tmp_path):
    single = {**SCENARIO, "sweep": {}}
    sandbox.batch(single, tmp_path / "one", trials=1)
    page = reported(tmp_path, tmp_path / "one")
    assert "1 trials that count" in page.text and "No trial failed" in page.text
    sandbox.run(single, seed=5, out=tmp_path / "single")
    page = reported(tmp_path, tmp_path / "single")
    assert "sandbox run single.toml --seed 5" in page.text and "Merkle root" in page.text
    chosen = load(single, {"agents.0.reasoner": "oracle"})
    certify(chosen, claim(chosen, 0.9, 0.95, 0), tmp_path / "sure")
    page = reported(tmp_path, tmp_path / "sure")
    assert "Certificate earned" in page.text and "--reliability 0.9 --confidence 0.95 --failures 0" in page.text


def _table(folder, planned, rows):
    """A batch with these outcomes in place of played ones: (success, error) each."""
    finishes = {True: "completed", False: "tick limit"}
    with Table(folder, load(SCENARIO).as_dict(), [{}, {"perturb.agent_crash": 1.0}]) as table:
        table.note(planned=planned)
        found = [
            Outcome("warehouse", k, won, "error" if error else finishes[won], 30, 30 if won else None, 0.0, 0, 3, 0, 0,
                    0.1, "", error)
            for k, (won, error) in enumerate(rows)
        ]  # fmt: skip
        if found:
            table.add(Chunk(0, 0, len(found)), Packed.of(of_outcomes(found)), {})


def test_no_success_only_errors_and_a_batch_that_still_runs(tiny, tmp_path):
    _table(tmp_path / "lost", 20, [(False, None)] * 10)
    page = reported(tmp_path, tmp_path / "lost")
    assert "10 of 20 trials so far" in page.text and "0.0 % 0.0 .. 30.8 %" in page.text
    _table(tmp_path / "broken", 3, [(False, "it <b>broke</b>")] * 3)
    page = reported(tmp_path, tmp_path / "broken")
    assert "no trial that counts" in page.text and "3 it <b>broke</b>" in page.text and "<b>broke" not in page.source
    _table(tmp_path / "some", 4, [(True, None), (False, "gone"), (True, None), (False, None)])
    page = reported(tmp_path, tmp_path / "some", tmp_path / "broken")
    assert "66.7 %" in page.text and "Not finished" not in page.text
    _table(tmp_path / "begun", 40, [])
    assert "0 of 40 trials so far" in reported(tmp_path, tmp_path / "begun").text


def test_failing_early_is_no_merit_in_steps(tiny, tmp_path):
    _table(tmp_path / "early", 4, [(True, None)] * 2 + [(False, None)] * 2)  # these end at tick 30, the limit is 60
    text = reported(tmp_path, tmp_path / "early").text.replace("– ", "0.000 ")
    assert "clean 4 50.0 % 6.8 .. 93.2 % 0.000 45.0 30 0 .. no end beyond no end" in text


def test_kaplan_meier_agrees_with_a_published_table():
    """Remission under 6-MP (Freireich and others 1963), as in any textbook: .857 after 6 weeks, .448 after 23."""
    weeks = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], float)
    found = kaplan_meier(weeks, np.arange(21) < 9)
    still = dict(zip(found.ticks, 1 - found.share, strict=True))
    table = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert all(abs(still[week] - share) < 0.0006 for week, share in table.items())
    assert np.all(found.low <= found.share) and np.all(found.share <= found.high)


@pytest.mark.parametrize("layout", ["tiny", "..x\n.g.\n", 'odd\n"""\n[\n    1,\n]\n\\t'])
def test_a_scenario_as_toml_reads_back_equal(layout):
    table = {**SCENARIO, "seed": 2**63, "world": {**SCENARIO["world"], "layout": layout}, "perturb": {"x": 0.1}}
    text = as_toml(table)
    assert tomllib.loads(text) == table and text.index("title") < text.index("[world]") < text.index("[sweep")


def test_results_are_shown_again_and_exported(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    rows = sandbox.results("rules")
    for name in ("t.csv", "t.parquet"):
        assert told("results", "rules", "--out", tmp_path / name) == 0
        shown = capsys.readouterr().out
        assert "success, interval" in shown and "Robustness" in shown and "60 rows" in shown
    assert pd.read_csv(tmp_path / "t.csv")["ticks"].tolist() == rows["ticks"].tolist()
    assert (
        pd.read_parquet(tmp_path / "t.parquet")["perturb.agent_crash"].tolist() == [0.0] * 20 + [0.5] * 20 + [1.0] * 20
    )
    assert told("results", "rules", "--out", "t.xls") == 2
    assert "expected .csv or .parquet" in capsys.readouterr().err


def test_what_is_no_run_or_no_place_is_told_in_one_line(runs, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.db").write_text("no database at all" * 100)
    shutil.copytree(runs / "rules", tmp_path / "torn")
    (tmp_path / "torn" / "certificate.json").write_text(json.dumps({})[:1])
    for name, words in (("nothing", "no such folder"), ("empty", "no run"), ("bad", "database"), ("torn", "damaged")):
        assert told("report", tmp_path / name, "--out", tmp_path / "page.html") == 1
        err = capsys.readouterr().err
        assert words in err and err.count("\n") == 1, err
    assert told("report", runs / "rules", "--out", tmp_path / "bad" / "run.db" / "page.html") == 2
    assert "cannot write there" in capsys.readouterr().err


def test_twelve_curves_have_twelve_looks_and_a_legend_inside_their_figure():
    points = [Point(severity, 50, success_rate(40, 50), None, 1.0, 9.0, None, {}) for severity in (0.0, 1.0)]
    names = [f"agents.0.count={k}; agents.0.reasoner=rules" for k in range(12)]
    drawn = [Curve("agent_crash", name, points, pd.Series(dtype=float)) for name in names]
    for figure in (report_figures.severities(list(enumerate(drawn))), robustness(drawn)):
        figure.draw_without_rendering()
        (legend,), (axis, *_) = figure.legends, figure.axes
        inner, outer = legend.get_window_extent(), figure.bbox
        assert outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1
        looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in axis.get_lines()}
        assert len(looks) == 12 and axis.get_ylim()[0] == 0
        told = [text.get_text() for text in legend.get_texts()]
        assert told == [f"agents.0.count={k}" for k in range(12)]  # what all share is left out


def test_labels_stay_different_when_they_are_cut():
    assert distinct(["count 2, deliveries 8", "count 4, deliveries 8"]) == ["count 2", "count 4"]
    assert distinct(["runs/a; count 2", "runs/b"]) == ["runs/a; count 2", "runs/b"]
    assert distinct(["same", "same"]) == ["same", "same"]
    long = [f"count {n}, action failure 0.3, deliveries {k}" for n in (2, 4) for k in (2, 4)]
    assert distinct(long[:2], 20) == ["deliveries 2", "deliveries 4"]
    labels = distinct([f"{words}; agent crash {k}" for k, words in enumerate(long)], 30)
    assert len(set(labels)) == 4 and all(len(line) <= 30 for label in labels for line in label.split("\n"))
    assert distinct(["a word that is too long for its place", "another"], 12) == ["a word that…", "another"]
