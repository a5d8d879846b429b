"""The folder of a batch, a certificate or a single run, opened for a report."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sandbox.analysis.autonomy import is_tested
from sandbox.analysis.contribution import Contribution, contributions
from sandbox.analysis.measures import Measures, measures, tick_limit
from sandbox.analysis.results import results
from sandbox.analysis.robustness import PREFIX, Curve, curves
from sandbox.analysis.scaling import Scaling, scalings
from sandbox.model import Sandbox
from sandbox.record.table import holds_a_run, read_table
from sandbox.running.claims import FILE
from sandbox.running.reexecute import again
from sandbox.studies.certify import Void
from sandbox.studies.certify import read as read_certificate

SINGLE = "run"


class Condition(NamedTuple):
    """One condition and its trials so far."""

    words: str
    overrides: dict[str, Any]
    measures: Measures


class Study(NamedTuple):
    """One RUN: its scenario and its results."""

    name: str  # the folder as given
    kind: str  # batch, certificate, run
    rows: pd.DataFrame  # see ``results``
    conditions: list[Condition]
    curves: list[Curve]
    scalings: list[Scaling]
    contributions: list[Contribution]
    certificate: dict | None  # recomputed from the rows
    doubt: str  # why an existing certificate is not shown: it is void, or does not follow from the rows
    root: str | None  # Merkle root of a single run, or of a complete batch

    @property
    def scenario(self) -> dict:
        return self.rows.attrs["scenario"]

    @property
    def planned(self) -> int:
        """Number of trials when complete; the present number if that is unknown."""
        return max(self.rows.attrs.get("planned", 0), len(self.rows))

    @property
    def trials(self) -> int:
        """Number of trials that count."""
        return sum(each.measures.trials for each in self.conditions)

    @property
    def errors(self) -> int:
        """Number of infrastructure errors, which are excluded."""
        return sum(each.measures.errors for each in self.conditions)

    @property
    def extremes(self) -> tuple[Condition, Condition] | None:
        """The conditions with the lowest and the highest success rate. There is no pooled rate."""
        found = [each for each in self.conditions if each.measures.success]
        rates = [each.measures.success.value for each in found]
        return (found[rates.index(min(rates))], found[rates.index(max(rates))]) if found else None

    @property
    def tested(self) -> bool:
        """Whether some agents have other reasoners than compiled policies."""
        return is_tested(self.rows)

    @property
    def free(self) -> bool:
        """Whether its episodes can be played again without calls: answers of language models were kept."""
        compiled = all(group.get("reasoner") != "llm" for group in self.scenario["agents"])
        return self.kind == SINGLE or compiled or self.rows.attrs.get("keeps_calls", False)


class Episode(NamedTuple):
    """One selected trial."""

    condition: str
    overrides: dict[str, Any]
    row: int  # index in the rows of ``results``
    trial: int
    seed: int
    success: bool
    finish: str
    ticks: int
    tasks_done: int
    tasks_total: int
    invalid_actions: int
    refused_actions: int


def open_study(folder: str | Path) -> Study:
    """Open a RUN, finished or not; raises RecordError if there is none."""
    folder = Path(folder)
    rows, single = results(folder), holds_a_run(folder)
    overrides, kind = ({0: {}}, SINGLE) if single else (read_table(folder).overrides, "batch")
    certificate, doubt = _certificate(folder)
    scenario = rows.attrs["scenario"]
    words = condition_words(overrides)
    of_each = {number: rows[rows["condition"] == number] for number in overrides}
    limits = {number: tick_limit(scenario, given, of_each[number]) for number, given in overrides.items()}
    found = [Condition(words[k], overrides[k], measures(of_each[k], limits[k])) for k in overrides]
    kind = "certificate" if certificate or doubt else kind
    return Study(
        str(folder), kind, rows, found, curves(rows), scalings(rows), contributions(rows), certificate,
        doubt, rows.attrs.get("root"),
    )  # fmt: skip


def _certificate(folder: Path) -> tuple[dict | None, str]:
    """The certificate in a folder, or None and the reason not to show it."""
    if not (folder / FILE).is_file():
        return None, ""
    try:
        found = read_certificate(folder)
    except Void as error:
        return None, str(error)
    if found.problems:
        return None, f"{folder / FILE} does not follow from its trials ({found.problems[0]}); see sandbox verify"
    return found.certificate, ""


def condition_words(overrides: Mapping[int, dict]) -> dict[int, str]:
    """Each condition as a short text: the last part of each key, or the whole key if two keys end alike."""
    keys = list(dict.fromkeys(key for given in overrides.values() for key in given))
    ends = [key.rpartition(".")[2] for key in keys]
    short = {key: end if ends.count(end) == 1 else key for key, end in zip(keys, ends, strict=True)}
    usual = "clean" if keys and all(key.startswith(PREFIX) for key in keys) else "as the scenario stands"
    return {
        number: ", ".join(f"{short[key].replace('_', ' ')} {value}" for key, value in given.items()) or usual
        for number, given in overrides.items()
    }


def worst(study: Study, most: int) -> list[Episode]:
    """Failed trials, one condition after the other, those with the least progress first; the slowest if none failed."""
    rows = study.rows[study.rows["error"].isna()]
    failed = rows[~rows["success"]]
    if failed.empty:
        return slowest(study, 1)
    far = failed["tasks_done"] / failed["tasks_total"].clip(lower=1)
    failed = failed.assign(far=far).sort_values(["far", "ticks", "seed"], ascending=[True, False, True])
    failed = failed.assign(turn=failed.groupby("condition").cumcount()).sort_values(["turn", "far"], kind="stable")
    return _episodes(study, failed.head(most))


def slowest(study: Study, most: int) -> list[Episode]:
    """The successful trials that took longest."""
    rows = study.rows[study.rows["error"].isna() & study.rows["success"]]
    return _episodes(study, rows.sort_values("ticks", ascending=False, kind="stable").head(most))


def _episodes(study: Study, rows: pd.DataFrame) -> list[Episode]:
    told = {k: (each.words, each.overrides) for k, each in enumerate(study.conditions)}
    fields = Episode._fields[3:]
    return [
        Episode(*told[row.condition], row.Index, *(getattr(row, name) for name in fields)) for row in rows.itertuples()
    ]


def play_again(study: Study, episode: Episode) -> Iterator[Sandbox]:
    """The model of that trial after reset and after every tick: a single run from its record, else from its seed."""
    return again(study.name, episode.row, episode.trial)
