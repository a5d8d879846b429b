"""A photorealistic walk through a plan of the world rooms, by Mitsuba 3 (extra ``walk``), frame by frame.

Light is traced along its paths (Kajiya 1986); the noise of few samples is removed by Open Image Denoise, if it is
installed. An identity pass tells which item each pixel shows. What a plan is worth is measured elsewhere
(``worlds.rooms.telling.quality``): no picture changes it.
"""

import tempfile
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.tour import Size
from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.state import Cell, Item, Params, Room, State
from sandbox.worlds.rooms.telling import worth
from sandbox.worlds.rooms.walk.furniture import Part, parts
from sandbox.worlds.rooms.walk.path import METRE, Pose, footprint, plan_walk

Colour = tuple[float, float, float]
PLANKS = "planks"
VARIANT = "scalar_rgb"  # needs no LLVM
HIGH, SILL, LINTEL, DOOR_HIGH, SKIRTING, PROUD = 2.6, 0.75, 2.25, 2.1, 0.06, 0.012  # metres
VIEW = 74.0  # degrees, along the longer side
BOUNCES = 7
GUIDED = 4  # samples of a pixel that tell the denoiser what colour it has
EXPOSURE = 0.8
ROUND = 5  # segments of a rounded edge
COLOURS: dict[str, tuple[Colour, float]] = {  # linear RGB, gloss 0..1
    "oak": ((0.52, 0.36, 0.2), 0.4), "walnut": ((0.16, 0.075, 0.035), 0.5), "pine": ((0.4, 0.25, 0.12), 0.3),
    "wool": ((0.33, 0.34, 0.36), 0), "velvet": ((0.05, 0.16, 0.17), 0), "leather": ((0.25, 0.1, 0.04), 0.35),
    "linen": ((0.74, 0.7, 0.63), 0), "mustard": ((0.62, 0.36, 0.06), 0), "china": ((0.78, 0.77, 0.74), 0.6),
    "terracotta": ((0.45, 0.17, 0.09), 0), "leaf": ((0.06, 0.2, 0.05), 0.3), "soil": ((0.05, 0.035, 0.025), 0),
    "steel": ((0.045, 0.047, 0.05), 0.5), "brass": ((0.6, 0.4, 0.14), 0.6), "paint": ((0.74, 0.74, 0.72), 0.3),
    "screen": ((0.012, 0.013, 0.016), 0.8), "wall": ((0.8, 0.78, 0.74), 0), "ceiling": ((0.86, 0.86, 0.85), 0),
    "skirting": ((0.84, 0.84, 0.83), 0.2), "tiles": ((0.62, 0.64, 0.64), 0.4), "frame": ((0.85, 0.85, 0.84), 0.3),
    "door": ((0.72, 0.7, 0.66), 0.3), "kitchen": ((0.55, 0.6, 0.57), 0.4), "worktop": ((0.14, 0.13, 0.12), 0.5),
    "pillar": ((0.55, 0.54, 0.52), 0), "rug": ((0.5, 0.43, 0.36), 0),
}  # fmt: skip
SKY, WARM, CEILING_LAMP, BRIGHT_LAMP = (7.0, 8.2, 9.8), (15.0, 10.5, 6.2), (9.0, 7.6, 5.6), (26, 23, 19)


def tools() -> Any:
    """Mitsuba; raises UsageError if it is not installed."""
    if find_spec("mitsuba") is None:
        raise UsageError("mitsuba is missing for a walkthrough: pip install 'sandbox[walk]'")
    import mitsuba

    mitsuba.set_variant(VARIANT)
    return mitsuba


def can_denoise() -> bool:
    """Whether Open Image Denoise is installed."""
    return find_spec("pyoidn") is not None


# -- shapes


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


def _write_ply(path: Path, half: tuple[float, float, float], soft: float) -> None:
    vertices, normals, faces = rounded_box(half, soft)
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}",
            *(f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")),
            f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header", ""]  # fmt: skip
    rows = np.empty(len(faces), np.dtype([("n", "u1"), ("v", "<i4", 3)]))
    rows["n"], rows["v"] = 3, faces
    path.write_bytes("\n".join(head).encode() + np.hstack([vertices, normals]).astype("<f4").tobytes() + rows.tobytes())


class _Set:
    """A scene as Mitsuba reads it: shapes by name, of which those of item k begin with ``item-k-``.

    ``show``: "light", as it is lit; "colour" or "item", where every shape shines in its colour, or with the number of
    its item + 1, so that one ray tells them. (Mitsuba's own pass for this, ``aov``, takes twenty times as long.)
    """

    def __init__(self, mi: Any, folder: Path, show: str):
        self.mi, self.folder, self.show, self.entries = mi, folder, show, {"type": "scene"}
        for name, (colour, gloss) in COLOURS.items() if show == "light" else ():
            rgb = {"type": "rgb", "value": list(colour)}
            inner = {"type": "diffuse", "reflectance": rgb}
            if gloss:
                inner = {
                    "type": "principled",
                    "base_color": rgb,
                    "roughness": 0.75 - 0.55 * gloss,
                    "specular": 0.5 * gloss,
                }
            self.entries[f"of-{name}"] = {"type": "twosided", "id": f"of-{name}", "inner": inner}

    def add(self, name: str, shape: dict, material: str, light: Colour | None = None) -> None:
        """A shape; one with ``light`` shines."""
        if self.show == "light":
            shape["bsdf"] = {"type": "ref", "id": f"of-{material}"}
            radiance = {"type": "rgb", "value": list(light)} if light else None
        elif self.show == "colour":
            plain = [1.0, 1.0, 1.0] if light else list(COLOURS.get(material, ((0.0, 0.0, 0.0), 0))[0])
            radiance = self.planks() if material == PLANKS else {"type": "rgb", "value": plain}
        else:
            number = float(name.split("-")[1]) + 1 if name.startswith("item-") else 0.0
            radiance = {"type": "rgb", "value": [number] * 3}
        if radiance:
            shape["emitter"] = {"type": "area", "radiance": radiance}
        self.entries[name] = {**shape, "id": name}

    def planks(self) -> dict:
        """The texture of the floor."""
        wide, high = self.extent
        return {"type": "bitmap", "bitmap": self.mi.Bitmap(_planks()), "raw": True,
                "to_uv": self.mi.ScalarTransform4f().scale([wide / 3.2, high / 3.2, 1])}  # fmt: skip

    def box(self, name: str, low: tuple, high: tuple, material: str, soft: float = 0.004) -> None:
        """An upright box between two corners."""
        half = tuple((b - a) / 2 for a, b in zip(low, high, strict=True))
        at = tuple((b + a) / 2 for a, b in zip(low, high, strict=True))
        self.part(name, Part("box", at, half, material, soft), (0.0, 0.0), 0.0)

    def block(self, name: str, low: Any, high: Any, material: str) -> None:
        """A box with sharp edges between two corners: next to another one, no joint is seen."""
        half, at = np.subtract(high, low) / 2, np.add(high, low) / 2
        place = self.mi.ScalarTransform4f().translate(at.tolist()).scale(half.tolist())
        self.add(name, {"type": "cube", "to_world": place}, material)

    def part(self, name: str, part: Part, at: tuple[float, float], turned: float) -> None:
        """A part of a thing that stands at a place, turned by so many degrees."""
        place = self.mi.ScalarTransform4f().translate([*at, 0]).rotate([0, 0, 1], turned).translate(list(part.at))
        light = WARM if part.material == "shade" else None
        material = "linen" if part.material == "shade" else part.material
        if part.shape != "cylinder":  # a ball is a cube that is all edge; only meshes can be stretched
            half, soft = (part.half, part.soft) if part.shape == "box" else ((1.0, 1.0, 1.0), 1.1)
            file = self.folder / f"{sha256(repr((half, soft)).encode()).hexdigest()[:16]}.ply"
            if not file.exists():
                _write_ply(file, half, soft)
            place = place if part.shape == "box" else place.scale(list(part.half))
            self.add(name, {"type": "ply", "filename": str(file), "to_world": place}, material, light)
        else:
            radius, _, half = part.half
            side = {"type": "cylinder", "p0": [0, 0, -half], "p1": [0, 0, half], "radius": radius, "to_world": place}
            self.add(name, side, material, light)
            lid = place.translate([0, 0, half]).scale([radius, radius, 1])
            self.add(f"{name}-lid", {"type": "disk", "to_world": lid}, material)


# -- the flat


@cache
def _planks() -> np.ndarray:
    """A floor of oak planks (512, 512, 3) float32, linear RGB: 3.2 x 3.2 metres that repeat."""
    rng, image = np.random.default_rng(7), np.zeros((512, 512, 3), np.float32)
    y, x = np.mgrid[0:512, 0:512]
    for row in range(16):
        shift = int(rng.integers(512))
        for part in range(2):
            tone = 0.85 + 0.3 * rng.random()
            grain = 0.045 * np.sin(0.9 * y + 2.5 * np.sin(0.012 * x + 6 * rng.random()) + 30 * rng.random())
            inside = (y // 32 == row) & ((x + shift) % 512 // 256 == part)
            image[inside] = (np.array([0.44, 0.29, 0.165]) * (tone * (1 + grain))[..., None])[inside]
        image[row * 32, :] *= 0.7
        for part in range(2):
            image[row * 32 : row * 32 + 32, (part * 256 - shift) % 512] *= 0.75
    return image


def _runs(mask: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """(row, first column, one after the last) of the stretches of a mask."""
    for row in range(mask.shape[0]):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask[row].astype(int), [0]])))
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield row, begin, end


def _box_of(row: int, begin: int, end: int, low: float, high: float) -> tuple[tuple, tuple]:
    return (begin * METRE, -(row + 1) * METRE, low), (end * METRE, -row * METRE, high)


def _flat(made: _Set, grid: np.ndarray, room: np.ndarray, light: np.ndarray) -> None:
    """Floor, ceiling, walls with their openings, fixtures, pillars, lamps at the ceilings."""
    height, width = grid.shape
    mi = made.mi
    wide, high = made.extent = width * METRE, height * METRE
    if made.show == "light":
        made.entries[f"of-{PLANKS}"] = {
            "type": "principled",
            "id": f"of-{PLANKS}",
            "base_color": made.planks(),
            "roughness": 0.42,
            "specular": 0.35,
        }
    lie = mi.ScalarTransform4f().translate([wide / 2, -high / 2, 0]).scale([wide / 2, high / 2, 1])
    made.add("floor", {"type": "rectangle", "to_world": lie}, PLANKS)
    hang = mi.ScalarTransform4f().translate([wide / 2, -high / 2, HIGH]).rotate([1, 0, 0], 180)
    made.add("ceiling", {"type": "rectangle", "to_world": hang.scale([wide / 2, high / 2, 1])}, "ceiling")
    solid, door = np.isin(grid, (Cell.WALL, Cell.SOCKET)), np.isin(grid, (Cell.DOOR, Cell.ENTRANCE))
    for row, begin, end in _runs(solid):
        low, high = _box_of(row, begin, end, 0, HIGH)
        made.block(f"wall-{row}-{begin}", low, high, "wall")
        made.block(f"skirting-{row}-{begin}", np.subtract(low, PROUD), np.add((*high[:2], SKIRTING), PROUD), "skirting")
    for row, begin, end in _runs(grid == Cell.WINDOW):
        made.block(f"sill-{row}-{begin}", *_box_of(row, begin, end, 0, SILL), "wall")
        made.block(f"lintel-{row}-{begin}", *_box_of(row, begin, end, LINTEL, HIGH), "wall")
    for row, begin, end in _runs(door):
        made.block(f"above-{row}-{begin}", *_box_of(row, begin, end, DOOR_HIGH, HIGH), "wall")
    for row, col in np.argwhere(grid == Cell.WINDOW).tolist():
        _window(made, grid, row, col)
    for row, begin, end in _runs(grid == Cell.ENTRANCE):
        made.block(f"entrance-{row}-{begin}", *_box_of(row, begin, end, 0, DOOR_HIGH), "door")
    for row, begin, end in _runs(grid == Cell.FIXTURE):
        made.box(f"unit-{row}-{begin}", *_box_of(row, begin, end, 0, 0.86), "kitchen")
        made.box(f"top-{row}-{begin}", *_box_of(row, begin, end, 0.86, 0.9), "worktop")
    for row, begin, end in _runs(grid == Cell.PILLAR):
        made.block(f"pillar-{row}-{begin}", *_box_of(row, begin, end, 0, HIGH), "pillar")
    for row, begin, end in _runs((room == Room.BATHROOM) & (grid == Cell.FLOOR)):
        made.block(f"tiles-{row}-{begin}", *_box_of(row, begin, end, 0, 0.006), "tiles")
    for kind in np.unique(room[room > 0]).tolist():
        row, col = (np.argwhere(room == kind).mean(axis=0) + 0.5).tolist()
        lamp = (
            mi.ScalarTransform4f()
            .translate([col * METRE, -row * METRE, HIGH - 0.02])
            .rotate([1, 0, 0], 180)
            .scale([0.3, 0.3, 1])
        )
        dark = not light[room == kind].any()
        made.add(f"lamp-{kind}", {"type": "disk", "to_world": lamp}, "linen", BRIGHT_LAMP if dark else CEILING_LAMP)


def _window(made: _Set, grid: np.ndarray, row: int, col: int) -> None:
    """The sky behind a cell of a window, which lights the room, and a bar of its frame."""
    for down, right in ((1, 0), (0, -1), (-1, 0), (0, 1)):
        r, c = row + down, col + right
        if not (0 <= r < grid.shape[0] and 0 <= c < grid.shape[1] and grid[r, c] == Cell.FLOOR):
            continue
        x, y, z = (col + 0.5) * METRE, -(row + 0.5) * METRE, (SILL + LINTEL) / 2
        way = np.array([right, -down, 0.0])
        origin = np.array([x, y, z]) - 0.24 * way
        look = made.mi.ScalarTransform4f().look_at(origin.tolist(), (origin + way).tolist(), [0, 0, 1])
        made.add(
            f"sky-{row}-{col}",
            {"type": "rectangle", "to_world": look.scale([METRE / 2, (LINTEL - SILL) / 2, 1])},
            "linen",
            SKY,
        )
        side = np.array([abs(way[1]), abs(way[0]), 0.0])
        at = np.array([x, y, z]) - 0.1 * way
        for k, (share, wide, high) in enumerate(((-0.5, 0.02, LINTEL - SILL), (0.0, METRE, 0.05))):
            tall = 0.5 * high if k == 0 else 0.025
            middle = at + share * METRE * side + (np.array([0, 0, SILL + 0.025 - z]) if k else 0.0)
            half = 0.5 * wide * side + 0.02 * np.abs(way) + np.array([0, 0, tall])
            made.box(f"bar-{row}-{col}-{k}", tuple(middle - half), tuple(middle + half), "frame")


def _items(made: _Set, s: State, lane: int, params: Params) -> None:
    """The items of the plan; one that needs a wall stands with its back to it."""
    for k in np.flatnonzero(s.item[lane, :, Item.THING]).tolist():
        item = s.item[lane, k]
        entry, turn = catalogue().entries[int(item[Item.THING]) - 1], int(item[Item.TURN])
        row, col, rows, cols = footprint(params, item)
        at = ((col + cols / 2) * METRE, -(row + rows / 2) * METRE)
        for number, part in enumerate(parts(entry)):
            made.part(f"item-{k}-{number}", part, at, -90.0 * turn)


# -- pictures


class Stage:
    """A furnished flat before a camera. ``close`` removes its files."""

    def __init__(self, s: State, lane: int, params: Params):
        self.mi = tools()
        planned = np.flatnonzero(s.item[lane, :, Item.THING]).tolist()
        self.things = {k: catalogue().entries[int(s.item[lane, k, Item.THING]) - 1].name for k in planned}
        self._walk = plan_walk(s, lane, params)
        self.looks, self.worth, self.views = self._walk.looks, worth(s, lane, params), self._walk.frames
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-walk-")
        self._scenes = {show: self._scene(show, s, lane, params) for show in ("light", "colour", "item")}

    def _scene(self, show: str, s: State, lane: int, params: Params) -> Any:
        made = _Set(self.mi, Path(self._folder.name), show)
        _flat(made, s.grid[lane], params.room, params.light)
        _items(made, s, lane, params)
        # else the order of the lights, and so the noise, would be of this process only
        return self.mi.load_dict(made.entries, parallel=False, optimize=False)

    def close(self) -> None:
        """Remove the files of the shapes."""
        self._folder.cleanup()

    def picture(self, view: Pose, size: Size, samples: int, seed: int = 0) -> np.ndarray:
        """(H, W, 3) uint8: what the eyes see."""
        colour = self._render("light", BOUNCES, view, size, samples, seed)
        if can_denoise():
            import pyoidn

            plain = np.ascontiguousarray(self._render("colour", 1, view, size, GUIDED, seed).clip(0, 1))
            colour = pyoidn.denoise(np.ascontiguousarray(colour), albedo=plain, hdr=True)
        return _developed(colour)

    def identities(self, view: Pose, size: Size) -> np.ndarray:
        """The identity pass, (H, W) int: the number of the item that each pixel shows; -1: none."""
        return np.rint(self._render("item", 1, view, size, 1, 0)[..., 0]).astype(int) - 1

    def _render(self, show: str, depth: int, pose: Pose, size: Size, samples: int, seed: int) -> np.ndarray:
        mi = self.mi
        look = mi.ScalarTransform4f().look_at(list(pose.eye), list(pose.target), [0, 0, 1])
        film = {  # the denoiser wants samples that count for one pixel only: a box filter
            "type": "hdrfilm", "width": size[0], "height": size[1], "rfilter": {"type": "box"}, "pixel_format": "rgb",
            "component_format": "float32",
        }  # fmt: skip
        camera = mi.load_dict({
            "type": "perspective", "fov": VIEW, "fov_axis": "larger", "near_clip": 0.05, "to_world": look, "film": film,
            "sampler": {"type": "independent", "sample_count": samples},
        })  # fmt: skip
        path = mi.load_dict({"type": "path", "max_depth": depth})
        image = mi.render(self._scenes[show], sensor=camera, integrator=path, spp=samples, seed=seed)
        return np.asarray(image, np.float32)


def _developed(colour: np.ndarray) -> np.ndarray:
    """Radiance as (H, W, 3) uint8: a filmic curve (Narkowicz 2016), then sRGB."""
    x = np.maximum(EXPOSURE * colour, 0.0)
    x = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0)
    x = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return np.rint(255 * x).astype(np.uint8)
