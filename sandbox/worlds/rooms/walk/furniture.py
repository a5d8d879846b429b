"""Every thing of the catalogue as rounded boxes, cylinders and spheres, made here: no model is downloaded.

A thing stands around its middle on the floor, its front to -y. Lengths are in metres.
"""

from math import cos, sin
from typing import Literal, NamedTuple

import numpy as np

from sandbox.worlds.rooms.catalogue import Entry

Point = tuple[float, float, float]
ROUND = 5  # segments of a rounded edge


class Part(NamedTuple):
    """A part of a thing."""

    shape: Literal["box", "cylinder", "sphere"]  # a cylinder is upright
    at: Point  # its middle
    half: Point  # half its size along x, y, z
    material: str  # see ``walk.flat``
    soft: float = 0.008  # radius of a box's edges


WOODS = {"nordic": "oak", "classic": "walnut", "industrial": "pine"}
FABRICS = {"nordic": "wool", "classic": "velvet", "industrial": "leather"}
LEGS = {"nordic": "oak", "classic": "brass", "industrial": "steel"}


def rounded_box(half: tuple[float, float, float], soft: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, normals (V, 3) float32 and triangles (F, 3) int32 of a box with round edges around (0, 0, 0)."""
    radius = min(soft, 0.999 * min(half))
    inner = np.array(half) - radius
    steps = np.tan(np.linspace(-np.pi / 4, np.pi / 4, ROUND + 1))
    vertices, normals, faces = [], [], []
    for axis in range(3):
        for sign in (1.0, -1.0):
            u, v = np.meshgrid(steps, steps, indexing="ij")
            way = np.zeros((*u.shape, 3))
            way[..., axis], way[..., (axis + 1) % 3], way[..., (axis + 2) % 3] = sign, sign * u, v
            corner = np.sign(way) * inner
            middle = np.abs(way) < 1e-9
            corner[middle] = 0.0
            normal = way / np.linalg.norm(way, axis=-1, keepdims=True)
            first = sum(len(part) for part in vertices)
            vertices.append((corner + radius * normal).reshape(-1, 3))
            normals.append(normal.reshape(-1, 3))
            i, j = np.meshgrid(np.arange(ROUND), np.arange(ROUND), indexing="ij")
            a = (first + i * (ROUND + 1) + j).ravel()
            faces += [np.stack([a, a + ROUND + 1, a + ROUND + 2], 1), np.stack([a, a + ROUND + 2, a + 1], 1)]
    return (
        np.concatenate(vertices).astype(np.float32),
        np.concatenate(normals).astype(np.float32),
        np.concatenate(faces).astype(np.int32),
    )


def parts(entry: Entry) -> list[Part]:
    """The parts of a thing."""
    width, depth, height = (length / 100 for length in entry.size)
    return _MAKE[entry.category](width, depth, height, WOODS[entry.style], FABRICS[entry.style], LEGS[entry.style])


def _box(x0: float, x1: float, y0: float, y1: float, z0: float, z1: float, material: str, soft: float = 0.008) -> Part:
    at = ((x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2)
    return Part("box", at, ((x1 - x0) / 2, (y1 - y0) / 2, (z1 - z0) / 2), material, soft)


def _round(x: float, y: float, z0: float, z1: float, radius: float, material: str) -> Part:
    return Part("cylinder", (x, y, (z0 + z1) / 2), (radius, radius, (z1 - z0) / 2), material)


def _ball(x: float, y: float, z: float, rx: float, ry: float, rz: float, material: str) -> Part:
    return Part("sphere", (x, y, z), (rx, ry, rz), material)


def _feet(w: float, d: float, high: float, material: str, inset: float = 0.05, radius: float = 0.022) -> list[Part]:
    x, y = w / 2 - inset, d / 2 - inset
    return [_round(a, b, 0, high, radius, material) for a in (-x, x) for b in (-y, y)]


def _bed(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    w, d = w - 0.04, d - 0.04
    top, x, y = h, w / 2, d / 2
    pillows = [-0.25 * w, 0.25 * w] if w > 1.2 else [0.0]
    found = [
        _box(-x, x, -y, y, 0.12, top - 0.2, wood, 0.02),
        _box(
            -x, x, y - 0.07, y, 0.1, 1.0 if fabric == "velvet" else 0.85, "velvet" if fabric == "velvet" else wood, 0.03
        ),
        _box(-x + 0.03, x - 0.03, -y + 0.03, y - 0.08, top - 0.2, top, "linen", 0.07),
        _box(-x - 0.01, x + 0.01, -y - 0.01, y - 0.75, top - 0.16, top + 0.05, fabric, 0.06),
        _box(-x - 0.015, x + 0.015, y - 0.95, y - 0.72, top - 0.14, top + 0.065, "linen", 0.05),
    ]
    found += [_ball(at, y - 0.36, top + 0.07, 0.23 * w, 0.2, 0.1, "linen") for at in pillows]
    return found + _feet(w, d, 0.14, legs)


def _sofa(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    w, d = w - 0.04, d - 0.08
    x, y, seat, arm = w / 2, d / 2, 0.42, 0.16
    count = 3 if w > 2.2 else 2
    one = (w - 2 * arm) / count
    found = [
        _box(-x, x, -y, y, 0.14, 0.3, fabric, 0.04), _box(-x, x, y - 0.22, y, 0.14, h, fabric, 0.07),
        _box(-x, -x + arm, -y, y, 0.14, 0.6, fabric, 0.06), _box(x - arm, x, -y, y, 0.14, 0.6, fabric, 0.06),
    ]  # fmt: skip
    for k in range(count):
        left = -x + arm + k * one
        found.append(_box(left + 0.01, left + one - 0.01, -y - 0.01, y - 0.2, 0.29, seat + 0.02, fabric, 0.06))
        found.append(_box(left + 0.02, left + one - 0.02, y - 0.36, y - 0.17, seat, h - 0.02, fabric, 0.08))
    found.append(_box(-0.42 * w, 0.42 * w, -y - 0.46, -y + 0.4, 0, 0.012, "rug", 0.004))
    found.append(_ball(-x + arm + 0.2, y - 0.4, seat + 0.2, 0.21, 0.09, 0.2, "linen"))
    found.append(_ball(x - arm - 0.2, y - 0.4, seat + 0.2, 0.2, 0.09, 0.19, "mustard"))
    return found + _feet(w, d, 0.15, legs, 0.08)


def _armchair(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    w, d = 0.82, 0.84
    x, y, seat = w / 2, d / 2, 0.42
    found = [
        _box(-x + 0.08, x - 0.08, -y, y - 0.1, 0.26, seat, fabric, 0.07),
        _box(-x + 0.04, x - 0.04, y - 0.24, y, 0.26, h, fabric, 0.09),
        _box(-x, -x + 0.13, -y + 0.04, y, 0.24, 0.62, fabric, 0.06),
        _box(x - 0.13, x, -y + 0.04, y, 0.24, 0.62, fabric, 0.06),
        _ball(0.0, y - 0.3, seat + 0.19, 0.2, 0.09, 0.18, "linen"),
    ]
    return found + _feet(w, d, 0.26, legs, 0.09)


def _chair(x: float, y: float, turn: int, wood: str, fabric: str) -> list[Part]:
    """A chair whose back is to +y (``turn`` 1) or -y (-1)."""
    found = [
        _box(x - 0.21, x + 0.21, y - 0.21, y + 0.21, 0.43, 0.47, fabric, 0.02),
        _box(x - 0.2, x + 0.2, y + turn * 0.19 - 0.015, y + turn * 0.19 + 0.015, 0.62, 0.88, wood, 0.012),
    ]
    found += [_round(x + a, y + b, 0, 0.45, 0.014, wood) for a in (-0.18, 0.18) for b in (-0.18, 0.18)]
    return found + [_round(x + a, y + turn * 0.19, 0.45, 0.75, 0.013, wood) for a in (-0.18, 0.18)]


def _table(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    w, d = w - 0.1, d - 0.24
    x, y = w / 2, d / 2
    found = [_box(-x, x, -y, y, h - 0.035, h, wood, 0.012)]
    found += [_round(a, b, 0, h - 0.03, 0.03, legs) for a in (-x + 0.09, x - 0.09) for b in (-y + 0.09, y - 0.09)]
    for a in (-w / 4, w / 4):
        found += _chair(a, -y + 0.1, -1, wood, fabric) + _chair(a, y - 0.1, 1, wood, fabric)
    return [
        *found, _ball(0.0, 0.0, h + 0.05, 0.14, 0.14, 0.05, "china"),
        _ball(0.03, 0.02, h + 0.1, 0.04, 0.04, 0.04, "mustard"), _ball(-0.04, -0.03, h + 0.1, 0.04, 0.04, 0.04, "leaf"),
    ]  # fmt: skip


def _desk(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    w, d = w - 0.06, d - 0.02
    x, y = w / 2, d / 2
    found = [
        _box(-x, x, -y, y, h - 0.035, h, wood, 0.01),
        _box(x - 0.4, x - 0.04, -y + 0.03, y - 0.03, h - 0.22, h - 0.03, wood),
    ]
    found += [_round(a, b, 0, h - 0.03, 0.02, legs) for a in (-x + 0.05, x - 0.05) for b in (-y + 0.05, y - 0.05)]
    found += _chair(0.0, -y - 0.12, -1, wood, fabric)
    return [
        *found, _box(-0.3, 0.3, y - 0.12, y - 0.1, h + 0.12, h + 0.46, "screen"),
        _box(-0.03, 0.03, y - 0.13, y - 0.09, h, h + 0.14, "steel"),
        _box(-0.12, 0.12, y - 0.18, y - 0.05, h, h + 0.01, "steel"),
        _box(-0.22, 0.2, -y + 0.05, -y + 0.17, h, h + 0.015, "china"),
    ]  # fmt: skip


def _wardrobe(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    w = w - 0.02
    x, y, doors = w / 2, d / 2, max(2, round(w / 0.5))
    body = "paint" if wood == "oak" else "steel" if wood == "pine" else wood
    found = [_box(-x, x, -y + 0.03, y, 0.06, h, body), _box(-x + 0.03, x - 0.03, -y + 0.05, y, 0.0, 0.08, "steel")]
    for k in range(doors):
        left = -x + k * w / doors
        knob = left + (w / doors - 0.04 if k % 2 == 0 else 0.04)
        found.append(_box(left + 0.004, left + w / doors - 0.004, -y + 0.01, -y + 0.035, 0.08, h - 0.02, body, 0.006))
        found.append(_box(knob - 0.008, knob + 0.008, -y - 0.015, -y + 0.01, h / 2 - 0.09, h / 2 + 0.09, legs, 0.006))
    return found


def _bookcase(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    w, d = w - 0.04, 0.32
    x, back, levels = w / 2, 0.25, 5
    found = [_box(a - 0.012, a + 0.012, back - d, back, 0, h, wood) for a in (-x, x)]
    found.append(_box(-x, x, back - 0.012, back, 0, h, wood))
    colours = ("velvet", "linen", "mustard", "leaf", "leather", "wool", "china")
    for k in range(levels + 1):
        z = 0.05 + k * (h - 0.07) / levels
        found.append(_box(-x, x, back - d, back, z - 0.012, z + 0.012, wood))
        at, number = -x + 0.03, 3 * k
        while k < levels and at < x - 0.08 and number % 11 != 7:  # books of different sizes; gaps here and there
            thick, tall = 0.028 + 0.009 * (number * 7 % 4), 0.2 + 0.02 * (number * 5 % 4)
            found.append(
                _box(
                    at,
                    at + thick,
                    back - d + 0.06,
                    back - 0.04,
                    z + 0.012,
                    z + 0.012 + tall,
                    colours[number * 3 % 7],
                    0.003,
                )
            )
            at, number = at + thick + 0.004, number + 1
    return found


def _lamp(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    return [
        _round(0, 0, 0, 0.025, 0.14, legs), _round(0, 0, 0, h - 0.25, 0.011, legs),
        _round(0, 0, h - 0.28, h, 0.17, "shade"), _round(0, 0, h - 0.29, h - 0.28, 0.172, legs),
    ]  # fmt: skip


def _television(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    w, d = w - 0.04, d - 0.06
    x, y = w / 2, d / 2
    found = [_box(-x, x, -y, y, 0.14, h, wood, 0.01)]
    found += [_box(a + 0.01, a + w / 2 - 0.01, -y - 0.012, -y, 0.16, h - 0.02, wood, 0.005) for a in (-x, 0.0)]
    found += _feet(w, d, 0.15, legs, 0.08)
    wide = min(0.62, x - 0.05)
    return [
        *found, _box(-wide, wide, 0.03, 0.06, h + 0.07, h + 0.07 + 1.1 * wide, "screen", 0.006),
        _box(-0.2, 0.2, -0.05, 0.13, h, h + 0.015, "steel"), _box(-0.03, 0.03, 0.03, 0.06, h, h + 0.1, "steel"),
    ]  # fmt: skip


def _plant(w: float, d: float, h: float, wood: str, fabric: str, legs: str) -> list[Part]:
    pot = {"oak": "china", "walnut": "terracotta", "pine": "steel"}[wood]
    found = [
        _round(0, 0, 0, 0.32, 0.15, pot),
        _round(0, 0, 0.3, 0.325, 0.135, "soil"),
        _round(0, 0, 0.3, h - 0.2, 0.012, "walnut"),
    ]
    for k in range(16):  # leaves in a spiral, after the golden angle
        angle, share = 2.39996 * k, k / 16
        out, z = 0.14 - 0.06 * share, 0.45 + share * (h - 0.5)
        found.append(_ball(out * cos(angle), out * sin(angle), z, 0.11, 0.11, 0.03, "leaf"))
    return found


_MAKE = {
    "bed": _bed, "sofa": _sofa, "dining table": _table, "desk": _desk, "wardrobe": _wardrobe, "bookcase": _bookcase,
    "armchair": _armchair, "floor lamp": _lamp, "television": _television, "plant": _plant,
}  # fmt: skip
