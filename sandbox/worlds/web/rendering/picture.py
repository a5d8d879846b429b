"""A site as a picture: each agent's browser with its page, a dialog or pop-up on top, and the agent's pointer.

Lengths are in pixels; a row of a page is ``unit`` pixels high. A theme changes the colours.
"""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine import shapes
from sandbox.engine.kernel import kernel
from sandbox.engine.letters import as_bytes, draw_instruction, draw_text, type_size
from sandbox.engine.shapes import AGENTS, ALARM, DISC, WEDGE, draw_bar, draw_shape, palette
from sandbox.worlds.web.compiler.columns import Page
from sandbox.worlds.web.dynamics.visits import page_of, shown
from sandbox.worlds.web.rendering.widgets import ACCENT_HEX, draw_page, point_of
from sandbox.worlds.web.state import FOLD, Info, Session

HUES = palette(*AGENTS)
DONE_HEX = "#3d5c12"
INKS = palette(shapes.WALL, "#dfe3e8", shapes.WHITE, shapes.DARK, ALARM, DONE_HEX, "#8d939b", "#eef0f2")
BAR, ADDRESS, WHITE, DARK, HARM, DONE, LATE, PALE = np.arange(8)
SIGNS = as_bytes(("Loading ...", "Done", "Time is up", "harm"), 12)
HEAD, TASK, FOOT = 1.0, 2.0, 0.4  # rows of the browser's bar, of the instruction, below the page
ROWS = HEAD + TASK + FOLD + FOOT
LEGEND = (
    ("agent 0, clerk", AGENTS[0]), ("agent 1, approver", AGENTS[1]), ("harm or alert", ALARM), ("done", DONE_HEX),
    *((f"button or link{f', theme {k + 1}' * (k > 0)}", accent) for k, accent in enumerate(ACCENT_HEX)),
    ("browser's bar", shapes.WALL),
)  # fmt: skip


def canvas(params, size: int) -> tuple[int, int]:
    """Height and width in pixels: one browser, or two side by side."""
    return max(12, int(size * (0.72 if params.agents == 1 else 0.52))), size


@kernel
def _head(s, lane, agent, params, left, right, unit, size, em, image):
    """The browser's bar with the page's name, and the instruction."""
    session = s.session[lane, agent]
    draw_bar(image, 0, left, HEAD * unit, right, INKS[BAR], 1.0)
    draw_shape(image, DISC, 0.5 * unit, left + 0.6 * unit, 0.3 * unit, 0.0, HUES[agent], 1.0)
    draw_bar(image, 0.15 * unit, left + 1.2 * unit, 0.85 * unit, right - 3.2 * unit, INKS[ADDRESS], 1.0)
    title = params.name[params.names[3] + page_of(s, lane, shown(session), params)]
    draw_text(image, params.glyph, size, title, 0.5 * unit, left + 1.5 * unit, right - 3.2 * unit, em, INKS[DARK])
    if session[Session.HARM] > 0:
        draw_bar(image, 0.15 * unit, right - 2.9 * unit, 0.85 * unit, right - 0.3 * unit, INKS[HARM], 1.0)
        draw_text(image, params.glyph, size, SIGNS[3], 0.5 * unit, right - 2.6 * unit, right, em, INKS[WHITE])
    template = np.int64(s.info[lane, Info.TEMPLATE])
    draw_bar(image, HEAD * unit, left, (HEAD + TASK) * unit, right, INKS[PALE], 1.0)
    draw_instruction(
        image, params.glyph, size, params.prose[3 * template], s.value[lane, 0], params.text,
        (HEAD + 0.15) * unit, left + 0.4 * unit, right - 0.4 * unit, 1.7 * em,
        np.int64(1.8 * unit / (1.7 * em)), INKS[DARK],
    )  # fmt: skip


@kernel
def draw_pointer(s, lane, agent, params, trail, share, top, left, right, unit, size, em, image):
    """The pointer: a disc with a wedge, between its last and its present place."""
    page = params.page[page_of(s, lane, shown(s.session[lane, agent]), params)]
    y, x = point_of(
        s, lane, agent, page, s.pos[lane, agent, 0], s.pos[lane, agent, 1], params, left, right, unit, size, em
    )
    if trail.shape[1]:
        old = trail[agent, -1]
        if old[0] >= 0:
            y0, x0 = point_of(s, lane, agent, page, old[0], old[1], params, left, right, unit, size, em)
            y, x = y0 + (y - y0) * share, x0 + (x - x0) * share
    y, x = min(max(top + y, top), image.shape[0] - 0.3 * unit), min(max(x, left + 0.3 * unit), right - 0.3 * unit)
    draw_shape(image, DISC, y, x, 0.36 * unit, 0.0, INKS[DARK], 1.0)
    draw_shape(image, DISC, y, x, 0.32 * unit, 0.0, HUES[agent], 1.0)
    draw_shape(image, WEDGE, y, x, 0.26 * unit, 0.0, INKS[WHITE], 1.0)


@kernel
def _browser(s, lane, agent, params, trail, share, left, right, image):
    """One agent's window."""
    unit, session = image.shape[0] / ROWS, s.session[lane, agent]
    em, top = (0.5 if params.agents == 1 else 0.4) * unit, (HEAD + TASK) * unit
    size = type_size(em)
    _head(s, lane, agent, params, left, right, unit, size, em, image)
    page = params.page[page_of(s, lane, np.int64(session[Session.PAGE]), params)]
    loading, over = session[Session.LOADING] > 0, session[Session.OVER] >= 0
    draw_page(s, lane, agent, page, not over and not loading, params, top, left, right, unit, size, em, image)
    if loading or over:
        draw_bar(image, top, left, float(image.shape[0]), right, INKS[DARK], 0.45)
    if loading:
        draw_text(image, params.glyph, size, SIGNS[0], top + 3 * unit, left + 2 * unit, right, em, INKS[WHITE])
    elif over:
        page = params.page[page_of(s, lane, np.int64(session[Session.OVER]), params)]
        inset, high = 0.08 * (right - left), (page[Page.LINES] + 0.5) * unit
        draw_bar(image, top + 0.9 * unit, left + inset, top + unit + high, right - inset, INKS[DARK], 1.0)
        draw_page(
            s, lane, agent, page, True, params, top + unit, left + inset + 0.1 * unit, right - inset - 0.1 * unit, unit,
            size, em, image[: np.int64(top + 0.9 * unit + high)],
        )  # fmt: skip
        draw_pointer(
            s, lane, agent, params, trail, share, top + unit, left + inset, right - inset, unit, size, em, image
        )
    if not over:
        draw_pointer(s, lane, agent, params, trail, share, top, left, right, unit, size, em, image)


@kernel
def render(s, lane, params, trail, blend, image):
    """Fill ``image`` (H, W, 3) uint8; see ``core.world`` for ``trail`` (N, T, 2) int32 and ``blend`` (0..1)."""
    wide, unit = image.shape[1] / params.agents, image.shape[0] / ROWS
    for agent in range(params.agents):
        _browser(s, lane, agent, params, trail, blend, agent * wide, (agent + 1) * wide, image)
    for agent in range(1, params.agents):
        draw_bar(image, 0.0, agent * wide - 1.0, float(image.shape[0]), agent * wide + 1.0, INKS[DARK], 1.0)
    if s.done[lane] != Finish.RUNNING:
        good = s.done[lane] == Finish.COMPLETED
        high = float(image.shape[0])
        draw_bar(image, high - 1.2 * unit, 0.0, high, float(image.shape[1]), INKS[DONE if good else LATE], 1.0)
        size, em = type_size(0.5 * unit), 0.5 * unit
        at, sign = 0.5 * image.shape[1] - unit, SIGNS[1 if good else 2]
        draw_text(image, params.glyph, size, sign, high - 0.6 * unit, at, image.shape[1], em, INKS[WHITE])
