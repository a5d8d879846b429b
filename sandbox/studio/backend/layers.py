"""Layers that are drawn over the world, from an unchanged model after a tick."""

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np

from sandbox.core.speech import Act
from sandbox.core.teamwork import OpenTask, TaskState
from sandbox.engine.coordination.network import ACT, TO, lost
from sandbox.engine.coordination.team import Assignment
from sandbox.engine.shapes import AGENTS, DARK
from sandbox.running.explain import crashed
from sandbox.studio.backend.futures import paths
from sandbox.studio.backend.marks import MOST, Label, Line, Mark, Message, Point, Rect, Ring, capped

LAYERS = {
    "sight": "The cells that the picked agent sees now.",
    "belief": "The world as the picked agent takes it to be, in place of the real one.",
    "futures": "Where the picked agent's next actions lead, as it imagines it; the best way is bold.",
    "messages": "Who says something to whom in this tick.",
    "tasks": "The tasks that agents of the team are at, and those that are open (dashed).",
}


class Look(NamedTuple):
    """The input of the layers."""

    model: object  # a Sandbox after a tick
    picked: int | None
    before: np.ndarray  # (N, 2) int32: positions before the tick

    @property
    def pos(self) -> np.ndarray:
        return self.model.state.pos[0]

    @property
    def cells(self) -> tuple[int, int] | None:
        env = self.model.env
        return env.world.cells and env.world.cells(env.params)

    def is_there(self, agent: int) -> bool:
        return self.pos[agent, 0] >= 0

    def at(self, agent: int) -> Point:
        """The centre of an agent's cell."""
        return _centre(self.pos[agent])

    def lag(self, agent: int) -> Point:
        """The offset from that centre at the start of the tick; 0 for a jump, which painters do not animate."""
        row, col = (self.before[agent] - self.pos[agent]).tolist()
        glides = self.before[agent, 0] >= 0 and abs(row) + abs(col) == 1
        return (float(row), float(col)) if glides else (0.0, 0.0)


def marks(model, layers: Collection[str], picked: int | None = None, before: np.ndarray | None = None) -> tuple:
    """Marks over the world after a tick: the halo of the selected agent, and the active ``layers``.

    ``before`` (N, 2) int32 are the positions before the tick (``Camera.before``). An agent that is nowhere has no
    marks. A world without a grid has the halo only.
    """
    look = Look(model, picked, model.state.pos[0] if before is None else before)
    found = list(_halo(look)) if picked is not None else []
    if look.cells:
        found += _down(look)
        for name, draw in _DRAWN.items():
            if name in layers:
                found += draw(look)
    return capped(found)


def available(model) -> tuple[str, ...]:
    """The layers that apply to this episode: on a grid, with beliefs, with talk."""
    world = model.env.world
    known = set(LAYERS) if world.cells else {"belief"}
    known -= set() if world.believe else {"belief", "futures"}
    known -= set() if model.talk else {"messages", "tasks"}
    return tuple(name for name in LAYERS if name in known)


def _centre(cell) -> Point:
    return float(cell[0]) + 0.5, float(cell[1]) + 0.5


def _hue(agent: int) -> str:
    return AGENTS[agent % len(AGENTS)]


def _halo(look: Look) -> Iterator[Mark]:
    agent = look.picked
    if look.cells is None:
        top, left, tall, wide = look.model.env.world.part(look.model.env.params, agent)
        yield Rect((top, left), (tall, wide), _hue(agent), 0.006)
    elif look.is_there(agent):
        yield Ring(look.at(agent), _hue(agent), 0.72, 0.12, lag=look.lag(agent))


def _sight(look: Look) -> Iterator[Mark]:
    """The rectangle of the agent's window, as far as it lies on the map."""
    if look.picked is None or not look.is_there(look.picked):
        return
    rows, cols = look.cells
    seen = look.model.env.world.visible(look.model.state, 0, look.picked, look.model.env.params)
    seen = np.argwhere(seen[: rows * cols].reshape(rows, cols))
    if len(seen):
        (top, left), (bottom, right) = seen.min(axis=0).tolist(), seen.max(axis=0).tolist()
        size = (bottom - top + 1.0, right - left + 1.0)
        yield Rect((float(top), float(left)), size, _hue(look.picked), 0.1, dash=True, lag=look.lag(look.picked))


def _futures(look: Look) -> list[Mark]:
    return paths(look.model, look.picked) if look.picked is not None and look.is_there(look.picked) else []


def _down(look: Look) -> Iterator[Mark]:
    """A cross over each agent that has crashed."""
    for agent in crashed(look.model)[: MOST // 2]:
        if look.is_there(agent):
            row, col = look.at(agent)
            for side in (-0.42, 0.42):
                yield Line(((row - 0.42, col - side), (row + 0.42, col + side)), DARK, 0.12)


def _messages(look: Look) -> Iterator[Mark]:
    """The messages of this tick; texts are quoted."""
    if not look.model.talk or not look.model.ticks:
        return
    team = look.model.talk.team
    page = team.mail.said[0, (look.model.ticks - 1) % team.mail.said.shape[1]]
    said = {(int(agent), int(page[agent, m, TO]) - 1) for agent, m in np.argwhere(page[:, :, ACT] > 0)}
    hears = _hearers(team.net) if any(to < 0 for _, to in said) else None
    flights = sorted({(agent, int(ear)) for agent, to in said for ear in ([to] if to >= 0 else hears(agent))})
    gone = lost(team.net, team.mail, look.model.seed, look.model.ticks - 1, flights[: MOST + 1])
    for agent, ear in flights[: MOST + 1]:
        if look.is_there(agent) and look.is_there(ear):
            yield Message(look.at(agent), look.at(ear), _hue(agent), (agent, ear) in gone)
    for agent, one in look.model.latest.said if look.model.latest else ():
        if look.is_there(agent):
            words = one.text or Act(one.act).name.lower().replace("_", " ")
            yield Label(look.at(agent), words, _hue(agent), look.lag(agent))


def _hearers(net) -> Callable[[int], np.ndarray]:
    """The hearers of an agent, at most as many as are drawn."""
    first = net.first[0]
    ears, senders = np.repeat(np.arange(len(first) - 1), np.diff(first)), net.sender[0, : first[-1]]
    return lambda agent: ears[senders == agent][: MOST + 1]


def _tasks(look: Look) -> Iterator[Mark]:
    """A line from each agent to the cell of its task, a ring if the task has no cell, and marks of open tasks."""
    if not look.model.talk:
        return
    team = look.model.talk.team
    for agent in np.flatnonzero(team.task[0, :, Assignment.KIND] > 0).tolist():
        row, col = team.task[0, agent, [Assignment.ROW, Assignment.COL]].tolist()
        width, alpha = (0.14, 1.0) if agent == look.picked else (0.08, 0.7)
        if not look.is_there(agent):
            continue
        if row >= 0:
            ends = look.at(agent), _centre((row, col))
            yield Line(ends, _hue(agent), width, alpha, lag=look.lag(agent))
            yield Ring(ends[1], _hue(agent), 0.46, width, alpha)
        else:
            yield Ring(look.at(agent), _hue(agent), 0.56, width, alpha, lag=look.lag(agent))
    for cell in sorted(_open_cells(team)):
        yield Ring(_centre((cell // team.width, cell % team.width)), DARK, 0.46, dash=True)


def _open_cells(team) -> set[int]:
    """Cells of open tasks without an agent: tasks of the shared graph, otherwise those that any agent knows."""
    owned = set(team.task[0, :, Assignment.CODE].tolist())
    if len(team.kind):
        cells = team.place[0][team.state[0] == TaskState.OPEN].tolist()
    else:
        open_tasks = team.open_tasks[0].reshape(-1, team.open_tasks.shape[-1])
        open_tasks = np.unique(open_tasks[open_tasks[:, OpenTask.CODE] > 0][:, [OpenTask.CODE, OpenTask.CELL]], axis=0)
        cells = [cell for code, cell in open_tasks.tolist() if code not in owned]
    return {cell for cell in cells if cell >= 0}


_DRAWN: dict[str, Callable[[Look], Collection[Mark] | Iterator[Mark]]] = {
    "sight": _sight,
    "tasks": _tasks,
    "futures": _futures,
    "messages": _messages,
}
