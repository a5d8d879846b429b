"""The contract of a world.

Kernels work on one lane and fill the arrays that they are given (``engine.kernel``). L lanes, N agents:

=============================================================  =======================================================
``reset(s, lane, params)``                                     lay out the episode of ``s.seed[lane]``
``observe(s, lane, params, obs)``                              fill the observation of every agent of the lane
``step(s, lane, actions, params)``                             one tick; ``actions`` (L, N, 2) int32: verb, target
``believe(obs, lane, agent, memory, params, seed, out, to)``   lane ``to`` of ``out``: what the agent believes
``earned(s, lane, params)``                                    parts of the task earned so far, less the harm done;
                                                               without it, search maximises ``progress``
``value(s, lane, params)``                                     the value of partial results, in parts of the task;
                                                               with it, search sees beyond its horizon
``progress(s, lane, params)``                                  (done, total) parts of the shared task, read from the
                                                               state, never from what an agent claims
``start(memory, lane, params)``                                clear the policies' own memory
``policy(view, lane, params, memory, team, dice, actions)``    write the actions of the agents in ``team`` (int32);
                                                               ``view`` is the observation, or the state for one in
                                                               ``sighted``; ``dice`` (uint64) keys its draws
``render(s, lane, params, trail, blend, image)``               fill ``image`` (H, W, 3) uint8; ``trail`` (N, T, 2)
                                                               int32 holds past positions, latest last; ``blend`` in
                                                               0..1 moves from the last to the present
=============================================================  =======================================================

Every ``State`` has the fields of :class:`StateFields`, every ``Params`` the numbers ``verbs`` (how many) and ``noop``
(the verb that does nothing). ``idle`` and ``random`` are the same in all worlds: ``engine.policies``.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol, get_type_hints

import numpy as np
from pydantic import BaseModel

from sandbox.core.errors import UsageError
from sandbox.core.event_log import Fit, Part
from sandbox.core.frames import Framing
from sandbox.core.instructions import Instructed
from sandbox.core.intervention import Intervention
from sandbox.core.perturb import Perturbation
from sandbox.core.setup import Dial, Things, Tiles, Try
from sandbox.core.teamwork import Teamwork
from sandbox.core.telling import Chart, Gantt, Gauge, Transition
from sandbox.core.tokens import Tokens
from sandbox.core.tour import Tour

# -- ladder: achievements and their requirements, for agents that learn skills

if TYPE_CHECKING:
    import networkx as nx

MAP = "rules"  # the policy that remembers the map for a learner; its actions are not used


@dataclass(frozen=True, eq=False)
class Ladder:
    """The achievements of a world as data, and the functions by which programs reach them.

    ``graph`` has a node for each achievement and an edge a -> b where b requires a. ``amount`` of an edge says how many
    are required; ``leaves`` of a node, the thing that it leaves in the world; ``foe``, the creature that it fights.
    ``milestones`` are nodes by short name. ``achieved`` reads the state, for the verifier. The other functions read
    beliefs: how much of each achievement is at hand, whether a kind of thing is known, and the verb of the next step
    to one: "" if the agent faces it, None without a way. ``by`` requires that the agent is then beside another kind of
    thing.
    """

    graph: "nx.DiGraph"
    milestones: dict[str, str]
    places: tuple[str, ...]  # kinds of things
    verbs: tuple[str, ...]  # all except those that ``toward`` uses
    vitals: tuple[str, ...]  # needs of the body, such as food, each 0..9
    achieved: Callable[[Any, int, int], dict[str, int]]  # state, lane, agent -> how often each
    holding: Callable[[Any, int, int], dict[str, int]]  # the same of a belief -> how much of each, and the vitals
    knows: Callable[[Any, int, str], bool]  # whether a kind of thing is anywhere in a belief
    toward: Callable[[Any, int, int, str, str | None], str | None]


# -- task: the goal of a team; ``World.progress`` states how much of it is done


@dataclass(frozen=True)
class Task:
    """A goal in a world; ``texts`` are paraphrases of the same instruction."""

    name: str
    texts: tuple[str, ...]


# -- observation: arrays of the same form in all worlds; text and pictures are renderings of it


class InboxColumn(IntEnum):
    """The columns of a message in an inbox."""

    SENDER = 0  # number of the agent + 1; 0: no message
    KIND = 1
    FIRST = 2  # arguments of this kind of message
    SECOND = 3


class TaskColumn(IntEnum):
    """The columns of an agent's team task."""

    KIND = 0  # number of the kind + 1; 0: no task
    ARGUMENT = 1
    ROW = 2  # where it is; -1: nowhere
    COL = 3


class Observation(NamedTuple):
    """The view of every agent of every lane. L lanes, N agents, C channels, K window side, A (verb, target) pairs."""

    window: np.ndarray  # (L, N, C, K, K) int8    the surroundings of the agent, by the world's channels
    vector: np.ndarray  # (L, N, V) float32       the agent's other knowledge, by the world's entries
    mask: np.ndarray  # (L, N, A) bool            False: the pair (verb * targets + target) would have no effect
    inbox: np.ndarray  # (L, N, M, 4) int32       messages, see InboxColumn
    task: np.ndarray  # (L, N, 4) int32           its team task, see TaskColumn


class ObservationSpec(NamedTuple):
    """The sizes of an observation; ``low`` and ``high`` bound the window's values."""

    channels: tuple[str, ...]
    side: int
    vector: tuple[str, ...]
    messages: int
    low: int
    high: int


def observation_shapes(spec: ObservationSpec, agents: int, pairs: int) -> dict[str, tuple[tuple[int, ...], type]]:
    """Shape of one lane and dtype of each field; ``pairs`` of verb and target."""
    return {
        "window": ((agents, len(spec.channels), spec.side, spec.side), np.int8),
        "vector": ((agents, len(spec.vector)), np.float32),
        "mask": ((agents, pairs), np.bool_),
        "inbox": ((agents, spec.messages, len(InboxColumn)), np.int32),
        "task": ((agents, len(TaskColumn)), np.int32),
    }


# -- world

Shape = tuple[tuple[int, ...], Any]  # shape of one lane, dtype
FIXED = ("seed", "tick", "finish", "done")  # keys of a description that only the seed and the rules set
DERIVED: Any = None  # where a world leaves this, ``engine.defaults`` fills the entry in
Length = int | str | Callable[[Any], int | tuple[int, ...]]


class Shaped(NamedTuple):
    """Dtype and shape of one lane of a field: ``grid: Annotated[np.ndarray, shaped(np.int8, "rows", "cols")]``."""

    dtype: Any
    shape: tuple[Length, ...]
    cached: bool = False


def shaped(dtype: Any, *shape: Length) -> Shaped:
    """Annotates a field of a State or a Memory.

    A length is a number, the name of an entry of ``Params``, or a function of ``Params``. An entry is a
    number, or an array, of which the whole shape is taken. A function may return several lengths.
    """
    return Shaped(dtype, shape)


def cached(dtype: Any, *shape: Length) -> Shaped:
    """Annotates a field of a State that only repeats what the other fields hold, in a form that is faster to read.

    The kernels keep it up to date, and ``World.refresh`` writes it anew. It is no part of digests and descriptions.
    """
    return Shaped(dtype, shape, cached=True)


def _annotations(kind: type) -> dict[str, Shaped | None]:
    hints = get_type_hints(kind, include_extras=True)
    return {
        name: next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Shaped)), None)
        for name, hint in hints.items()
    }


@cache
def digested(kind: type) -> tuple[str, ...]:
    """The fields of a State without the cached ones, in order: what digests and descriptions are made of."""
    return tuple(name for name, told in _annotations(kind).items() if not (told and told.cached))


def _shapes(world: str, kind: type, params: Any) -> dict[str, Shape]:
    """Shape of one lane and dtype of each field of a NamedTuple whose fields are annotated with ``shaped``."""
    found = {}
    for name, told in _annotations(kind).items():
        if told is None:
            raise UsageError(f"world '{world}': {kind.__name__}.{name}: expected Annotated[np.ndarray, shaped(...)]")
        parts = (_lengths(f"world '{world}': {kind.__name__}.{name}", part, params) for part in told.shape)
        found[name] = sum(parts, ()), told.dtype
    return found


def _lengths(where: str, part: Length, params: Any) -> tuple[int, ...]:
    found = getattr(params, part, None) if isinstance(part, str) else part(params) if callable(part) else part
    if found is None:
        raise UsageError(f"{where}: a length {part!r}, which Params does not have")
    if isinstance(found, tuple):
        return found
    return found.shape if isinstance(found, np.ndarray) else (int(found),)


def names(kind: type[IntEnum]) -> tuple[str, ...]:
    """The members of an IntEnum (verbs, columns, channels) as people read them, in order."""
    return tuple(each.name.lower() for each in kind)


Seed = Annotated[np.ndarray, shaped(np.uint64)]  # key of all draws of the lane
Tick = Annotated[np.ndarray, shaped(np.int32)]  # ticks since reset
Pos = Annotated[np.ndarray, shaped(np.int32, "agents", 2)]  # row, column of each agent, cells; -1: nowhere
Reward = Annotated[np.ndarray, shaped(np.float32, "agents")]  # of the last tick
Refused = Annotated[np.ndarray, shaped(np.int8, "agents")]  # 1: the last action was legal, but prevented
Done = Annotated[np.ndarray, shaped(np.int8)]  # a Finish code, 0 while the episode runs


class StateFields(Protocol):
    """The fields that the engine reads in the state of any world."""

    seed: Seed
    tick: Tick
    pos: Pos
    reward: Reward
    refused: Refused
    done: Done


@dataclass(frozen=True, eq=False)
class World:
    """A world as it is registered. Thirteen entries are mandatory; None means that an entry is derived or not offered.

    ``engine.defaults`` fills in the derived entries, so a world from ``engine.registry`` has them.
    """

    name: str
    summary: str
    verbs: Any  # an IntEnum, or the names in order
    options: type[BaseModel]  # validates the keywords of ``sandbox.make`` and of ``[world]``
    build: Callable[[Any], Any]  # options -> Params, a NamedTuple of arrays and numbers
    state: type  # NamedTuple of arrays, each annotated with ``shaped``
    observation: Callable[[Any], ObservationSpec]  # params -> names and sizes
    reset: Callable
    observe: Callable
    step: Callable
    policies: Mapping[str, Callable]
    task: Callable[[Any], Task]
    progress: Callable

    # entries that are derived by default
    agents: Callable[[Any], int] = DERIVED  # ``params.agents``
    memory: type = DERIVED  # of the policies, annotated as the state is; without it they remember nothing
    start: Callable = DERIVED  # by default the memory stays zeroed
    cells: Callable[[Any], tuple[int, int]] = DERIVED  # params -> rows, columns: of the state's ``grid``
    canvas: Callable[[Any, int], tuple[int, int]] = DERIVED  # params, longest side in pixels -> (height, width)
    part: Callable[[Any, int], tuple[float, float, float, float]] = DERIVED  # params, agent -> its part of a picture
    # without cells: top, left, height and width as shares of the picture; by default side by side
    render: Callable = DERIVED  # the state's ``grid`` in the legend's colours, agents as discs
    describe: Callable[[Any, int, Any], dict] = DERIVED  # state, lane, params -> JSON values: the arrays as lists
    place: Callable[[Any, int, Any, dict], None] = DERIVED  # its inverse, also without the entries that are None;
    # raises for an invalid description, so that no kernel ever reads one
    setup: Callable[[Any, dict], tuple[Things | Tiles, ...]] = DERIVED  # params, description -> what hands can change
    render_text: Callable[..., str] = DERIVED  # obs, lane, agent, params -> its observation: named columns, a map
    tools: Callable[[Any], list[dict]] = DERIVED  # params -> JSON schemas of the verbs
    conserved: Callable[[Any, int, Any], tuple] = DERIVED  # quantities that the rules never change; by default none
    ground_truth: Callable[[Any, int, Any], np.ndarray] = DERIVED  # state, lane, params -> (F,) int: the cells
    visible: Callable[[Any, int, int, Any], np.ndarray] = DERIVED  # state, lane, agent, params -> (F,) bool: seen

    # what it says to people (``core.telling``), derived by default
    doing: Callable[[Transition, int], str] = DERIVED  # what an agent is doing, and for whom it waits: a sentence
    cause: Callable[[Transition, int], str] = DERIVED  # why its action was refused or failed; "": not known
    charts: tuple[Chart, ...] = DERIVED  # three measures or more that are drawn by tick
    gauges: Callable[[Any, int, int, Any], tuple[Gauge, ...]] = DERIVED  # state, lane, agent (-1: the lane's), params
    shown: Callable[[Any, int, Any], Collection[str]] = DERIVED  # state, lane, params -> the legend's things in sight

    # entries without a default: the world does not offer them
    refresh: Callable | None = None  # kernel (s, lane, params): write the cached fields of the state, if it has any
    believe: Callable | None = None  # without it no agent can imagine: no search, no world model
    earned: Callable | None = None  # what search maximises: see above
    value: Callable | None = None  # the value of a lane at the end of imagination: see above
    tokens: Tokens | None = None  # how a learned world model reads and writes it; without, none is learned
    instructed: Instructed | None = None  # what one of its agents can be told to do in words
    frames: Framing | None = None  # how a dream of it is learned and played; without, it is not dreamed
    teamwork: Teamwork | None = None  # the tasks that teams can share; without it there are no teams
    info: Callable[[Any, int, Any], dict] | None = None  # state, agent, params -> learners' `info`; axis 0: lane
    event_log: Callable[[Iterable[Any], int], Part] | None = None  # models after each tick, number of the trial
    fit: Callable[[Any, str], Fit] | None = None  # events of a log (``eventlogs.read``), its name -> a scenario
    convert: Callable[[Path, Path], Fit] | None = None  # a model in BPMN, Prosimos' parameters -> a scenario
    split: Callable[[Any, int, Any], Mapping[str, float]] | None = None  # state, lane, params -> what the time of cases
    # so far went on: minutes by name
    gantt: Gantt | None = None  # who works on what, for worlds with a clock
    tour: Callable[[Any, int, Any], Tour] | None = None  # state, lane, params -> a camera's tour (``core.tour``)
    scene: Callable[[Any, int, Any], Any] | None = None  # state, lane, params -> a ``trimesh.Scene`` of what it holds
    ladder: Ladder | None = None  # achievements, for agents that learn skills
    source: str = ""  # the origin of its rules
    rules: str = ""  # in a few sentences, for people who watch it
    tries: tuple[Try, ...] = ()  # things to try
    live: tuple[str, ...] = ()  # options that can change while an episode runs; no array's shape depends on them
    dials: tuple[Dial, ...] = ()  # numbers of the description that can change while it runs
    roles: tuple[str, ...] = ("agent",)
    layouts: tuple[str, ...] = ()  # named layouts; a path or the map as text works too
    perturbations: tuple[Perturbation, ...] = ()  # its own, besides the generic ones
    interventions: tuple[Intervention, ...] = ()  # changes of a running episode
    legend: tuple[tuple[str, str], ...] = ()  # (thing, "#rrggbb") of the picture
    targets: int = 1  # of each verb
    sighted: frozenset[str] = frozenset({"oracle"})  # policies that see the state

    def __post_init__(self) -> None:
        if not isinstance(self.verbs, tuple):
            object.__setattr__(self, "verbs", names(self.verbs))

    def state_shapes(self, params: Any) -> dict[str, Shape]:
        """Shape of one lane and dtype of each field of the state; raises UsageError for a field without annotation."""
        return _shapes(self.name, self.state, params)

    def memory_shapes(self, params: Any) -> dict[str, Shape]:
        """Shape of one lane and dtype of each field of the policies' memory."""
        return _shapes(self.name, self.memory, params)

    def legal(self, mask: np.ndarray) -> dict[str, list[int]]:
        """The verbs that have an effect now, each with its targets; ``mask`` (A,) bool is an agent's."""
        rows = mask.reshape(len(self.verbs), self.targets)
        return {verb: np.flatnonzero(row).tolist() for verb, row in zip(self.verbs, rows, strict=True) if row.any()}
