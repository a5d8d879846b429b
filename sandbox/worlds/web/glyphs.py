"""The type that pages are painted in: Pillow's own font, rasterised once in several sizes."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZES = (7, 9, 11, 13, 16, 20, 25)  # pixels of an em
HIGH, WIDE = 34, 30  # pixels of a glyph's box; its first column's foot holds how far the pen moves on
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
