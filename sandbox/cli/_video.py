"""A recorded episode as a video, with its progress below the picture."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cli._console import check_place
from sandbox.cli._options import FPS

if TYPE_CHECKING:
    from sandbox.model import Sandbox


def check_video(path: Path | None) -> None:
    """Raise UsageError, before any work is done, if no video can be written."""
    if path:
        from sandbox.report.video import check_suffix

        check_suffix(path)
        check_place(path)


def film(models: "Iterator[Sandbox]", path: Path, fps: float = FPS) -> Path:
    """Write a replayed episode (``running.replay.replay``) as a .gif or .mp4; errors as in ``write_video``."""
    from sandbox.report.video import frames, write_video
    from sandbox.running.explain import standing

    model = next(models)

    def caption(state: object) -> str:
        return f"tick {model.ticks}   {standing(model)}"

    states = (each.state for each in chain([model], models))
    return write_video(path, frames(model.env, states, caption=caption), fps)
