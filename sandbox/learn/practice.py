"""The environments in which the models of worlds are trained."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sandbox.core.errors import unknown
from sandbox.engine.learned import tokens_of
from sandbox.engine.registry import opened
from sandbox.worlds.kitchen.layouts import CLASSIC


class Practice(NamedTuple):
    """The environments in which the model of a world is trained, and those of its test, with another policy."""

    layouts: tuple[str, ...]
    variants: tuple[dict[str, Any], ...]  # other options; each layout is played with each
    tests: tuple[dict[str, Any], ...]  # options
    policy: str  # of the test's episodes

    def options(self, layouts: Sequence[str] = ()) -> list[dict[str, Any]]:
        return [{"layout": layout, **variant} for layout in layouts or self.layouts for variant in self.variants]


def _kitchen(dose: float) -> dict[str, Any]:
    return {"scattered": True, "soups": 0, "perturb": {"sticky_floor": dose}}


WORLDS = {
    "kitchen": Practice(
        layouts=tuple(CLASSIC),
        variants=tuple(map(_kitchen, (0.0, 0.0, 0.3, 0.5, 1.0))),
        tests=tuple({"layout": "cramped_room", **_kitchen(dose)} for dose in (0.0, 0.5)),
        policy="oracle",
    ),
    "warehouse": Practice(
        layouts=("tiny", "small"),
        variants=tuple({"agents": agents, "deliveries": 0} for agents in (4, 6, 8)),
        tests=({"layout": "tiny", "agents": 6, "deliveries": 0},),
        policy="oracle",
    ),
}


def practice(world: str) -> Practice:
    """The practice of a world; raises UsageError for one that cannot be learned."""
    if world not in WORLDS:
        tokens_of(opened(world))
        raise unknown("world", world, WORLDS, "learn world-model")
    return WORLDS[world]
