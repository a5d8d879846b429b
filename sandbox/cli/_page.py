"""The page that ``sandbox report`` writes; the studio offers it too."""

import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from sandbox.analysis.compare import beside_first
from sandbox.analysis.process import events_of
from sandbox.cli._compiling import warm_up
from sandbox.cli._console import err, out
from sandbox.cli._options import settings
from sandbox.core.errors import SandboxError
from sandbox.core.event_log import Part
from sandbox.engine.registry import find
from sandbox.eventlogs.read import read
from sandbox.model import Sandbox
from sandbox.record.whole import write_text
from sandbox.report.inline import stills
from sandbox.report.page import Origin, Shown, process_page, report_page
from sandbox.report.process_figures import Process
from sandbox.report.samples import TURNS, samples, script, transcript_text
from sandbox.running.transcript import transcript
from sandbox.scenario import Scenario
from sandbox.scenario.capabilities import record
from sandbox.scenario.load import as_toml
from sandbox.scenario.recorded import read_scenario
from sandbox.studies.summary import SINGLE, Episode, Study, open_study, play_again, worst

EPISODES = 3  # of each run that are shown
TRANSCRIPTS = 5  # of each run that are on the page
STILLS = 4  # pictures of an episode
SECONDS = 20.0  # for all pictures of a page, and again for all transcripts; the last picture may take as long again


def report_of(runs: Sequence[Path], page: Path) -> str:
    """The text of a page about runs; the command that it shows writes to ``page``."""
    studies = [open_study(run) for run in dict.fromkeys(runs)]
    again = shlex.join(["sandbox", "report", *map(str, dict.fromkeys(runs)), "--out", str(page)])
    shown, skipped = _pictures(studies)
    found, processes = samples(studies, _transcripts(studies)), _processes(studies)
    origins = [_origin(study) for study in studies]
    return report_page(studies, _compared(studies), shown, skipped, origins, again, found, script(), processes)


def write_page(page: Path, text: str) -> None:
    """Write a page and print its path; raises RecordError if it cannot be written."""
    write_text(page, text)
    out.print(f"page   {page}  ({page.stat().st_size / 1000:,.0f} kB)")


def _compared(studies: Sequence[Study]) -> list:
    """Comparisons with the first study, for studies of its world: seeds of different worlds cannot be paired."""
    world = studies[0].scenario["world"]["name"]
    alike = {study.name: study.rows for study in studies if study.scenario["world"]["name"] == world}
    return beside_first(alike) if len(alike) > 1 else []


def _pictures(studies: Sequence[Study]) -> tuple[list[Shown], int]:
    """Pictures of the worst episodes of each study, and the number of episodes left out for lack of time."""
    free = [(arm, study) for arm, study in enumerate(studies) if study.free]
    chosen = [(arm, study, each) for arm, study in free for each in worst(study, EPISODES)]
    warm_up(*(_scenario(study) for _, study, _ in chosen if study.kind != SINGLE), pictures=True)
    shown, until = [], time.monotonic() + SECONDS
    for arm, study, episode in chosen:
        if time.monotonic() > until:
            break
        try:
            found = stills(play_again(study, episode), episode.ticks, STILLS, SECONDS)
        except SandboxError as error:
            err.print(f"no pictures of seed {episode.seed}: {error}")
            continue
        shown.append(Shown(arm, study.name, len(study.conditions), episode, found, _watch(study, episode)))
    return shown, len(chosen) - len(shown)


def _processes(studies: Sequence[Study]) -> list[Process]:
    """The process of the worst episode of each study, in worlds that have cases and activities."""
    found, until = [], time.monotonic() + SECONDS
    for study in studies:
        log = find(study.scenario["world"]["name"]).event_log
        if not study.free or log is None or time.monotonic() > until:
            continue
        for episode in worst(study, 1):
            try:
                found.append(_process(log, play_again(study, episode), episode, study))
            except SandboxError as error:
                err.print(f"no process of seed {episode.seed}: {error}")
    return found


def _process(
    log: Callable[[Iterable[Any], int], Part], models: Iterator[Sandbox], episode: Episode, study: Study
) -> Process:
    model = next(models)  # it moves on
    events, world = events_of(log(chain([model], models), episode.trial)), model.env.world
    split = world.split(model.state, 0, model.env.params) if world.split else {}
    return Process(f"{study.name}, seed {episode.seed}", events, split)


def log_page(files: Sequence[Path], page: Path) -> str:
    """The text of a page about event logs; the command that it shows writes to ``page``."""
    logs = [read(file) for file in files]
    again = shlex.join(["sandbox", "report", *map(str, files), "--out", str(page)])
    notes = [f"{log.name}: {note}" for log in logs for note in log.notes]
    return process_page([Process(log.name, log.events) for log in logs], notes, again)


def _transcripts(studies: Sequence[Study]) -> Callable[[int, int], str]:
    """Gives the transcripts of the first trials of the table, as many as there is time for."""
    left, until = {arm: TRANSCRIPTS for arm, study in enumerate(studies) if study.free}, time.monotonic() + SECONDS

    def told(arm: int, row: int) -> str:
        study, trial = studies[arm], studies[arm].rows.loc[row]
        if not left.get(arm) or isinstance(trial["error"], str) or time.monotonic() > until:
            return ""
        left[arm] -= 1
        number, last = int(trial["trial"]) if study.kind == SINGLE else row, int(trial["ticks"])
        try:
            return transcript_text(transcript(study.name, number, None, (last - TURNS, last), partial(_check, until)))
        except (SandboxError, TimeoutError) as error:
            err.print(f"no transcript of trial {row}: {error}")
            return ""

    return told


def _check(until: float) -> None:
    if time.monotonic() > until:
        raise TimeoutError("time for transcripts was up")


def _scenario(study: Study) -> Scenario:
    return read_scenario({**study.scenario, "sweep": {}}, record(study.name))


def _file(study: Study) -> str:
    return f"{Path(study.name).name or 'scenario'}.toml"


def _watch(study: Study, episode: Episode) -> str:
    if study.kind == SINGLE:
        return shlex.join(["sandbox", "replay", study.name, "--trial", str(episode.trial), "--video", "replay.gif"])
    told = f"--seed {episode.seed}{settings(episode.overrides)} --video failed.gif"
    return f"sandbox run {shlex.quote(_file(study))} {told}"


def _origin(study: Study) -> Origin:
    told, seeds = study.rows.attrs.get("versions", {}), study.rows["seed"]
    versions = ", ".join(f"{name} {version}" for name, version in told.items()) or "versions not recorded"
    span = f"seeds {seeds.min()} to {seeds.max()}" if len(seeds) else "no seeds yet"
    return Origin(span, versions, _again(study), _file(study), as_toml(study.scenario))


def _again(study: Study) -> str:
    """The command line that reproduces a study from its scenario's file."""
    file, folder = shlex.quote(_file(study)), shlex.quote(study.name)
    if study.kind == SINGLE:
        seed = study.rows["seed"].iloc[0] if len(study.rows) else study.scenario.get("seed", 0)
        return f"sandbox run {file} --seed {seed} --out {folder}\nsandbox verify {folder}"
    if study.certificate:
        claim = study.certificate["claim"]
        rates = f"--reliability {claim['reliability']:.10g} --confidence {claim['confidence']:.10g}"
        told = f"sandbox certify {file} {rates} --failures {claim['failures']} --out {folder}"
        return f"{told}\nsandbox verify {folder}"
    return f"sandbox batch {file} --trials {study.planned // len(study.conditions)} --out {folder}"
