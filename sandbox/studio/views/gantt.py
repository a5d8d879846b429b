"""A Gantt chart of the last days, as HTML: a row for each agent and person, a bar for each piece of work."""

from html import escape

from sandbox.core.telling import Span
from sandbox.studio.backend.gantt import SPAN, Work
from sandbox.studio.views.charts import HUES

MOST = 16  # rows
SHORTEST = 0.4  # per cent of the width: a bar that can be seen
DAY = 1440
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def gantt(work: Work | None) -> str:
    """The chart, or nothing if the world has none."""
    if not work:
        return ""
    begin, rows = work.clock - SPAN, work.rows[:MOST]
    bars: list[str] = ["" for _ in rows]
    for one in work.spans:
        if one.row < len(rows):
            bars[one.row] += _bar(one, work, begin)
    tracks = (f'<b>{escape(name)}</b><div class="track">{own}</div>' for name, own in zip(rows, bars, strict=True))
    busy = {one.row: work.kinds[one.kind] for one in work.spans if one.end is None}
    told = ", ".join(f"{work.rows[row]} on {kind}" for row, kind in sorted(busy.items())) or "nobody works"
    more = f" · {len(work.rows) - MOST} more are not shown" if len(work.rows) > MOST else ""
    kinds = sorted({one.kind for one in work.spans if one.row < len(rows)})
    chips = "".join(f'<span><i style="{_paint(kind)}"></i>{escape(work.kinds[kind])}</span>' for kind in kinds)
    return (
        f'<figure class="gantt"><figcaption><b>Who works on what</b> <span>three days, to {when(work.clock)}'
        f'{more}</span></figcaption><div class="rows" role="img" aria-label="Who works on what at {when(work.clock)}: '
        f'{escape(told)}">{"".join(tracks)}<b></b><div class="axis">{_axis(begin)}</div></div>'
        f'<p class="kinds">{chips}</p></figure>'
    )


def when(minutes: float) -> str:
    """A moment of the week, such as "Tue 9:05"."""
    day, minute = divmod(int(minutes), DAY)
    return f"{WEEK[day % 7]} {minute // 60}:{minute % 60:02}"


def _bar(one: Span, work: Work, begin: float) -> str:
    end = work.clock if one.end is None else one.end
    left = max(0.0, one.start - begin) / SPAN * 100
    width = max(SHORTEST, (end - begin) / SPAN * 100 - left)
    until = "now" if one.end is None else when(end)
    told = f"{work.kinds[one.kind]}, {when(one.start)} to {until}"
    place = f"left:{min(left, 100 - SHORTEST):.2f}%;width:{width:.2f}%"
    return f'<i style="{place};{_paint(one.kind)}" title="{escape(told)}"></i>'


def _paint(kind: int) -> str:
    """The colour of a kind; those beyond the palette are hatched."""
    hue = HUES[kind % len(HUES)]
    if kind < len(HUES):
        return f"background:{hue}"
    return f"background:repeating-linear-gradient(45deg,{hue} 0 3px,transparent 3px 5px)"


def _axis(begin: float) -> str:
    """The days whose beginnings are drawn."""
    first = int(-(-begin // DAY) * DAY)
    return "".join(
        f'<span style="left:{(moment - begin) / SPAN * 100:.2f}%">{WEEK[moment // DAY % 7]}</span>'
        for moment in range(first, int(begin + SPAN), DAY) if moment >= 0
    )  # fmt: skip
