"""A photorealistic walk through a plan of the world rooms, by Mitsuba 3 (extra ``walk``), frame by frame.

Light is traced along its paths (Kajiya 1986); the noise of few samples is removed by Open Image Denoise, if it is
installed. An identity pass tells which item each pixel shows. What a plan is worth is measured elsewhere
(``worlds.rooms.telling.quality``): no picture changes it.
"""

import tempfile
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.tour import Size
from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.state import Item, Params, State
from sandbox.worlds.rooms.telling import worth
from sandbox.worlds.rooms.walk.flat import COLOURS, HIGH, LINTEL, SILL, Colour, items, panes, size, walls
from sandbox.worlds.rooms.walk.furniture import Part, rounded_box
from sandbox.worlds.rooms.walk.path import METRE, Pose, plan_walk

PLANKS = "planks"
VARIANT = "scalar_rgb"  # needs no LLVM
VIEW = 74.0  # degrees, along the longer side
BOUNCES = 7
GUIDED = 4  # samples of a pixel that tell the denoiser what colour it has
EXPOSURE = 0.8
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


def _flat(made: _Set, grid: np.ndarray, room: np.ndarray, light: np.ndarray) -> None:
    """Floor, ceiling, walls with their openings and the sky behind them, fixtures, pillars, lamps at the ceilings."""
    mi = made.mi
    wide, deep = made.extent = size(grid)
    if made.show == "light":
        made.entries[f"of-{PLANKS}"] = {
            "type": "principled",
            "id": f"of-{PLANKS}",
            "base_color": made.planks(),
            "roughness": 0.42,
            "specular": 0.35,
        }
    lie = mi.ScalarTransform4f().translate([wide / 2, -deep / 2, 0]).scale([wide / 2, deep / 2, 1])
    made.add("floor", {"type": "rectangle", "to_world": lie}, PLANKS)
    hang = mi.ScalarTransform4f().translate([wide / 2, -deep / 2, HIGH]).rotate([1, 0, 0], 180)
    made.add("ceiling", {"type": "rectangle", "to_world": hang.scale([wide / 2, deep / 2, 1])}, "ceiling")
    walls(made, grid, room)
    for row, col, middle, way in panes(grid):
        origin = middle - 0.24 * way
        look = mi.ScalarTransform4f().look_at(origin.tolist(), (origin + way).tolist(), [0, 0, 1])
        sky = {"type": "rectangle", "to_world": look.scale([METRE / 2, (LINTEL - SILL) / 2, 1])}
        made.add(f"sky-{row}-{col}", sky, "linen", SKY)
    for kind in np.unique(room[room > 0]).tolist():
        row, col = (np.argwhere(room == kind).mean(axis=0) + 0.5).tolist()
        place = mi.ScalarTransform4f().translate([col * METRE, -row * METRE, HIGH - 0.02]).rotate([1, 0, 0], 180)
        dark = not light[room == kind].any()
        lamp = {"type": "disk", "to_world": place.scale([0.3, 0.3, 1])}
        made.add(f"lamp-{kind}", lamp, "linen", BRIGHT_LAMP if dark else CEILING_LAMP)


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
        items(made, s, lane, params)
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
