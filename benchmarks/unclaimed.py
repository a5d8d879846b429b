"""What looks like a measured figure on a page and is no claim, with the reason."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from benchmarks.stated import Place, cell, column_of, page, section, sentence, tables


class Unclaimed(NamedTuple):
    """Parts of a page whose figures no claim measures."""

    page: str
    what: str
    why: str
    places: Callable[[], Sequence[Place]]


def _whole(name: str) -> list[Place]:
    return [Place(name, 0, len(page(name)))]


def _sections(name: str, *headings: str) -> list[Place]:
    return [section(name, heading) for heading in headings]


def _columns(name: str, *columns: str) -> list[Place]:
    return [place for column in columns for place in column_of(name, column)]


def _rows(name: str, *second: str) -> list[Place]:
    """Rows of tables by their second cells."""
    rows = (row for table in tables(name) for row in table if len(row) > 1)
    return [place for row in rows if row[1].text in second for place in row]


def _paragraphs(name: str, *beginnings: str) -> list[Place]:
    """From each text to the end of its paragraph or item."""
    starts = [sentence(name, text).start for text in beginnings]
    return [Place(name, start, re.compile(r"\n(?=\n|- )|\Z").search(page(name), start).start()) for start in starts]


def _skills_left(name: str) -> list[Place]:
    """Milestones, distances, and the row of the learned library, with the rows of other systems."""
    table = next(each for each in tables(name) if each[0][0].text == "20 learners each")
    rows = [row for row in table[1:] if row[0].text.startswith(("learned", "Voyager", "AutoGPT", "ReAct"))]
    kept = [place for row in rows for place in row] + [cell(name, "no library, new seeds", "beside")]
    return [*kept, *_columns(name, "distance, cells", "wood", "stone", "iron", "diamond")]


def _list(name: str, what: str, why: str, how: Callable, *parts: str) -> Unclaimed:
    return Unclaimed(name, what, why, partial(how, name, *parts))


IMAGINATION, LESSONS, SKILLS = "docs/imagination.md", "docs/lessons.md", "docs/skills.md"
STATISTICS, TEAMWORK, OWN = "docs/statistics.md", "docs/teams.md", "docs/bring-your-own-agent.md"
FITTED = ("best size measured", "USL: alpha", "beta", "N*", "the law misses by")
UNCLAIMED = [
    _list("docs/office.md", "The office's study", "`python -m benchmarks office-study` plays 120 conditions.",
          _sections, "## Half the time?"),
    _list("docs/event-logs.md", "Beside Prosimos", "It needs an environment of its own.", _sections,
          "## Import a BPMN model"),
    _list("docs/inference-trace.md", "Burstiness and latencies", "`python -m benchmarks serving` measures them, in ten "
          "minutes; the server's rates are published ones.", _whole),
    _list("docs/rooms.md", "Two plans side by side", "They are two runs; the page gives their seed.", _sections,
          "## A picture is no score"),
    _list("docs/rooms.md", "Intervals", "They follow from the shares in the table.", _paragraphs,
          "Success with `scenarios/rooms.toml`"),
    _list("docs/rooms.md", "Sizes", "They are set, not measured.", _sections, "## The rules"),
    _list("docs/rooms.md", "CPU seconds", "They depend on the machine.", _sections, "## What it costs"),
    _list(OWN, "Agents compared", "They need training, an environment of their own, or a client.", _rows, "PPO",
          "`policy:`", "`Greedy`, by MCP", "LangGraph"),
    _list(OWN, "Ticks of agents compared", "Too few trials of `random` succeed.", _columns,
          "ticks beside rules, where both succeed"),
    _list("docs/learning.md", "Trained policies", "`python -m benchmarks policies` trains for 20 CPU minutes.",
          _sections, "## Policies"),
    _list("docs/frameworks.md", "Frameworks compared", "Each needs an environment of its own.", _sections,
          "## Compared"),
    _list(IMAGINATION, "`wrong` in the warehouse", "It plays to the tick limit, which takes minutes.", _columns, "n"),
    _list(IMAGINATION, "An earlier version of the warehouse's rules", "They no longer exist.", _paragraphs,
          "**In the warehouse the gain disappeared"),
    _list("docs/learning.md", "Learned models", "`python -m benchmarks learned` trains their controls first, with the "
          "extra `learn`.", _whole),
    _list(IMAGINATION, "Speeds", "They depend on the machine.", _sections, "## What it costs"),
    _list(LESSONS, "How surely an answer comes out", "`python -m benchmarks lessons --blocks 100` takes an hour.",
          _sections, "## Choose the number of trials"),
    _list(LESSONS, "Turned controls", "`python -m benchmarks lessons` and the studio measure them, in an hour.",
          _columns, "trials of each arm", "and when a control is turned"),
    _list(LESSONS, "The drift of the lesson's weights", "`sandbox.analysis.drift` measures it.", _paragraphs,
          "*Spectacle and utility* has weights"),
    _list(LESSONS, "The column of outcomes", "The answers are claims.", _columns, "what came out"),
    _list("docs/memory.md", "Tuning", "They were measured on the seeds on which the weights were chosen.", _paragraphs,
          "The default was chosen on seeds"),
    _list("docs/memory.md", "Options", "They are set, not measured.", _paragraphs,
          "**Summary.** When the memory without `recalled`"),
    _list("docs/oversight.md", "Twenty kills at random ticks", "`tests/test_resume.py` tries them.", _paragraphs,
          "`resume` executes the recorded ticks again"),
    _list("docs/office.md", "Medians beside BPI 2019", "`python -m benchmarks office --only medians` measures them; "
          "`tests/test_office.py` holds them to ten per cent and two points.", _sections,
          "## Procure to pay beside BPI 2019"),
    _list(SKILLS, "Tools, and the learned library", "Six learners of an arm tell too little; a library of 20 learners "
          "takes twelve minutes on two free cores.", _skills_left),
    _list(SKILLS, "Tuning, and what others published", "They are not measurements of the present code.", _paragraphs,
          "- **Iteration**", "achievements, with a random curriculum", "- **Iron and diamonds",
          "Without its library a learner has", "so the interval is over worlds"),
    _list("docs/learning.md", "Learning in the dream", "`python -m benchmarks dreaming` trains for 12 CPU minutes.",
          _sections, "## Learning in the dream"),
    _list("docs/learning.md", "Dreamed worlds", "`python -m benchmarks dream` trains their controls first, with the "
          "extra `learn`; `tests/test_dream.py` holds the shipped one to its card.", _sections, "## Dreamed worlds"),
    _list("docs/learning.md", "Video models", "`python -m benchmarks video` trains their controls first, with the "
          "extra `learn`; `tests/test_video.py` holds the shipped to less.", _sections, "## Spectacle and utility"),
    _list("docs/learning.md", "One agent, told in words", "`python -m benchmarks generalist` trains controls first, "
          "with the extras `learn` and `embed`; `tests/test_generalist.py` holds the shipped to less.", _sections,
          "## One agent for many worlds, told in words"),
    _list("docs/learning.md", "Policies on devices", "`python -m benchmarks edge` trains five policies first, with the "
          "extra `learn`; `tests/test_edge.py` holds int8 to less.", _sections, "## On the edge"),
    _list("docs/memory.md", "Recall by embedding", "`python -m benchmarks retrieval` measures it, where the extra is.",
          _sections, "### Choose an embedding"),
    _list("docs/llm.md", "Gemma", "`python -m benchmarks gemma` measures it, in half an hour.", _sections,
          "### Run a real model without a key"),
    _list("docs/llm.md", "Options", "They are set, not measured.", _columns, "default"),
    _list("docs/security-model.md", "Limits", "They are set, not measured.", _sections, "## Limits of what comes in"),
    _list("docs/decisions.md", "All", "It explains decisions, with figures of their time.", _whole),
    _list("docs/claims.md", "All", "The command writes this page.", _whole),
    _list(STATISTICS, "What other intervals cover", "`python -m benchmarks coverage` simulates it.", _paragraphs,
          "**Where several trials share a seed**", "- **Success**: McNemar", "- **Means** (steps",
          "- **How often the interval of N"),
    _list(STATISTICS, "Certificates of an earlier version", "The code refuses them.", _paragraphs, "- **Seeds.**"),
    _list(STATISTICS, "Levels and definitions", "They are set, not measured.", _paragraphs,
          "The tests draw 10,000 studies", "Failed trials never finish", "With failures allowed", "An agent at 90 %"),
    _list(TEAMWORK, "Fitted laws and best sizes", "`python -m benchmarks teams --only sizes` measures them.", _columns,
          *FITTED),
    _list(TEAMWORK, "Figures of an earlier version", "The page calls them wrong.", _paragraphs,
          "Earlier versions of this page had a team of one"),
]  # fmt: skip
