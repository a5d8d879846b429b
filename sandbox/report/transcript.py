"""A transcript as lines of text, for a terminal."""

from collections.abc import Iterator

from sandbox.core.decision import Call
from sandbox.running.transcript import Finding, Transcript, Turn

WIDE = 11  # letters of a label
SHORT = 8  # lines of a text, if it is not shown whole
LONGEST = 200  # letters of such a line


def transcript_lines(found: Transcript) -> Iterator[str]:
    """The outcome, and where to look first."""
    yield found.summary
    told = {finding.what: finding for finding in found.findings}
    for what in dict.fromkeys(("first refusal", "first fallback", *told)):
        yield f"{what}: {finding_words(found, told[what]) if what in told else 'none'}"


def finding_words(found: Transcript, finding: Finding) -> str:
    """A finding in words, with its tick and its agent."""
    who = f", {found.names[finding.agent]}" if finding.agent >= 0 else ""
    return f"tick {finding.tick}{who}: {finding.text}"


def turn_lines(turn: Turn, reasoner: str, whole: bool = False) -> Iterator[str]:
    """A turn as lines, each text behind its label; without ``whole``, long texts are cut."""
    yield f"tick {turn.tick} · {turn.name} ({turn.role}, {reasoner})"
    for label, text in turn_parts(turn):
        yield from _labelled(label, text, whole)


def turn_parts(turn: Turn) -> Iterator[tuple[str, str]]:
    """The texts of a turn in the order in which they came about, each with its label; none is empty."""
    told = [("saw", turn.saw if not turn.calls else ""), *(("heard", text) for text in turn.heard)]
    for call in turn.calls:
        told += [("was sent", call.prompt), ("answered", reply_words(call)), ("not used", call.error)]
    told += [("called", f"{use.tool} {use.arguments}: {use.answer}") for use in turn.tools]
    told += [("thought", turn.thought), ("sub-goal", turn.subgoal), *(("said", text) for text in turn.said)]
    told += [("did", f"{turn.did}{' (chosen by a person)' if turn.person else ''}"), ("purpose", turn.doing)]
    tasks = f"{turn.done:,} of {turn.total:,}" if turn.total else f"{turn.done:,}"
    told.append(("result", f"{turn.came}; tasks done: {tasks}"))
    return ((label, text) for label, text in told if text)


def reply_words(call: Call) -> str:
    """The reply to a call: what the model thought, and its text or its tool with the arguments."""
    reply = call.reply or {}
    tool = f"{reply['tool']} {reply.get('arguments', '')}" if reply.get("tool") else ""
    return "\n".join(part for part in (reply.get("thinking", ""), reply.get("text", ""), tool) if part)


def _labelled(label: str, text: str, whole: bool) -> Iterator[str]:
    lines = text.splitlines() or [""]
    if not whole:
        more = len(lines) - SHORT
        lines = [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in lines[:SHORT]]
        lines += [f"({more} more lines: --long)"] if more > 0 else []
    for number, line in enumerate(lines):
        yield f"  {'' if number else label:{WIDE}}{line}"
