"""The pictures of a tour (``core.tour``), rendered one by one into a folder: a run that is stopped goes on there."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from sandbox.core.errors import UsageError
from sandbox.core.tour import Size, Tour
from sandbox.record.whole import replacing

SETTINGS = "settings.json"
GLANCE = (96, 72)  # pixels of the pictures from which things are read back
LEAST = 4  # pixels of a thing that count as seen


class Settings(NamedTuple):
    """What the frames depend on."""

    digest: str  # of the state that is shown
    frames: int
    size: Size
    samples: int


def render_frames(tour: Tour, folder: Path, settings: Settings, told: Callable[[int, int], None]) -> int:
    """Render the frames that a folder lacks; returns how many it had.

    ``told`` gets how many are done, and how many were missing. Raises UsageError if the folder has frames of other
    settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stated, own = folder / SETTINGS, json.dumps(settings._asdict())
    if not stated.exists():
        with replacing(stated) as part:
            part.write_text(own)
    elif stated.read_text() != own:
        raise UsageError(f"{folder}: frames of another walk ({stated.read_text()}); expected another --video")
    missing = [(k, view) for k, view in enumerate(tour.views(settings.frames)) if not _frame(folder, k).exists()]
    told(0, len(missing))
    for count, (k, view) in enumerate(missing):
        picture = tour.picture(view, settings.size, settings.samples, k)
        with replacing(_frame(folder, k)) as part:
            Image.fromarray(picture).save(part, "PNG")
        told(count + 1, len(missing))
    return settings.frames - len(missing)


def frames_of(folder: Path, count: int) -> Iterator[np.ndarray]:
    """The frames (H, W, 3) uint8 of a folder."""
    for k in range(count):
        with Image.open(_frame(folder, k)) as image:
            yield np.asarray(image.convert("RGB"))


def read_back(tour: Tour) -> dict[int, int]:
    """Pixels that show each thing in the view that looks at it, by number; a thing that none shows is not there."""
    found = {}
    for k, view in tour.looks.items():
        pixels = int((tour.identities(view, GLANCE) == k).sum())
        if pixels >= LEAST:
            found[k] = pixels
    return found


def _frame(folder: Path, number: int) -> Path:
    return folder / f"frame-{number:05}.png"
