"""Figures and pictures as parts of a page: nothing is fetched, and figures take on the page's colours."""

import base64
import io
import re

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from sandbox.report.figures import COLOURS, STYLE

INK = "#010203"  # stands for the page's own text colour
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
    """A figure as an SVG element with ids of its own; ``told`` is what it shows, for those who do not see it.

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
