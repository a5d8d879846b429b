"""Text in pictures: Pillow's own font, rasterised once in several sizes."""

from collections.abc import Iterable
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sandbox.engine.kernel import allocating, kernel
from sandbox.engine.shapes import blend, draw_bar

SIZES = (7, 9, 11, 13, 16, 20, 25)  # pixels of an em
HIGH, WIDE = 34, 30  # pixels of a glyph's box; its lower left pixel holds the advance
FIRST, COUNT = 32, 96  # ASCII


@cache
def atlas() -> np.ndarray:
    """Coverage of each glyph (sizes, 96, 34, 30) uint8; [size, glyph, 33, 0] is its width in pixels."""
    sheet = np.zeros((len(SIZES), COUNT, HIGH, WIDE), np.uint8)
    for k, size in enumerate(SIZES):
        font = ImageFont.load_default(size)
        for code in range(FIRST, FIRST + COUNT - 1):
            image = Image.new("L", (WIDE, HIGH))
            ImageDraw.Draw(image).text((1, 0), chr(code), 255, font)
            sheet[k, code - FIRST] = np.asarray(image)
            sheet[k, code - FIRST, -1] = 0
            sheet[k, code - FIRST, -1, 0] = round(font.getlength(chr(code)))
    return sheet


def as_bytes(texts: Iterable[str], width: int) -> np.ndarray:
    """Texts as rows (n, width) uint8, ASCII, padded with 0."""
    rows = [text.encode("ascii", "replace")[:width].ljust(width, b"\0") for text in texts]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, width).copy()


# -- letters: draw text, given as rows of bytes

EM = np.array(SIZES, np.float64)
LEAST = 5.0  # pixels of an em below which text is a grey bar
SPACE, OPEN, CLOSE, ZERO = np.int64(32), np.int64(123), np.int64(125), np.int64(48)


@kernel
def type_size(em):
    """Index of the largest of ``SIZES`` up to ``em`` pixels; -1: text would be illegible."""
    size = np.int64(-1 if em < LEAST else 0)
    for k in range(len(EM)):
        if em >= EM[k]:
            size = np.int64(k)
    return size


@kernel
def _glyph(code):
    return min(max(np.int64(code) - FIRST, 0), COUNT - 1)


@kernel
def text_width(glyph, size, text, em):
    """Width of a text in pixels; without a type size, of its bar."""
    width = 0.0
    for code in text:
        if code == 0:
            break
        width += glyph[size, _glyph(code), HIGH - 1, 0] if size >= 0 else 0.5 * em
    return width


@kernel
def draw_letter(image, glyph, size, code, y, x, limit, colour):
    """Draw a letter with its box at (y, x), up to the column ``limit``; returns its advance in pixels."""
    k = _glyph(code)
    for dy in range(max(0, -y), min(HIGH - 1, image.shape[0] - y)):
        for dx in range(max(0, -x), min(WIDE, limit - x)):
            if glyph[size, k, dy, dx]:
                blend(image, y + dy, x + dx, colour, glyph[size, k, dy, dx] / 255.0)
    return np.int64(glyph[size, k, HIGH - 1, 0])


@kernel
def draw_text(image, glyph, size, text, middle, x, limit, em, colour):
    """Draw a text with its line centred at row ``middle``; a bar if letters would be too small."""
    limit = min(np.int64(limit), np.int64(image.shape[1]))
    if size < 0:
        end = min(float(limit), x + text_width(glyph, size, text, em))
        draw_bar(image, middle - 0.2 * em, x, middle + 0.2 * em, end, colour, 0.5)
        return
    pen, top = np.int64(x), np.int64(middle - 0.62 * EM[size])
    for code in text:
        if code == 0 or pen >= limit:
            break
        pen += draw_letter(image, glyph, size, code, top, pen, limit, colour)


@allocating
def draw_instruction(image, glyph, size, prose, value, text, top, left, right, line, lines, colour):
    """Draw an instruction with its values in up to ``lines`` lines; ``text`` (n, 28) uint8 by label code."""
    full, count, k = np.zeros(600, np.uint8), 0, 0
    while k < len(prose) and prose[k]:
        if prose[k] == OPEN:
            number, k = 0, k + 1
            while prose[k] != CLOSE:
                number, k = 10 * number + prose[k] - ZERO, k + 1
            for code in text[4 * np.int64(value[number])]:
                if code and count < len(full) - 1:
                    full[count] = code
                    count += 1
        elif count < len(full) - 1:
            full[count] = prose[k]
            count += 1
        k += 1
    start = 0
    for row in range(lines):
        end, last, width = start, start, 0.0
        while end < count and width <= right - left:
            width += glyph[size, _glyph(full[end]), HIGH - 1, 0] if size >= 0 else 0.25 * line
            end += 1
            if end >= count or full[end] == SPACE:
                last = end if width <= right - left else last
        piece = np.zeros(last - start + 1, np.uint8)
        piece[:-1] = full[start:last]
        draw_text(image, glyph, size, piece, top + (row + 0.5) * line, left, right, 0.5 * line, colour)
        start = last + 1
