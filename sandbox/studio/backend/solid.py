"""What a lane holds in three dimensions, as a page of its own that three.js draws (``World.scene``)."""

from dataclasses import dataclass

from sandbox.core.errors import UsageError
from sandbox.model import Sandbox


@dataclass(frozen=True, eq=False)
class Solid:
    """A page in HTML; if it is empty, ``problem`` says why."""

    page: str = ""
    problem: str = ""


class Modeller:
    """Makes the page of a moment; one that is like the last is not made again."""

    def __init__(self) -> None:
        self._seen: tuple[str, Solid] | None = None

    def solid(self, model: Sandbox) -> Solid:
        """The page of the present tick of a world that has scenes."""
        digest = model.env.digest(model.state)
        if self._seen is None or self._seen[0] != digest:
            self._seen = digest, _solid(model)
        return self._seen[1]


def _solid(model: Sandbox) -> Solid:
    try:
        scene = model.env.world.scene(model.state, 0, model.env.params)
    except UsageError as error:
        return Solid(problem=str(error))
    from trimesh.viewer.notebook import scene_to_html

    return Solid(scene_to_html(scene))
