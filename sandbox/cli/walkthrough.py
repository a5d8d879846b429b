"""The command ``sandbox walkthrough``: a photorealistic walk through what a run has built."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._console import err, out, stoppable
from sandbox.cli._options import FPS, AllowAgain, Fps, Run, granted
from sandbox.cli._progress import Episodes
from sandbox.cli._video import check_video
from sandbox.core.errors import UsageError

if TYPE_CHECKING:
    from sandbox.core.tour import Size, Tour


def walkthrough(
    folder: Run,
    video: Annotated[Path | None, typer.Option("--video", help="a .mp4 or .gif; default: RUN/walkthrough.mp4")] = None,
    trial: Annotated[int, typer.Option(help="number of the trial")] = 0,
    frames: Annotated[int, typer.Option(min=1, max=10_000, help="pictures of the walk")] = 120,
    size: Annotated[str, typer.Option(metavar="WIDTHxHEIGHT", help="pixels of a picture")] = "320x240",
    samples: Annotated[int, typer.Option(min=1, max=4096, help="rays of each pixel")] = 16,
    fps: Fps = FPS,
    allow: AllowAgain = None,
) -> None:
    """Walk with a camera through what a run has built, such as a flat. A stopped walk goes on from its frames."""
    from sandbox.record import open_run
    from sandbox.report.video import write_video
    from sandbox.report.walkthrough import Settings, frames_of, read_back, render_frames
    from sandbox.running import replay

    path = video or folder / "walkthrough.mp4"
    check_video(path)
    pixels = _size(size)
    with open_run(folder) as record:
        *_, model = replay.replay(record, trial, granted(allow, {}))
        world = model.env.world
        if world.tour is None:
            raise UsageError(f"world '{world.name}' offers no walk")
        tour = world.tour(model.state, 0, model.env.params)
        settings = Settings(model.env.digest(model.state), frames, pixels, samples)
    pictures = path.with_name(f"{path.stem}-frames")
    try:
        for line in tour.worth:
            out.print(line)
        with stoppable(pictures, "frames"), Episodes(err, "walk", "frames") as shown:
            had = render_frames(tour, pictures, settings, shown)
        _tell_seen(tour, read_back(tour))
    finally:
        tour.close()
    write_video(path, frames_of(pictures, frames), fps)
    out.print(f"video  {path}  ({frames:,} frames, {had:,} of them from before; all in {pictures})")


def _size(given: str) -> "Size":
    width, _, height = given.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 8 <= int(width) <= 4096 and 8 <= int(height) <= 4096):
        raise UsageError(f"--size {given}: expected WIDTHxHEIGHT, each 8..4096, such as 320x240")
    return int(width), int(height)


def _tell_seen(tour: "Tour", seen: dict[int, int]) -> None:
    """How many of the things that the walk looks at are read back from the identity pass."""
    out.print(
        f"seen   {len(seen)} of {len(tour.looks)} things that the walk looks at, of {len(tour.things)} that are there"
    )
    for k in sorted(tour.looks.keys() - seen.keys()):
        err.print(f"not seen: {tour.things[k]} [{k}]")
