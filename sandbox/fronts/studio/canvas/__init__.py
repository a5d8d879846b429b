"""The live picture: a components-v2 canvas that plays strips of frames.

A payload is six little-endian uint32 (episode, first frame, frames, height, width, frames a second), then the frames,
zlib-compressed, each but the first as XOR with the one before: a tenth of a percent to two percent of the raw pixels.
"""

import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import streamlit as st

from sandbox.fronts.studio.show.episode import Box
from sandbox.fronts.studio.show.snapshot import Strip

HEADER = struct.Struct("<6I")
LEVEL = 1  # of compression: 1 ms a frame


def pack(strip: Strip | None) -> bytes:
    """The payload of a strip; nothing for none."""
    if strip is None:
        return b""
    frames = np.frombuffer(strip.pixels, np.uint8).reshape(strip.count, -1)
    changes = frames.copy()
    changes[1:] ^= frames[:-1]
    header = HEADER.pack(strip.episode, strip.first, strip.count, strip.height, strip.width, strip.fps)
    return header + zlib.compress(changes, LEVEL)


@cache
def _component():
    here = Path(__file__)
    html, css, js = (here.with_name(f"canvas{suffix}").read_text("utf-8") for suffix in (".html", ".css", ".js"))
    return st.components.v2.component("sandbox_canvas", html=html, css=css, js=js)


def canvas(strip: Strip | None, key: str) -> Box | None:
    """Mount the canvas, always, and hand it a strip; returns the box that a picture may take in its page, if known."""
    found = _component()(key=key, data=pack(strip), default={"box": None}, on_box_change=lambda: None).box
    return (int(found["width"]), int(found["height"])) if found else None
