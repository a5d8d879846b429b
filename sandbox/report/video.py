"""Episodes as video: ``write_video(path, frames(env, states))`` makes a GIF or an MP4.

A frame is an (H, W, 3) uint8 array. A GIF needs Pillow only; an MP4 needs the extra ``video``.
"""

import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sandbox.core.errors import UsageError
from sandbox.record.whole import replacing

HOLD = 1.5  # seconds for which the last frame is shown
AT_MOST = 240  # frames of an episode
COLOURS = 255  # of a GIF; the 256th is for pixels that do not change
EXACT = 96  # the most frequent colours stay exact, so that areas keep their tone
SAMPLE = slice(0, 48, 6)  # frames from which the palette is made
NARROWEST = 360  # pixels, so that captions fit
BAR, INK, PAPER = 13, "#22272d", "#ffffff"  # font size in pixels; colours of text and ground


# -- files -------------------------------------------------------------------------------------------------------------


def write_video(path: str | Path, frames: Iterable[np.ndarray], fps: float) -> Path:
    """Write frames (H, W, 3) uint8 of one size as an endless GIF or as an MP4, by the suffix of ``path``.

    Raises UsageError for another suffix, no frames, or a missing extra; RecordError if the file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    if not 0 < fps <= 50:
        raise UsageError(f"{path}: {fps} frames a second; expected more than 0, at most 50")
    with replacing(path) as part:
        _WRITERS[path.suffix.lower()](part, _holding(frames, fps), fps)
    return path


def check_suffix(path: Path) -> None:
    """Raise UsageError unless ``path`` has the suffix of a video that can be written here."""
    if path.suffix.lower() not in _WRITERS:
        raise UsageError(f"{path}: unknown kind of video '{path.suffix}'; expected {', '.join(_WRITERS)}")
    if path.suffix.lower() == ".mp4" and not (find_spec("imageio") and find_spec("imageio_ffmpeg")):
        raise UsageError(f"{path.suffix} video needs imageio: pip install 'sandbox[video]'")


def _holding(frames: Iterable[np.ndarray], fps: float) -> Iterator[np.ndarray]:
    """The frames, with the last one repeated for HOLD seconds."""
    frame = None
    for frame in frames:
        yield frame
    if frame is None:
        raise UsageError("a video needs at least one frame, got none")
    for _ in range(round(HOLD * fps) - 1):
        yield frame


def _palette(sample: list[np.ndarray]) -> np.ndarray:
    """(P, 3) uint8 for the pixels of a few frames: the EXACT most frequent colours, then colours in between."""
    pixels = np.concatenate([frame.reshape(-1, 3) for frame in sample]).astype(np.uint32)
    codes, counts = np.unique(pixels @ np.array([65536, 256, 1], np.uint32), return_counts=True)
    codes = codes[np.argsort(-counts, kind="stable")]
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.uint8)
    exact, others = colours[:EXACT], colours[EXACT:]
    if len(others):
        mixed = Image.fromarray(others[None]).quantize(COLOURS - EXACT, Image.Quantize.MEDIANCUT).getpalette()
        exact = np.concatenate([exact, np.array(mixed, np.uint8).reshape(-1, 3)])
    return exact[np.sort(np.unique(exact, axis=0, return_index=True)[1])][:COLOURS]


def _nearest(palette: np.ndarray) -> np.ndarray:
    """(2**18,) uint8: the palette's entry for each colour of 6 bits a channel; frequent colours are exact."""
    levels = np.arange(2, 256, 4, dtype=np.float32)
    entries, table = palette.astype(np.float32), np.empty((64, 64 * 64), np.uint8)
    green_blue = np.stack(np.meshgrid(levels, levels, indexing="ij"), axis=-1).reshape(-1, 2)
    for k, red in enumerate(levels):
        squares = (entries[:, 0] - red) ** 2 + (entries[:, 1:] ** 2).sum(axis=1)
        table[k] = np.argmin(squares - 2 * green_blue @ entries[:, 1:].T, axis=1)
    table = table.reshape(-1)
    frequent = palette[:EXACT][::-1]
    table[_bins(frequent)] = np.arange(len(frequent))[::-1]
    return table


def _bins(pixels: np.ndarray) -> np.ndarray:
    high = (pixels >> 2).astype(np.int32)
    return high[..., 0] << 12 | high[..., 1] << 6 | high[..., 2]


def _write_gif(path: Path, frames: Iterator[np.ndarray], fps: float) -> None:
    """One palette for all frames; of each only what changed is stored, with the unchanged pixels transparent."""
    sample = list(islice(frames, SAMPLE.stop))
    palette = _palette(sample[SAMPLE])
    nearest = _nearest(palette)
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(palette)] = palette

    def reduced() -> Iterator[Image.Image]:
        for frame in chain(sample, frames):
            image = Image.fromarray(nearest[_bins(frame)], "P")
            image.putpalette(colours.tobytes())
            yield image

    images = reduced()
    options = {"duration": 10 * round(100 / fps), "loop": 0, "optimize": True, "transparency": 255}
    next(images).save(path, "GIF", save_all=True, append_images=images, **options)


def _write_mp4(path: Path, frames: Iterator[np.ndarray], fps: float) -> None:
    import imageio.v2 as imageio

    with imageio.get_writer(path, format="FFMPEG", fps=fps, codec="libx264", quality=8, macro_block_size=1) as writer:
        for frame in frames:
            height, width = frame.shape[:2]  # the codec accepts even sizes only
            writer.append_data(np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))


_WRITERS = {".gif": _write_gif, ".mp4": _write_mp4}


# -- captions ----------------------------------------------------------------------------------------------------------


@cache
def _font() -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path  # for its fonts, which exist on every machine

    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), BAR)


def _legend(legend: Iterable[tuple[str, str]], width: int) -> Image.Image:
    """Swatches and words, in as many rows as the width (pixels) requires."""
    places, row, right = [], 0, BAR // 2
    for what, colour in legend:
        wide = round(_font().getlength(what)) + 3 * BAR
        if right + wide > width and right > BAR:
            row, right = row + 1, BAR // 2
        places.append((what, colour, row, right))
        right += wide
    image = Image.new("RGB", (width, (row + 1) * (BAR + 7) if places else 0), PAPER)
    draw = ImageDraw.Draw(image)
    for what, colour, row, left in places:
        middle = row * (BAR + 7) + BAR // 2 + 2
        draw.rounded_rectangle((left, middle - 5, left + 10, middle + 5), 2, fill=colour)
        draw.text((left + 16, middle), what, fill=INK, font=_font(), anchor="lm")
    return image


def _captioned(picture: np.ndarray, text: str | None, legend: Image.Image) -> np.ndarray:
    """The picture, below it a line of text and the legend; (H, W, 3) uint8, at least as wide as the legend."""
    height, width = picture.shape[:2]
    line = BAR + 12 if text is not None else 6
    sheet = Image.new("RGB", (legend.width, height + line + legend.height), PAPER)
    sheet.paste(Image.fromarray(picture), ((legend.width - width) // 2, 0))
    if text is not None:
        ImageDraw.Draw(sheet).text((BAR // 2, height + line // 2), text, fill=INK, font=_font(), anchor="lm")
    sheet.paste(legend, (0, height + line))
    return np.asarray(sheet)


# -- episodes ----------------------------------------------------------------------------------------------------------


def _thinned(keyed: Iterable[tuple[int, Callable[[], np.ndarray]]], most: int) -> Iterator[np.ndarray]:
    """At most ``most`` frames and the last, evenly spaced in time, from pairs (number, painter) of unknown length.

    Whenever there are too many, every second one is dropped, and from then on the step is doubled. Kept frames are
    compressed, because an episode may be long.
    """
    kept: dict[int, tuple[bytes, tuple[int, ...]]] = {}
    every, number, paint = 1, -1, None
    for number, paint in keyed:
        if number % every == 0:
            kept[number] = _packed(paint())
        if len(kept) > most:
            every *= 2
            kept = {k: frame for k, frame in kept.items() if k % every == 0}
    if paint and number not in kept:
        kept[number] = _packed(paint())
    for data, shape in kept.values():
        yield np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)


def _packed(frame: np.ndarray) -> tuple[bytes, tuple[int, ...]]:
    return zlib.compress(np.ascontiguousarray(frame), 1), frame.shape


def frames(
    env,
    states: Iterable,
    trail: int = 12,
    between: int = 2,
    size: int = 600,
    caption: Callable | None = None,
    most: int = AT_MOST,
) -> Iterator[np.ndarray]:
    """Frames (H, W, 3) uint8 of one episode, with a legend and, below each, ``caption(state)``.

    ``states`` yields the state after reset and after every tick, which may be one object changed in place; lane 0 is
    shown. Each tick has ``between`` frames, for smooth motion, over a trail of their last ``trail`` places. An
    episode with more than ``most`` frames is thinned: first frames between ticks, then every second tick, and so on.
    """
    _, width = env.world.canvas(env.params, size)
    legend = _legend(env.world.legend, max(width, NARROWEST))

    def paint(state, past: np.ndarray, blend: float) -> np.ndarray:
        picture = env.render(state, 0, size, past, blend)
        return _captioned(picture, caption(state) if caption else None, legend)

    def keyed() -> Iterator[tuple[int, Callable[[], np.ndarray]]]:
        unknown = np.full((env.agents, 2), -1, np.int32)
        past = deque([unknown] * trail, maxlen=trail)
        for tick, state in enumerate(states):
            before = np.stack(past, axis=1) if trail else np.zeros((env.agents, 0, 2), np.int32)
            for part in range(1, between + 1) if tick else (between,):
                yield (tick - 1) * between + part, partial(paint, state, before, part / between)
            past.append(state.pos[0].copy())

    yield from _thinned(keyed(), most)
