"""Pictures of a team, its tasks and an agent's observation as SVG: pure functions of frozen values.

They use the colours of their page (``currentColor``); agents have the hues of the world's picture. All text is escaped.
Important differences are also in shape or in words.
"""

from collections import defaultdict
from html import escape
from math import ceil, hypot, log2

from sandbox.engine.shapes import AGENTS
from sandbox.studio.backend.team import Member, TaskNode, TeamView, Tie

WIDE, HIGH, EDGE = 480, 340, 42  # of the network, and its margin
NAMED = 30  # agents up to which names are shown
BOX, TALL, GAP, LONG = 132, 46, 24, 16  # of a task: width, height, gap between columns, letters of its name
ROWS, ACROSS = 8, 3  # tasks in a column; in a row without dependencies
MARKS = {"waiting": "◌", "open": "○", "claimed": "◐", "done": "✔", "failed": "✖"}
HUES = {"claimed": "#56b4e9", "done": "#009e73", "failed": "#d55e00"}
PALE = {"#f0e442", "#56b4e9", "#e69f00", "#cc79a7"}  # hues with dark letters
PAPER = "var(--st-background-color, Canvas)"
ACCENT = "var(--st-primary-color, currentColor)"


def hue(agent: int) -> str:
    """The colour of an agent, "#rrggbb"."""
    return AGENTS[agent % len(AGENTS)]


def badge(agent: int, x: float, y: float, radius: float) -> str:
    """A disc with the agent's number."""
    ink, size = "#22272d" if hue(agent) in PALE else "#ffffff", radius * (1.0 if agent < 100 else 0.7)
    disc = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{hue(agent)}" stroke="currentColor"/>'
    return disc + _text(x, y + 0.35 * size, str(agent), size, ink=ink, anchor="middle")


def _text(x: float, y: float, text: str, size: float, tone: float = 1.0, ink: str = "currentColor",
          anchor: str = "start") -> str:  # fmt: skip
    look = f'font-size="{size:.1f}" fill="{ink}" opacity="{tone}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'


def _box(x: float, y: float, wide: float, high: float, look: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" {look}/>'


def _svg(width: float, height: float, label: str, body: str, fluid: bool) -> str:
    size = 'width="100%"' if fluid else f'width="{width:.0f}" height="{height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" {size} role="img" '
        f'aria-label="{escape(label)}" style="color:inherit;font-family:inherit;max-width:{width:.0f}px">{body}</svg>'
    )


# -- the network -------------------------------------------------------------------------------------------------------


def network(view: TeamView, picked: int | None = None) -> str:
    """The network: wide lines for recent traffic, an arrow for each edge and direction used in this tick."""
    places = {m.agent: (EDGE + m.x * (WIDE - 2 * EDGE), EDGE + m.y * (HIGH - 2 * EDGE)) for m in view.members}
    radius = 15 if len(places) <= 16 else 10 if len(places) <= NAMED else 6
    names = {m.agent: m.name for m in view.members}
    body = "".join(_tie(tie, places, names, radius) for tie in reversed(view.ties))
    body += "".join(_member(m, *places[m.agent], radius, len(places) <= NAMED, m.agent == picked) for m in view.members)
    return _svg(WIDE, HIGH, f"The team as a network of {len(places)} agents", body, fluid=True)


def _tie(tie: Tie, places: dict, names: dict[int, str], radius: float) -> str:
    (x1, y1), (x2, y2), recent = places[tie.one], places[tie.other], sum(tie.recent)
    wide = min(8.0, 1.0 + log2(1 + recent)) if recent else 1.0
    look = f'stroke="currentColor" stroke-opacity="{0.45 if recent else 0.2}"'
    dash = "" if tie.there and tie.back else ' stroke-dasharray="5 4"'
    line = f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-width="{wide:.1f}" {look}{dash}/>'
    ways = [(tie.one, tie.other, tie.there, 0), (tie.other, tie.one, tie.back, 1)]
    told = "; ".join(
        f"{names[a]} to {names[b]}: {tie.now[k]} now, {tie.recent[k]} of late, {tie.total[k]} in all"
        for a, b, hears, k in ways if hears
    )  # fmt: skip
    heads = "".join(_arrow(places[a], places[b], radius) for a, b, _, k in ways if tie.now[k])
    return f"<g><title>{escape(told)}</title>{line}{heads}</g>" if sum(tie.total) else line


def _arrow(start: tuple[float, float], end: tuple[float, float], radius: float) -> str:
    """The head of an arrow before the disc at its end."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = max(1e-6, hypot(dx, dy))
    ux, uy = dx / length, dy / length
    x, y, size = end[0] - ux * (radius + 3), end[1] - uy * (radius + 3), 9
    corners = [
        (x, y),
        *((x - ux * size - side * uy * size / 2, y - uy * size + side * ux * size / 2) for side in (1, -1)),
    ]
    return f'<polygon points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in corners)}" fill="currentColor"/>'


def _member(m: Member, x: float, y: float, radius: float, named: bool, picked: bool) -> str:
    says = ["leads"] * m.lead + ["has the turn"] * m.turn + ["absent"] * m.absent + [f"at {m.task}"] * bool(m.task)
    told, ring = f"{m.name}: {', '.join(says) or 'no task'}; {m.sent} messages sent", ""
    if picked or m.turn:
        look = f'fill="none" stroke="{ACCENT}" stroke-width="3"'
        ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius + 4:.1f}" {look}/>'
    disc = f'<g opacity="{0.35 if m.absent else 1}">{badge(m.agent, x, y, radius)}</g>'
    return f"<g><title>{escape(told)}</title>{ring}{disc}{_label(m, x, y, radius) if named else ''}</g>"


def _label(m: Member, x: float, y: float, radius: float) -> str:
    """Name and task below the disc, or above it at the lower border."""
    task, name = _short(m.task or "absent" * m.absent, 20), f"{'★' * m.lead}{'▶' * m.turn} {_short(m.name, 16)}".strip()
    x, top = (
        min(max(x, EDGE), WIDE - EDGE),
        y + radius + 15 if y + radius + 34 < HIGH else y - radius - 8 - 14 * bool(task),
    )
    words = _text(x, top, name, 14, anchor="middle") + _text(x, top + 14, task, 13, 0.9, anchor="middle")
    return f'<g style="paint-order:stroke;stroke:{PAPER};stroke-width:3px">{words}</g>'


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


# -- the shared task ---------------------------------------------------------------------------------------------------


def tasks(view: TeamView) -> str:
    """The task objects with their states; arrows lead from each to the tasks that depend on it."""
    places, wide, high = _placed(view.tasks)
    lines = "".join(
        _link(places[before], places[t])
        for t, task in enumerate(view.tasks) for before in task.after if before in places
    )  # fmt: skip
    body = lines + "".join(_task(task, *places[t]) for t, task in enumerate(view.tasks))
    return _svg(wide, high, f"The shared task: {len(view.tasks)} tasks", body, fluid=False)


def _placed(nodes: tuple[TaskNode, ...]) -> tuple[dict[int, tuple[float, float]], float, float]:
    """Positions of tasks: a column for each level, several for a long one; rows if there are no dependencies."""
    levels, places, column, most = defaultdict(list), {}, 0, 1
    for t, task in enumerate(nodes):
        levels[task.level].append(t)
    rows = ROWS if len(levels) > 1 else max(1, ceil(len(nodes) / ACROSS))
    for level in sorted(levels):
        for k, t in enumerate(levels[level]):
            places[t] = (column + k // rows) * (BOX + GAP) + 1, (k % rows) * (TALL + 12) + 1
        column += ceil(len(levels[level]) / rows)
        most = max(most, min(rows, len(levels[level])))
    return places, max(1, column) * (BOX + GAP) - GAP + 2, most * (TALL + 12) - 10


def _link(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1, x2, y2 = start[0] + BOX, start[1] + TALL / 2, end[0], end[1] + TALL / 2
    bend = max(12.0, (x2 - x1) / 2)
    way = f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2 - 5:.0f} {y2:.0f}"
    head = f'<path d="M{x2 - 7:.0f} {y2 - 4:.0f}L{x2:.0f} {y2:.0f}L{x2 - 7:.0f} {y2 + 4:.0f}Z" fill="currentColor"/>'
    return f'<path d="{way}" fill="none" stroke="currentColor" stroke-opacity=".5"/>{head}'


def _task(task: TaskNode, x: float, y: float) -> str:
    stroke, wide = HUES.get(task.state, "currentColor"), 2.5 if task.state in HUES else 1
    dash = ' stroke-dasharray="4 3"' if task.state == "waiting" else ""
    look = f'rx="7" fill="{stroke}" fill-opacity=".1" stroke="{stroke}" stroke-width="{wide}"{dash}'
    told = f"{task.name}: verified {task.state}" + "; an agent has said that it is done" * task.said_done
    state = f"{MARKS[task.state]} {task.state}" + " · said done" * (task.said_done and task.state != "done")
    owners = "".join(badge(a, x + BOX - 13 - 20 * k, y + TALL - 14, 9) for k, a in enumerate(task.owners[:3]))
    words = _text(x + 9, y + 18, _short(task.name, LONG), 12.5) + _text(x + 9, y + 36, state, 11, 0.8)
    return f"<g><title>{escape(told)}</title>{_box(x, y, BOX, TALL, look)}{words}{owners}</g>"


# -- the observation ---------------------------------------------------------------------------------------------------


def channel(name: str, rows: tuple[tuple[int, ...], ...], high: int, size: int = 108) -> str:
    """One channel of a window: darker for more, with its values if they fit; the agent's cell is framed."""
    side = max(1, len(rows))
    cell, middle = size / side, side // 2
    marks = [
        _value(row[c] / max(1, high), row[c], c * cell, r * cell, cell)
        for r, row in enumerate(rows) for c in range(len(row)) if row[c]
    ]  # fmt: skip
    frame = _box(0, 0, size, size, 'fill="none" stroke="currentColor" stroke-opacity=".35"')
    own = _box(middle * cell, middle * cell, cell, cell, f'fill="none" stroke="{ACCENT}" stroke-width="1.5"')
    body = f"<title>{escape(name)}</title>{frame}{''.join(marks)}{own}{_text(0, size + 13, _short(name, 17), 11)}"
    return _svg(size, size + 18, f"channel {name}", body, fluid=False)


def _value(share: float, value: int, x: float, y: float, cell: float) -> str:
    tone = 0.12 + 0.38 * min(1.0, max(0.0, share))
    box = _box(x, y, cell, cell, f'fill="currentColor" fill-opacity="{tone:.2f}"')
    if cell < 11:
        return box
    size = min(11.0, cell * 0.6)
    return box + _text(x + cell / 2, y + cell / 2 + 0.35 * size, str(value), size, anchor="middle")
