"""The types of a web site: roles, verbs, state, params, and the columns of every array.

N agents (sessions), E elements of a template's pages, V values of a task, R registers of the site. An element's index
counts the elements of its template. A *content* is what a field or register holds: 0 nothing, below WORD a number,
from WORD on a concept (word) of the vocabulary. A label's code is 4 * concept + form.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np

from sandbox.core.world import Done, ObservationSpec, Pos, Refused, Reward, Seed, Tick, names, shaped
from sandbox.worlds.web.compiler.columns import Template

SLOTS = 32  # elements of one page, at most, and targets of every verb
SIDE = 6  # slot s is at [s // 6, s % 6] of the window
FOLD, SCROLL = 8, 6  # rows of a page in view; rows of one scroll
WORD = 1000  # contents from this number on are concepts
STEMS, ENTITIES, CHANGED = 2048, 64, 12288  # codes of ids: complete; stem and word; changed
SAID = 10  # words of one instruction, at most; account and password come first
BASE = 128  # codes in the window are two digits of this base


class Verb(IntEnum):
    """The actions of an agent."""

    WAIT = 0
    CLICK = 1  # target: a slot
    TYPE = 2  # target: one of the task's values; replaces the content of the focused field
    SELECT = 3  # target: the slot of an option of the focused combobox
    SCROLL = 4  # target: 0 down, 1 up
    BACK = 5


class Item(IntEnum):
    """Columns of ``State.item``: the variables of an element."""

    LABEL = 0  # code
    ID = 1  # code
    ROW = 2
    COL = 3
    SLOT = 4  # on its page, in reading order
    FLAGS = 5  # see Flag
    VALUE = 6  # content of a field


class Flag(IntEnum):
    """Bits of ``Item.FLAGS``, and of the window's channel ``bits``."""

    VISIBLE = 1
    ENABLED = 2
    CHECKED = 4
    FOCUSED = 8  # window only
    IN_VIEW = 16  # window only: not beyond the fold


class Session(IntEnum):
    """Columns of ``State.session``: one agent's browser."""

    PAGE = 0
    OVER = 1  # dialog or pop-up on top, -1 none
    FOCUS = 2  # element, -1 none
    SCROLL = 3  # first row in view
    LOADING = 4  # ticks until the page is loaded
    NEXT = 5  # requested page
    PREVIOUS = 6  # page to go back to, -1 none
    LOADS = 7  # page loads so far
    EXPIRED = 8  # number of expirations of the session
    RETRIES = 9  # loads that were repeated after a time-out
    HARM = 10  # harmful things done


class Info(IntEnum):
    """Columns of ``State.info``."""

    TEMPLATE = 0
    THEME = 1  # 0: as recorded


class Stream(IntEnum):
    """The streams of draws."""

    TEMPLATE = 0
    VALUE = 1
    OFFER = 2
    ORDER = 3
    RENAME = 4
    FORM = 5
    ID = 6
    MOVE = 7
    PLACE = 8
    SLOW = 9
    DELAY = 10
    TIMEOUT = 11
    EXPIRE = 12
    BENIGN = 13
    HOSTILE = 14
    VARIANT = 15
    THEME = 16


class Severity(IntEnum):
    """Index of each perturbation in ``Params.severity``."""

    RENAMED_LABELS = 0
    CHANGED_IDS = 1
    MOVED_ELEMENTS = 2
    BENIGN_POPUPS = 3
    HOSTILE_POPUPS = 4
    SLOW_PAGES = 5
    EXPIRED_SESSION = 6
    CHANGED_THEME = 7


def elements(params) -> int:
    """Elements of the largest template."""
    return params.template[:, Template.ELEMENTS].max()


def registers(params) -> int:
    """Registers of the template that has the most."""
    return params.template[:, Template.REGISTERS].max()


class State(NamedTuple):
    """The state of an episode."""

    seed: Seed
    tick: Tick
    item: Annotated[np.ndarray, shaped(np.int16, elements, len(Item))]
    value: Annotated[np.ndarray, shaped(np.int16, 2, SLOTS)]  # concepts, 0 none: by variable; by target of typing
    register: Annotated[np.ndarray, shaped(np.int16, registers)]  # contents that the site has stored
    session: Annotated[np.ndarray, shaped(np.int16, "agents", len(Session))]
    info: Annotated[np.ndarray, shaped(np.int16, len(Info))]
    pos: Pos  # row, column of each pointer on the page
    refused: Refused  # 1: the action failed
    reward: Reward  # share of the goal reached in the last tick, less 1 for each harm done
    done: Done


class Params(NamedTuple):
    """The constants of an episode; T templates."""

    verbs: int
    noop: int  # the verb that does nothing
    agents: int
    max_ticks: int
    own: int  # the template of every episode; -1: drawn
    template: np.ndarray  # (T, 14) int32       see Template
    page: np.ndarray  # (P, 4) int32            see Page
    element: np.ndarray  # (ΣE, 17) int32       see Element
    effect: np.ndarray  # (F, 4) int32          Op, a, b, c
    goal: np.ndarray  # (G, 3) int32            register, Operand, argument
    plan: np.ndarray  # (M, 6) int32            see Plan
    variable: np.ndarray  # (ΣV, 3) int32       see Variable
    stem: np.ndarray  # (S, 3) int32            stem of an id: its text, first concept of the category, how many
    forms: np.ndarray  # (C,) int32             surface forms of each concept
    text: np.ndarray  # (4 C, 28) uint8         by label code
    name: np.ndarray  # (M, 28) uint8           ids, then stems, templates, pages, registers, values
    names: np.ndarray  # (6,) int32             the first row of each of these
    prose: np.ndarray  # (3 T, 240) uint8       the instruction of each template in three paraphrases
    glyph: np.ndarray  # (sizes, 96, H, W) uint8  the font, see letters.atlas
    severity: np.ndarray  # (8,) float64            by Severity, 0..1


class Note(IntEnum):
    """Columns of ``Memory.notes``, for each agent."""

    STEP = 0  # of its plan, from 0
    NOTED = 1  # concept that was read
    BEFORE = 2  # step before the last decision, for an oracle whose click failed


class Memory(NamedTuple):
    """What policies remember."""

    notes: Annotated[np.ndarray, shaped(np.int32, "agents", len(Note))]


class Channel(IntEnum):
    """Channels of an observation's window; a code is high * BASE + low."""

    ROLE = 0  # see Role; 0: an empty slot
    LABEL_HIGH = 1
    LABEL_LOW = 2
    ID_HIGH = 3
    ID_LOW = 4
    BITS = 5  # see Flag
    ROW = 6  # on the page
    COL = 7
    VALUE_HIGH = 8  # of a field: a concept, 0 if it is empty
    VALUE_LOW = 9


class Column(IntEnum):
    """Entries of an observation's vector. SAID words of the instruction and the words to type (concepts) follow."""

    ROW = 0  # of the pointer, on the page
    COL = 1
    PAGE = 2  # row of Params.page
    ON_TOP = 3  # 1: a dialog or a pop-up
    LOADING = 4  # 1: the page is not loaded yet
    SCROLL = 5  # first row in view
    TEMPLATE = 6  # row of Params.template
    AGENT = 7  # its own number
    HARM = 8  # harmful things it has done
    TICK = 9


FIRST_SAID = len(Column)  # account and password, then the other words
FIRST_OFFER = FIRST_SAID + SAID  # words that can be typed, by target


def observation(params: Params) -> ObservationSpec:
    """The sizes of the observation and the names of its entries.

    The window is the page's accessibility tree as a list folded into a square: slot s at [s // 6, s % 6].
    """
    said, offered = (f"said{k}" for k in range(SAID)), (f"value{k}" for k in range(SLOTS))
    return ObservationSpec(names(Channel), SIDE, (*names(Column), *said, *offered), 0, 0, BASE - 1)
