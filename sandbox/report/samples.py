"""The trials of studies as rows of a table, which can be filtered and searched, some with their transcript."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

from markupsafe import Markup

from sandbox.agents.memory.tokens import clip
from sandbox.report.page import brief
from sandbox.report.transcript import transcript_lines, turn_lines
from sandbox.running.transcript import Transcript

MOST = 1_000  # rows of a page
TURNS = 20  # of a transcript, its last ones
BYTES = 20_000  # of a transcript
WHY = 200  # bytes of a reason


class Sample(NamedTuple):
    """One trial. Its texts come from scenarios and are not trusted."""

    arm: int  # number of its study
    run: str
    row: int  # its number for ``sandbox show --trial``
    condition: str
    seed: int
    finish: str
    success: bool
    error: bool  # an infrastructure error, which does not count
    ticks: int
    tasks: str
    invalid: int
    refused: int
    tokens: int
    why: str  # an agent broke off, or the infrastructure did
    transcript: str  # empty: not on the page

    @property
    def kind(self) -> str:
        """What the filter chooses by."""
        return "error" if self.error else "success" if self.success else "failure"


def samples(studies: Sequence, transcripts: Callable[[int, int], str]) -> list[Sample]:
    """At most MOST trials of some studies (``studies.summary``), of each an equal share.

    Of each study errors come first, then failures with the least progress, then the slowest successes.
    ``transcripts`` gives the transcript of a trial by the number of its study and its row, or an empty text.
    """
    share = max(1, MOST // max(1, len(studies)))
    return [
        _sample(arm, study, row, transcripts(arm, int(row.Index)))
        for arm, study in enumerate(studies)
        for row in ordered(study.rows).head(share).itertuples()
    ]


def ordered(rows: Any) -> Any:
    """Rows of ``results``, those that need a look first."""
    far = rows["tasks_done"] / rows["tasks_total"].clip(lower=1)
    keyed = rows.assign(counts=rows["error"].isna(), far=far)
    return keyed.sort_values(["counts", "success", "far", "ticks", "seed"], ascending=[True, True, True, False, True])


def _sample(arm: int, study: Any, row: Any, transcript: str) -> Sample:
    why = next((str(text) for text in (row.error, row.failure) if isinstance(text, str)), "")
    words = {k: each.words for k, each in enumerate(study.conditions)}
    return Sample(
        arm, study.name, int(row.Index), brief(words[row.condition]), int(row.seed), str(row.finish), bool(row.success),
        isinstance(row.error, str), int(row.ticks), f"{row.tasks_done:,} of {row.tasks_total or 'no end'}",
        int(row.invalid_actions), int(row.refused_actions), int(row.tokens), clip(why, WHY), transcript,
    )  # fmt: skip


def transcript_text(found: Transcript) -> str:
    """The findings of a transcript and its last TURNS turns, in at most BYTES bytes."""
    turns = found.turns[-TURNS:]
    left = found.ticks * len(found.names) - len(turns)
    head = [*transcript_lines(found), *([f"({left:,} turns before these are not shown)"] if left else [])]
    lines = (line for turn in turns for line in ("", *turn_lines(turn, found.reasoners[turn.agent])))
    return clip("\n".join([*head, *lines]), BYTES)


@cache
def script() -> tuple[Markup, str]:
    """The script of the table, and its hash in the form of a content security policy: nothing else may run."""
    text = files("sandbox.report").joinpath("templates/samples.js").read_text(encoding="utf-8")
    return Markup(text), f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
