"""The furnished flat as a scene in three dimensions (``World.scene``), for viewers that draw glTF (extra ``walk``)."""

from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.ndimage import binary_erosion

from sandbox.core.errors import UsageError
from sandbox.worlds.rooms.state import Cell, Params, State
from sandbox.worlds.rooms.walk.flat import COLOURS, Corner, box_of, items, runs, size, walls
from sandbox.worlds.rooms.walk.furniture import Part, rounded_box

CUT = 1.3  # metres: walls end here, so that one looks into the rooms from above
FLOOR = "oak"
SIDES = 24  # of a cylinder
TILT = np.radians(32)  # of the first view, from straight down
AWAY, FIELD = 1.75, 42  # its distance, in lengths of the longer side, and its field of view in degrees
SHINE = 0.45  # share of its colour that a thing shows where no light falls: viewers have few lamps
OUTSIDE = -1


def scene(s: State, lane: int, params: Params) -> Any:
    """A ``trimesh.Scene``: a mesh for each material of each thing; raises UsageError without trimesh."""
    if find_spec("trimesh") is None:
        raise UsageError("trimesh is missing for a view in three dimensions: pip install 'sandbox[walk]'")
    import trimesh

    made, grid = _Solids(trimesh), s.grid[lane].astype(int)
    solid = np.isin(grid, (Cell.WALL, Cell.SOCKET))
    grid[binary_erosion(solid, np.ones((3, 3)), border_value=1)] = OUTSIDE  # walls around nothing
    for row, begin, end in runs(grid != OUTSIDE):
        made.block("floor", *box_of(row, begin, end, -0.05, 0.0), FLOOR)
    walls(made, grid, params.room)
    items(made, s, lane, params)
    return made.scene(*size(grid))


class _Solids:
    """Collects meshes by what they belong to and their material: fewer are drawn faster."""

    def __init__(self, trimesh: Any):
        self._trimesh = trimesh
        self._meshes: dict[tuple[str, str], list[Any]] = {}

    def block(self, name: str, low: Corner, high: Corner, material: str) -> None:
        """See ``Builder``; what is above the cut is left out."""
        if low[2] < CUT:
            bounds = np.array([low, (*high[:2], min(high[2], CUT))])
            self._add(name, self._trimesh.creation.box(bounds=bounds), material)

    def box(self, name: str, low: Corner, high: Corner, material: str) -> None:
        self.block(name, low, high, material)

    def part(self, name: str, part: Part, at: tuple[float, float], turned: float) -> None:
        creation, moved = self._trimesh.creation, self._trimesh.transformations
        if part.shape == "cylinder":
            mesh = creation.cylinder(part.half[0], 2 * part.half[2], sections=SIDES)
        else:
            half, soft = (part.half, part.soft) if part.shape == "box" else ((1.0, 1.0, 1.0), 1.1)
            vertices, normals, faces = rounded_box(half, soft)
            mesh = self._trimesh.Trimesh(vertices, faces, vertex_normals=normals, process=False)
            if part.shape == "sphere":
                mesh.apply_scale(part.half)
        mesh.apply_translation(part.at)
        mesh.apply_transform(moved.rotation_matrix(np.radians(turned), [0, 0, 1]))
        mesh.apply_translation([*at, 0.0])
        self._add(name.rpartition("-")[0], mesh, "linen" if part.material == "shade" else part.material)

    def _add(self, name: str, mesh: Any, material: str) -> None:
        self._meshes.setdefault((name if name.startswith("item-") else "flat", material), []).append(mesh)

    def scene(self, wide: float, deep: float) -> Any:
        """All of it, seen from the south and above."""
        pbr, textured = self._trimesh.visual.material.PBRMaterial, self._trimesh.visual.TextureVisuals
        whole = self._trimesh.Scene()
        for (name, material), meshes in self._meshes.items():
            mesh = self._trimesh.util.concatenate(meshes)
            colour, gloss = COLOURS[material]
            lit, dark = (1 - SHINE) * np.array(colour), SHINE * np.array(colour)
            look = pbr(baseColorFactor=[*lit, 1.0], emissiveFactor=dark.tolist(), metallicFactor=0.0,
                       roughnessFactor=0.9 - 0.6 * gloss)  # fmt: skip
            mesh.visual = textured(material=look)
            whole.add_geometry(mesh, geom_name=f"{name}-{material}")
        away, middle = AWAY * max(wide, deep), np.array([wide / 2, -deep / 2, 0.0])
        place = self._trimesh.transformations.rotation_matrix(TILT, [1, 0, 0])
        place[:3, 3] = middle + away * np.array([0.0, -np.sin(TILT), np.cos(TILT)])
        whole.camera.fov, whole.camera_transform = (FIELD, FIELD), place
        return whole
