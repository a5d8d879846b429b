"""The last decision of an agent as HTML: its action, reason, calls and imagined futures."""

from collections.abc import Sequence
from html import escape

from sandbox.studio.backend.decision import Decided, Exchange, Option
from sandbox.studio.backend.wording import number
from sandbox.studio.views.sheet import caption, code, fold

NONE = "It has not decided anything yet: press Step for one tick."
COMPILED = "A compiled policy decided, from the agent's own observation and notes."


def decision(one: Decided | None) -> str:
    """The action of an agent in the latest tick, and its explanation."""
    if one is None:
        return caption(NONE)
    told = _headline(one)
    if one.options:
        told += _options(one.options)
    elif not one.exchanges and not (one.thought or one.fallback or one.person):
        told += caption(COMPILED)
    return told + _exchanges(one.exchanges)


def _headline(one: Decided) -> str:
    """The action with its remarks."""
    told = [
        ("⊘", "In vain", one.refused), ("↩", "Fallback acted", one.fallback),
        ("☺", "A person decided", one.person),
        ("◷", "Late", f"{one.late} ticks after it was perceived" if one.late else ""), ("❝", "Reason", one.thought),
        ("⚑", "Sub-goal", one.subgoal),
    ]  # fmt: skip
    lines = "".join(_why(f"{mark} {label}", text) for mark, label, text in told if text)
    doing = f'<p class="doing">{escape(one.doing[:1].upper() + one.doing[1:])}.</p>' if one.doing else ""
    return f'<div class="did"><span>Tick {one.tick}</span> <b>{escape(one.action)}</b></div>{doing}{lines}'


def _why(label: str, text: str) -> str:
    return f'<div class="why"><span>{label}</span><span>{escape(text)}</span></div>'


def _options(options: Sequence[Option]) -> str:
    """Candidates as bars with error bars; the chosen one is marked by text and by its frame."""
    futures = max(option.futures for option in options)
    rows = [row for option in options if (row := _row(option))]
    low, high = min([0.0, *(row["low"] for row in rows)]), max([0.0, *(row["high"] for row in rows)])
    told = caption(
        f"Candidates: gain over the base policy's own choice in {futures} imagined futures, in parts of the task; mean "
        "with its standard error. The base policy's own choice stands unless another one is clearly better."
    )
    told += "".join(_bar(row, low, (high - low) or 1.0) for row in rows)
    if len(options) == 1:
        told += caption("No choice: only one action was possible.")
    elif not any(row["gain"] for row in rows):
        told += caption("No action is expected to gain or lose anything against the base policy's own choice.")
    return told


def _row(option: Option) -> dict | None:
    gain, error = number(option.gain), number(option.error)
    if gain is None:
        return None
    marks = [mark for mark, there in (("▶ chosen", option.taken), ("base policy's own", option.own)) if there]
    name = f"{option.action} ({', '.join(marks)})" if marks else option.action
    low, high = (gain - (error or 0.0), gain + (error or 0.0))
    return {"action": name, "gain": gain, "low": low, "high": high, "taken": option.taken}


def _bar(row: dict, low: float, span: float) -> str:
    def at(value: float) -> float:
        return 100 * (value - low) / span

    left, right = sorted((at(0.0), at(row["gain"])))
    bar = f'<b style="left:{left:.1f}%;width:{right - left:.1f}%"></b>'
    error = f'<u style="left:{at(row["low"]):.1f}%;width:{at(row["high"]) - at(row["low"]):.1f}%"></u>'
    kind = "bar taken" if row["taken"] else "bar"
    name, gain = escape(row["action"]), f"{row['gain']:.3g}"
    return f'<div class="{kind}"><span>{name}</span><i>{bar}{error}</i><span>{gain}</span></div>'


def _exchanges(exchanges: Sequence[Exchange]) -> str:
    """Prompt and reply of each call; the last one is open."""
    if not exchanges:
        return ""
    tokens, money = sum(each.tokens for each in exchanges), number(sum(each.money for each in exchanges))
    seconds = sum(each.seconds for each in exchanges)
    cost = f"{money:.4f} US dollars" if money is not None else "unknown cost"
    told = caption(f"{len(exchanges)} calls of the language model: {tokens:,} tokens, {cost}, {seconds:.2f} s")
    return told + "".join(_exchange(each, k, k == len(exchanges)) for k, each in enumerate(exchanges, 1))


def _exchange(each: Exchange, place: int, opened: bool) -> str:
    title = f"Call {place}: {each.tokens:,} tokens, {each.seconds:.2f} s, {'not used' if each.problem else 'used'}"
    body = caption("Prompt, after the instructions") + code(each.prompt)
    if each.thinking:
        body += caption("Thinking") + code(each.thinking)
    body += caption(f"Reply ({each.manner})" if each.manner else "Reply") + code(each.reply or "(none)")
    return fold(title, body + (_why("⚠ Not used", each.problem) if each.problem else ""), opened)
