"""An agent's present observation in three renderings: arrays, text, a picture."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from sandbox.agents.memory.tokens import clip
from sandbox.agents.surroundings import surroundings
from sandbox.core.decision import Percept
from sandbox.core.speech import task_code
from sandbox.core.world import Observation
from sandbox.model import Sandbox
from sandbox.studio.backend import wording

SIDE = 336  # pixels of the picture of a window, approximately
WORDS = 20_000  # bytes
LEGAL = 200  # actions that are listed


@dataclass(frozen=True)
class Senses:
    """One observation in three renderings."""

    channels: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...]  # name, and K rows of K values
    high: int  # the largest value that a channel can have
    vector: tuple[tuple[str, float], ...]
    legal: tuple[str, ...]  # actions that have an effect
    inbox: tuple[str, ...]  # reports of other agents' sensors, and messages
    task: str  # the task that its team wants done
    words: str
    picture: bytes  # PNG; empty if the agent is nowhere


def percept_of(model: Sandbox, seen: Observation, agent: int) -> Percept:
    """One agent's part of the observations, such as those of ``Episode.preview``."""
    heard = model.talk.heard(agent) if model.talk else ()
    return Percept.of(seen, agent, model.ticks, heard)


def senses(model: Sandbox, seen: Observation, percept: Percept) -> Senses:
    """The renderings of a percept."""
    env, spec = model.env, model.env.spec
    rows = (tuple(map(tuple, channel.tolist())) for channel in percept.window)
    return Senses(
        channels=tuple(zip(spec.channels, rows, strict=True)),
        high=spec.high,
        vector=tuple(zip(spec.vector, map(float, percept.vector), strict=True)),
        legal=_legal(model, percept.mask),
        inbox=_inbox(model, percept),
        task=_task(model, percept),
        words=clip(env.world.render_text(seen, 0, percept.agent, env.params), WORDS),
        picture=picture(model, percept.agent),
    )


def _legal(model: Sandbox, mask: np.ndarray) -> tuple[str, ...]:
    pairs, world = np.flatnonzero(mask).tolist(), model.env.world
    told = [wording.action(world, *divmod(pair, world.targets)) for pair in pairs[:LEGAL]]
    return (*told, f"and {len(pairs) - LEGAL} more") if len(pairs) > LEGAL else tuple(told)


def _inbox(model: Sandbox, percept: Percept) -> tuple[str, ...]:
    told = [f"from {wording.name_of(model, sender - 1)}: report {kind} at ({row}, {col})"
            for sender, kind, row, col in percept.inbox.tolist() if sender]  # fmt: skip
    heard = [f"from {wording.name_of(model, one.sender)} {wording.message(model, one.said)}" for one in percept.heard]
    return (*told, *heard)


def _task(model: Sandbox, percept: Percept) -> str:
    kind, argument, *_ = percept.task.tolist()
    return wording.task(model, task_code(kind - 1, argument)) if kind and model.talk else ""


# -- the picture -------------------------------------------------------------------------------------------------------


def picture(model: Sandbox, agent: int) -> bytes:
    """The part of the painted world that the agent's window covers; PNG, transparent outside the map."""
    image = surroundings(model.env, model.state, agent, SIDE // model.env.spec.side)
    if not image.size:
        return b""
    into = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(into, "PNG")
    return into.getvalue()
