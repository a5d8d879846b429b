"""Frames for the page: a compressed strip of them, with the marks that are drawn over them.

A payload is a little-endian uint32, the length of the header; the header, UTF-8 JSON (the fields of :class:`Frames`
except the body, ``overview`` in base64, and ``ticks`` as a list of {tick, frames, marks, view, cards, and what the page
tells of that moment}); then the frames, zlib-compressed RGB, each but the first as XOR with the one before: a tenth of
a percent to two percent of the raw pixels.
"""

import base64
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from isal import isal_zlib

from sandbox.studio.backend import cards, marks
from sandbox.studio.backend.cards import Card
from sandbox.studio.backend.marks import Mark

View = tuple[float, float, float, float]  # top, left, height, width, as fractions of the whole picture
WHOLE: View = (0.0, 0.0, 1.0, 1.0)
LENGTH = struct.Struct("<I")
LEVEL = 1  # of compression, which takes a quarter of zlib's time for the same size
_TOLD = ("episode", "first", "count", "height", "width", "fps", "cells")


class Stretch(NamedTuple):
    """The frames of one tick, the marks over them, and what is told of the agents in them."""

    tick: int
    frames: int
    marks: tuple[Mark, ...] = ()
    view: View = WHOLE  # the part of the picture in the frames
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True, eq=False)
class Frames:
    """Painted frames to be played one after the other, ``fps`` a second."""

    episode: int  # changes with each new episode
    first: int  # number of the first frame, counted over the life of the runner
    count: int
    height: int
    width: int
    fps: int
    body: bytes  # count x height x width x RGB, one byte each, as the payload has them
    ticks: tuple[Stretch, ...]
    cells: tuple[int, int] | None = None  # rows and columns of the whole picture; None without a grid
    overview: bytes = b""  # a small picture of the whole, PNG, if the frames show a part

    def payload(self, told: Sequence[Mapping[str, Any]] = (), **head: Any) -> bytes:
        """The message to the canvas; ``told`` has more fields of each stretch, ``head`` more fields of the header."""
        more = told or [{}] * len(self.ticks)
        ticks = [{"tick": t.tick, "frames": t.frames, "marks": list(map(marks.as_json, t.marks)), "view": t.view,
                  "cards": list(map(cards.as_json, t.cards)), **fields}
                 for t, fields in zip(self.ticks, more, strict=True)]  # fmt: skip
        overview = base64.b64encode(self.overview).decode()
        header = {**{name: getattr(self, name) for name in _TOLD}, "overview": overview, "ticks": ticks, **head}
        text = json.dumps(header, separators=(",", ":")).encode()
        return LENGTH.pack(len(text)) + text + self.body


def pack(frames: Iterable[np.ndarray]) -> bytes:
    """Compress frames (H, W, 3) uint8 of one shape. Most of the work runs without the GIL."""
    press, parts, before = isal_zlib.compressobj(LEVEL), [], None
    for frame in frames:
        parts.append(press.compress(frame if before is None else frame ^ before))
        before = frame
    return b"".join([*parts, press.flush()])
