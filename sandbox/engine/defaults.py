"""Derived entries of a world: shapes, descriptions, text and pictures, from its annotations and names."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from inspect import signature
from typing import Annotated, Any, NamedTuple, get_type_hints

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.core.setup import Things, Tiles
from sandbox.core.telling import Chart, Gauge, Transition
from sandbox.core.world import Observation, StateFields, World, digested, shaped
from sandbox.engine.kernel import kernel, specialise
from sandbox.engine.shapes import AGENTS, DISC, PAPER, canvas, draw_bar, draw_shape

SPARE = ("#d9d6cb", "#3a4149", "#c3b496", "#8a3b12", "#8fbfdf", "#86b078")  # for codes without a legend entry
OPTIONS = ("agents", "perturb")
KERNELS = {
    "reset": ("s", "lane", "params"), "observe": ("s", "lane", "params", "obs"),
    "step": ("s", "lane", "actions", "params"), "progress": ("s", "lane", "params"),
}  # fmt: skip
POLICY = ("view", "lane", "params", "memory", "team", "dice", "actions")
NOWHERE = 2**31  # rows and columns of a world without a map
COLOURS = 8  # of a grid and of agents
grid_colours = agent_colours = ()  # filled in by specialise


class NoMemory(NamedTuple):
    """The memory of policies in a world that defines none."""

    nothing: Annotated[np.ndarray, shaped(np.int8, 1)]


@cache
def completed(world: World) -> World:
    """The world with its derived entries; raises UsageError if one cannot be derived."""
    _check(world)
    found = {name: make(world) for name, make in _DERIVED.items() if getattr(world, name) is None}
    derived = {name: entry for name, entry in found.items() if entry is not None}
    return replace(world, **derived) if derived else world


def _check(world: World) -> None:
    """Check for frequent mistakes of authors, before a kernel fails with a message of Numba."""
    for kind, has, needed in (
        ("State", world.state._fields, get_type_hints(StateFields)), ("options", world.options.model_fields, OPTIONS),
    ):  # fmt: skip
        if missing := [name for name in needed if name not in has]:
            raise UsageError(f"world '{world.name}': {kind} has no {', '.join(missing)}; expected {', '.join(needed)}")
    if world.refresh is None and (cached := set(world.state._fields) - set(digested(world.state))):
        raise UsageError(f"world '{world.name}': State.{min(cached)} is cached, expected World.refresh to write it")
    entries = {name: getattr(world, name) for name in KERNELS}
    wanted = {**KERNELS, **dict.fromkeys(world.policies, POLICY)}
    for name, entry in {**entries, **world.policies}.items():
        given = len(signature(getattr(entry, "py_func", entry)).parameters)
        if given != len(wanted[name]):
            expected = ", ".join(wanted[name])
            raise UsageError(f"world '{world.name}': {name} takes {given} arguments, expected {expected}")


def _cells(world: World) -> Callable[[Any], tuple[int, int]] | None:
    """Rows and columns of the state's ``grid``; None without a grid, and then the world has no map."""
    if "grid" not in world.state._fields:
        return None
    return lambda params: world.state_shapes(params)["grid"][0]


def _canvas(world: World) -> Callable[[Any, int], tuple[int, int]]:
    cells = world.cells or _cells(world)
    if cells is None:
        raise UsageError(f"world '{world.name}': State has no grid to draw; expected World.render and World.canvas")
    return lambda params, size: canvas(*cells(params), size)


def _part(world: World) -> Callable[[Any, int], tuple[float, float, float, float]]:
    """Vertical strips, side by side."""

    def part(params: Any, agent: int) -> tuple[float, float, float, float]:
        share = 1.0 / (world.agents(params) if world.agents else params.agents)
        return 0.0, agent * share, 1.0, share

    return part


# -- descriptions ------------------------------------------------------------------------------------------------------


def _describe(state: Any, lane: int, params: Any) -> dict:
    return {name: getattr(state, name)[lane].tolist() for name in digested(type(state))}


def _place(world: World) -> Callable[[Any, int, Any, dict], None]:
    """Writes the arrays; the agents' cells must exist, since kernels take them as indices."""

    cells = world.cells or _cells(world)

    def place(state: Any, lane: int, params: Any, description: dict) -> None:
        for name in digested(type(state)):
            field = getattr(state, name)
            given = np.asarray(description[name], field.dtype)
            if given.shape != field.shape[1:]:
                raise UsageError(f"place: {name}: shape {given.shape}, expected {field.shape[1:]}")
            field[lane] = given
        rows, cols = cells(params) if cells else (NOWHERE, NOWHERE)
        for agent, (row, col) in enumerate(state.pos[lane].tolist()):
            if not (0 <= row < rows and 0 <= col < cols) and (row, col) != (-1, -1):
                raise UsageError(f"place: pos[{agent}] at ({row}, {col}): expected a cell of {rows} x {cols}")
        if state.done[lane] not in [*Finish]:
            raise UsageError(f"place: done {state.done[lane]}, expected 0..{len(Finish) - 1}")

    return place


def _setup(world: World) -> Callable[[Any, dict], tuple[Things | Tiles, ...]]:
    """What a description shows: tables with row and column, the agents' places, a grid of the legend's codes."""

    cells = world.cells or _cells(world)

    def setup(params: Any, description: dict) -> tuple[Things | Tiles, ...]:
        if cells is None:
            return ()
        listed = {key: entries for key, entries in description.items() if isinstance(entries, list) and entries}
        found: list[Things | Tiles] = [
            Things(key, key.removesuffix("s").replace("_", " "))
            for key, entries in listed.items()
            if all(isinstance(one, dict) and {"row", "col"} <= one.keys() for one in entries)
        ]
        if "pos" in description:
            found.append(Things("pos", world.roles[0]))
        if world.legend and np.shape(description.get("grid")) == cells(params):
            found.append(Tiles(tuple((name, code) for code, (name, _) in enumerate(world.legend)), "grid"))
        return tuple(found)

    return setup


def _ground_truth(state: Any, lane: int, params: Any) -> np.ndarray:
    """The cells of the grid; without a grid, the positions of the agents."""
    return (state.grid if hasattr(state, "grid") else state.pos)[lane].ravel().astype(np.int64)


def _visible(world: World) -> Callable[[Any, int, int, Any], np.ndarray]:
    """The cells within an agent's window."""

    def visible(state: Any, lane: int, agent: int, params: Any) -> np.ndarray:
        if not hasattr(state, "grid"):
            return np.repeat(np.arange(len(state.pos[lane])) == agent, 2)
        sight = world.observation(params).side // 2
        far = np.abs(np.indices(state.grid.shape[1:]) - state.pos[lane, agent][:, None, None]).max(axis=0)
        return (far <= sight).ravel()

    return visible


# -- text --------------------------------------------------------------------------------------------------------------


def _render_text(world: World) -> Callable[..., str]:
    """The columns of the vector by name, the window as a map of letters, and the legal verbs."""

    def render_text(obs: Observation, lane: int, agent: int, params: Any) -> str:
        spec = world.observation(params)
        lines = [f"You are agent {agent}."]
        named = zip(spec.vector, obs.vector[lane, agent], strict=True)
        lines += [f"{name.replace('_', ' ')}: {value:g}" for name, value in named]
        letters = _letters(spec.channels)
        if spec.side > 1:
            told = ", ".join(f"{letter} {name}" for name, letter in letters.items())
            lines += [f"Around you ({told}, . nothing; you are in the middle):"]
            lines += _map(obs.window[lane, agent], letters)
        legal = world.legal(obs.mask[lane, agent])
        can = [verb if world.targets == 1 else f"{verb} {targets}" for verb, targets in legal.items()]
        return "\n".join([*lines, f"You can: {', '.join(can)}."])

    return render_text


def _letters(channels: tuple[str, ...]) -> dict[str, str]:
    """A letter for each channel: the first letter of its name that is free."""
    found: dict[str, str] = {}
    for name in channels:
        free = [letter for letter in f"{name}abcdefghijklmnopqrstuvwxyz" if letter not in found.values()]
        found[name] = free[0] if free else "?"
    return found


def _map(window: np.ndarray, letters: Mapping[str, str]) -> list[str]:
    """The first channel that is not 0 in each cell."""
    picked = np.full(window.shape[1:], ".")
    for channel, letter in reversed(list(zip(window, letters.values(), strict=True))):
        picked[channel != 0] = letter
    return ["".join(row) for row in picked]


def _tools(world: World) -> Callable[[Any], list[dict]]:
    target = {"target": {"type": "integer", "minimum": 0, "maximum": world.targets - 1}} if world.targets > 1 else {}
    schema = {"type": "object", "properties": target, "required": list(target), "additionalProperties": False}

    def tools(params: Any) -> list[dict]:
        return [{"name": verb, "description": verb.replace("_", " "), "parameters": schema} for verb in world.verbs]

    return tools


# -- what it says to people --------------------------------------------------------------------------------------------


def _doing(world: World) -> Callable[[Transition, int], str]:
    """Its action, by the name of the verb."""

    def doing(told: Transition, agent: int) -> str:
        verb, target = told.action(agent)
        if not 0 <= verb < len(world.verbs):
            return "chose no action that exists"
        name = world.verbs[verb].replace("_", " ")
        return f"does: {name} {target}" if world.targets > 1 else f"does: {name}"

    return doing


def _charts(world: World) -> tuple[Chart, ...]:
    """The shared task, the rewards, the actions that were prevented."""
    return (
        Chart("Tasks done", "parts of the task", lambda s, lane, params: float(world.progress(s, lane, params)[0])),
        Chart("Reward now", "of all agents in the tick", lambda s, lane, params: float(s.reward[lane].sum())),
        Chart("Failed now", "legal actions in the tick", lambda s, lane, params: float(s.refused[lane].sum())),
    )


def _gauges(world: World) -> Callable[[Any, int, int, Any], tuple[Gauge, ...]]:
    """The shared task and the clock; none of an agent."""

    def gauges(s: Any, lane: int, agent: int, params: Any) -> tuple[Gauge, ...]:
        if agent >= 0:
            return ()
        done, total = world.progress(s, lane, params)
        clock = Gauge("clock", "tick", int(s.tick[lane]), int(getattr(params, "max_ticks", 0)))
        return Gauge("score", "tasks done", int(done), int(total)), clock

    return gauges


def _shown(world: World) -> Callable[[Any, int, Any], tuple[str, ...]]:
    """Of a derived picture, the codes in the grid, and agents that have an entry; else the whole legend."""
    known = tuple(name for name, _ in world.legend)
    if world.render is not None:
        return lambda s, lane, params: known
    return lambda s, lane, params: tuple(known[code] for code in np.unique(s.grid[lane]).tolist() if code < len(known))


# -- picture -----------------------------------------------------------------------------------------------------------


def grid_picture(s, lane, params, trail, blend, image):
    """Fill ``image``: the cells of ``s.grid`` in their colours, and a disc for each agent."""
    grid, pos = s.grid[lane], s.pos[lane]
    rows, cols = grid.shape
    cell = image.shape[0] / rows
    for row in range(rows):
        for col in range(cols):
            colour = grid_colours[grid[row, col] % len(grid_colours)]
            draw_bar(image, row * cell, col * cell, (row + 1) * cell, (col + 1) * cell, colour, 1.0)
    for agent in range(len(pos)):
        if pos[agent, 0] < 0:
            continue
        y, x = float(pos[agent, 0]), float(pos[agent, 1])
        if trail.shape[1] and trail[agent, -1, 0] >= 0:
            y += (trail[agent, -1, 0] - y) * (1.0 - blend)
            x += (trail[agent, -1, 1] - x) * (1.0 - blend)
        ink = agent_colours[agent % len(agent_colours)]
        draw_shape(image, DISC, (y + 0.5) * cell, (x + 0.5) * cell, 0.34 * cell, 0.0, ink, 1.0)


def _rgb(code: str) -> tuple[float, float, float]:
    return float(int(code[1:3], 16)), float(int(code[3:5], 16)), float(int(code[5:7], 16))


def _render(world: World) -> Callable:
    """The kernel of a derived picture; entry k of the legend is the colour of code k."""
    named = [colour for _, colour in world.legend] or [PAPER]
    colours = tuple(_rgb(code) for code in (*named, *SPARE)[: max(COLOURS, len(named))])
    inks = tuple(_rgb(code) for code in AGENTS)
    return specialise(grid_picture, world.name, grid_colours=colours, agent_colours=inks)


@kernel
def no_memory(memory, lane, params):
    """Does nothing, because there is no memory."""


_DERIVED: dict[str, Callable[[World], Any]] = {
    "agents": lambda world: lambda params: params.agents, "memory": lambda world: NoMemory,
    "start": lambda world: no_memory, "cells": _cells, "canvas": _canvas, "part": _part, "render": _render,
    "describe": lambda world: _describe, "place": _place, "setup": _setup, "render_text": _render_text, "tools": _tools,
    "conserved": lambda world: lambda state, lane, params: (), "ground_truth": lambda world: _ground_truth,
    "visible": _visible, "doing": _doing, "cause": lambda world: lambda told, agent: "", "charts": _charts,
    "gauges": _gauges, "shown": _shown,
}  # fmt: skip
