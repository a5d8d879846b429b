"""Figures and pictures as parts of a page, without external files; figures use the page's colours."""

import base64
import io
import re
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from sandbox.report.figures import COLOURS, STYLE
from sandbox.running.explain import standing

INK = "#010203"  # replaced by the page's text colour
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
PAGE_STYLE = STYLE | {
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    "grid.color": INK,
    "grid.alpha": 0.13,
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.linewidth": 0.6,
}
_IDS = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_SIZE = re.compile(r'<svg ([^>]*?)width="([\d.]+)pt" height="[\d.]+pt"')
_FONT = re.compile(r"(?<=px )'[^;\"]*sans-serif")
TONES = 64  # colours of a picture


def svg(figure: Figure, name: str, told: str) -> Markup:
    """A figure as an SVG element with unique ids; ``told`` describes it for screen readers.

    ``name`` is its id on the page. Its colours are the page's variables ``--c0`` .. and its ink is ``currentColor``.
    """
    file = io.StringIO()
    with matplotlib.rc_context(PAGE_STYLE):
        figure.savefig(file, format="svg", transparent=True, metadata=NO_METADATA)
    text = file.getvalue()
    text = _IDS.sub(rf"\g<1>{name}-", text[text.index("<svg") :])
    for k, colour in enumerate(COLOURS):
        text = text.replace(colour, f"var(--c{k})")
    text = _FONT.sub("inherit", text.replace(INK, "currentColor"))
    label = Markup('role="img" aria-label="{}"').format(told)
    return Markup(_SIZE.sub(lambda found: f'<svg {label} style="width: {float(found[2]) / 72:.2f}in" {found[1]}', text))


def png(picture: np.ndarray) -> str:
    """A picture (H, W, 3) uint8 as a data URI."""
    file = io.BytesIO()
    Image.fromarray(picture).quantize(TONES, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


# -- pictures: a few pictures of an episode for a page


TRAIL = 12  # past places shown for each agent
SIZE = 300  # pixels, the longer side


class Still(NamedTuple):
    """One picture."""

    tick: int
    told: str  # progress of the task as text
    uri: str


def stills(models: Iterable, ticks: int, count: int, seconds: float) -> list[Still]:
    """``count`` pictures of an episode of ``ticks`` ticks: its start, its end, and evenly between.

    ``models`` yields the model after reset and after each tick; after ``seconds``, the last one is the state reached.
    """
    wanted = set(np.linspace(0, ticks, count).round().astype(int).tolist())
    found, past, until, model = [], deque(maxlen=TRAIL), time.monotonic() + seconds, None
    for model in models:
        if model.ticks in wanted:
            found.append(_still(model, past))
        past.append(model.state.pos[0].copy())
        if time.monotonic() > until:
            break
    if model is not None and (not found or found[-1].tick != model.ticks):
        found.append(_still(model, past))
    return found


def _still(model, past: deque) -> Still:
    agents = model.env.agents
    trail = np.stack(past, axis=1) if past else np.zeros((agents, 0, 2), np.int32)
    return Still(model.ticks, standing(model), png(model.env.render(model.state, 0, SIZE, trail)))
