"""The types of the office: verbs, state, params, and the columns of every array.

N agents, C cases, A activities, D fields of the documents, K checks, P posts, M people, R policy values. Times are in
minutes since Monday, 0:00, and all durations are whole multiples of GRAIN, so that sums of them are exact.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np

from sandbox.core.world import Done, ObservationSpec, Pos, Refused, Reward, Seed, Tick, names, shaped
from sandbox.engine.queueing.events import Kind

SLOTS = 32  # work items in view: trays of the board, and targets of every verb
SIDE = 6  # tray t is at [t // 6, t % 6] of the window
GRAIN = 1.0 / 1024.0  # minutes
DAY = 1440.0  # minutes
JOURNAL, ROOM = 96, 34  # entries of a tick; a tick ends when fewer than ROOM are left
MOST_CHECKS = 8  # of one activity
TEAM = 0  # the post whose work the agents do, with colleagues among people
BACK, ACT, ARRIVE, CHANGE = (int(Kind.OTHER) + k for k in range(4))  # events: a case comes back from outside, an
# agent's action is over, the next case arrives, the policy changes


class Verb(IntEnum):
    """The actions of an agent; the target is a tray of the board."""

    WAIT = 0  # until something happens
    TAKE = 1  # onto the own desk
    COMPLETE = 2  # the activity is done
    MATCH = 3  # compare the documents by every check of the activity
    APPROVE = 4
    REJECT = 5  # the case ends
    ASK = 6  # the other side to correct its document
    ESCALATE = 7  # to the manager, who settles whatever is wrong
    HAND_OVER = 8  # back to the board, for others


class Event(IntEnum):
    """Column VERB of the journal, for what no agent did; agents' entries have their verb."""

    ARRIVED = 20
    SERVED = 21  # by a person
    OUTSIDE = 22  # the other side has done its part
    CLOSED = 23
    REJECTED = 24
    SETTLED = 25  # what was escalated
    REVIEWED = 26
    RETURNED = 27  # a review found something
    ANSWERED = 28  # the other side has answered


class Phase(IntEnum):
    """Where the time of a case goes; index of its column in ``State.time``, from Time.TOUCH on."""

    TOUCH = 0
    QUEUE = 1
    HAND_OVER = 2  # waiting that a transfer inside the office causes
    REWORK = 3  # work on an activity that was done before
    OUTSIDE = 4


class Time(IntEnum):
    """Columns of ``State.time``, minutes."""

    SINCE = 0  # when its present phase began
    ARRIVED = 1
    CLOSED = 2
    TOUCH = 3
    QUEUE = 4
    HAND_OVER = 5
    REWORK = 6
    OUTSIDE = 7
    PEOPLE = 8  # minutes of people's work on it
    AGENTS = 9  # minutes of agents' work on it


class Case(IntEnum):
    """Columns of ``State.case``."""

    STATUS = 0  # see Status
    FLOW = 1
    STEP = 2  # place on the path of its flow
    ERRAND = 3  # see Errand
    PHASE = 4
    TRAY = 5  # tray of the board + 1; 0: on none
    DESK = 6  # agent at whose desk it is + 1; 0: none
    CLASS = 7  # line: 0 urgent, 1 ordinary
    KEY = 8  # of the draws of its documents
    FORM = 9  # 1: the changed form
    MATCHED = 10  # 1: in this visit
    FAILED = 11  # bits of the checks that failed when it was matched
    UNREAD = 12  # bits of the checks that could not be read
    CLEARED = 13  # bits of the checks that a manager has settled
    MISSED = 14  # bits of the checks that fail, though their activity was completed
    VIOLATIONS = 15  # of the rules of work: completed without matching, by the wrong hands
    LEAKS = 16  # data sent to who had not been verified
    CENTS = 17  # euros wrong, in cents, counted when it closes
    WRONGLY = 18  # 1: rejected without a reason
    ISSUES = 19  # bits of the issues that were drawn
    TURNS = 20  # of hands: escalations, hand-overs, reviews
    JUDGED = 21  # bits of the checks that failed when the action under way began: a later policy does not count


class Status(IntEnum):
    """Of a case."""

    COMING = 0
    OPEN = 1
    RIGHT = 2  # closed, and correctly
    WRONG = 3


class Errand(IntEnum):
    """Why a case waits for somebody other than its activity asks for."""

    NONE = 0
    ESCALATED = 1
    REVIEW = 2
    ASKED = 3


class Desk(IntEnum):
    """Columns of ``State.desk``, for each agent."""

    CASE = 0  # on its desk + 1; 0: none
    VERB = 1  # the action under way; 0: none


class Entry(IntEnum):
    """Columns of ``State.journal``."""

    CASE = 0
    ACTIVITY = 1  # -1: of the whole case
    RESOURCE = 2  # 0: outside; 1 + agent; 1 + agents + person
    VERB = 3  # a Verb of an agent, or see Event
    START = 4  # minutes
    COMPLETE = 5


class Stream(IntEnum):
    """The streams of draws; each but the last two takes two numbers."""

    GAP = 0
    SERVICE = 2
    ERRAND = 4
    DELAY = 6
    FLOW = 8
    FIELD = 10
    ISSUE = 12
    SIZE = 14
    CODE = 16
    STEP = 18
    FOUND = 20
    CAUGHT = 22
    REVIEW = 24
    ABSENT = 26
    FORM = 28
    CHANGE = 30
    URGENT = 32


class Severity(IntEnum):
    """Index of each perturbation in ``Params.severity``."""

    WRONG_PRICE = 0
    WRONG_QUANTITY = 1
    DUPLICATE = 2
    CHANGED_ACCOUNT = 3
    MISSING_DOCUMENT = 4
    INFEASIBLE_REQUEST = 5
    STAFF_ABSENT = 6
    LOAD = 7
    SLOW_APPROVER = 8
    CHANGED_FORM = 9
    POLICY_CHANGE = 10


class Work(IntEnum):
    """Kinds of activities."""

    DO = 0  # ends with COMPLETE
    APPROVAL = 1  # ends with APPROVE
    WAIT = 2  # somebody outside does it


class Activity(IntEnum):
    """Columns of ``Params.activity``."""

    KIND = 0
    POST = 1
    TIME = 2  # row of Params.dist
    CHECK = 3  # first row of Params.check
    CHECKS = 4
    MATCH = 5  # 1: the company's rule is to match before completing
    OUTSIDE = 6  # of a wait: 1 outside, 0 inside
    REVIEW = 7  # 1: a reviewer may look at it
    BRINGS = 8  # bits of the documents that are there when it is done


class Check(IntEnum):
    """Columns of ``Params.check``."""

    RULE = 0  # see Rule
    LEFT = 1  # field; of SEPARATE: activity
    RIGHT = 2  # field, or policy value of AT_MOST_POLICY
    TOLERANCE = 3  # policy value, a share; -1: exact
    REMEDY = 4  # Verb: ASK, REJECT or ESCALATE
    DELAY = 5  # row of Params.dist: how long an answer takes
    OUTSIDE = 6  # 1: the answer comes from outside
    LEAK = 7  # 1: asking while it fails sends data to who is not verified
    MORE = 8  # field: euros wrong are MORE - LESS; -1: none
    LESS = 9  # field; -1: 0


class Rule(IntEnum):
    """What a check asks for."""

    EQUAL = 0  # left = right, within the tolerance
    AT_MOST = 1  # left <= right, within the tolerance
    AT_MOST_POLICY = 2
    PRESENT = 3  # left > 0
    UNIQUE = 4  # no earlier case has it
    SEPARATE = 5  # somebody else did the activity ``left``


class Field(IntEnum):
    """Columns of ``Params.field``."""

    KIND = 0  # see Make
    A = 1
    B = 2
    UNIT = 3  # see Unit
    DOCUMENT = 4
    TURNED = 5  # field that stands in its place on the changed form


class Make(IntEnum):
    """How a field's value comes about."""

    DRAW = 0  # A..B
    COPY = 1  # of field A
    PRODUCT = 2  # of fields A and B
    PICK = 3  # of A things, of which a fifth is drawn in B of 100 cases
    CODE = 4  # a number that belongs to the value of field A
    SERIAL = 5  # a number of its own, from A on
    TIMES = 6  # field A times low..high


class Unit(IntEnum):
    """How a value is read."""

    NUMBER = 0
    CENTS = 1
    CODE = 2
    YES = 3


class Issue(IntEnum):
    """Columns of ``Params.issue``."""

    FIELD = 0
    OP = 1  # see Op
    OF = 2  # field that is scaled
    TWIN = 3  # 1: the next case is its feasible twin


class Op(IntEnum):
    """What an issue does to a field."""

    SCALE = 0  # another field's value times low..high
    ZERO = 1
    REPEAT = 2  # the value of an earlier case
    OTHER = 3  # another code


def _of(name: str):
    return lambda params: getattr(params, name)


class State(NamedTuple):
    """The state of an episode; see ``queueing.Lanes`` for the fields of the engine."""

    seed: Seed
    tick: Tick
    clock: Annotated[np.ndarray, shaped(np.float64)]
    due: Annotated[np.ndarray, shaped(np.float64, "events")]
    what: Annotated[np.ndarray, shaped(np.int32, "events")]
    pending: Annotated[np.ndarray, shaped(np.int32)]
    head: Annotated[np.ndarray, shaped(np.int32, "lines")]
    tail: Annotated[np.ndarray, shaped(np.int32, "lines")]
    length: Annotated[np.ndarray, shaped(np.int32, "lines")]
    behind: Annotated[np.ndarray, shaped(np.int32, "cases")]
    serving: Annotated[np.ndarray, shaped(np.int32, "people")]
    service: Annotated[np.ndarray, shaped(np.float64, "people", 2)]  # start, and minutes of work, of each service
    worked: Annotated[np.ndarray, shaped(np.float64, "people")]  # minutes of work so far, with the service under way
    case: Annotated[np.ndarray, shaped(np.int32, "cases", len(Case))]
    doc: Annotated[np.ndarray, shaped(np.int32, "cases", "fields")]  # what the documents say
    truth: Annotated[np.ndarray, shaped(np.int32, "cases", "fields")]  # what they should say
    actor: Annotated[np.ndarray, shaped(np.int16, "cases", "activities")]  # resource that did it last; 0: nobody yet
    visits: Annotated[np.ndarray, shaped(np.int16, "cases", "activities")]
    stamp: Annotated[np.ndarray, shaped(np.float64, "cases", "activities")]  # when it was last completed
    time: Annotated[np.ndarray, shaped(np.float64, "cases", len(Time))]
    board: Annotated[np.ndarray, shaped(np.int32, SLOTS)]  # case in each tray + 1; 0: empty
    desk: Annotated[np.ndarray, shaped(np.int32, "agents", len(Desk))]
    began: Annotated[np.ndarray, shaped(np.float64, "agents")]  # when the action under way began
    policy: Annotated[np.ndarray, shaped(np.float64, "policies")]  # values in force
    arrived: Annotated[np.ndarray, shaped(np.int32)]  # cases so far
    ended: Annotated[np.ndarray, shaped(np.int32, 2)]  # cases closed so far: correctly, wrongly
    alert: Annotated[np.ndarray, shaped(np.int8)]  # 1: there is something to decide
    journal: Annotated[np.ndarray, shaped(np.float64, JOURNAL, len(Entry))]  # what ended in the last tick
    entries: Annotated[np.ndarray, shaped(np.int32)]  # of the journal
    pos: Pos  # of the tray of the case on each desk; -1: none
    refused: Refused  # 1: somebody else took it first
    reward: Reward  # share of the cases closed correctly in the last tick, less those closed wrongly
    done: Done


class Params(NamedTuple):
    """The constants of an episode."""

    verbs: int
    noop: int  # the verb that does nothing
    agents: int
    max_ticks: int
    cases: int
    people: int
    posts: int
    lines: int
    events: int
    activities: int
    fields: int
    policies: int
    speed: float  # an agent's time for an activity, as a share of a person's
    review: float  # share of the agents' completed activities that a person reviews
    manager: int  # post that settles what is escalated
    reviewer: int  # post that reviews
    given: int  # bits of the documents that are there from the beginning
    crew: np.ndarray  # (P + 1,) int32       post p has the people crew[p] .. crew[p + 1] - 1
    pool: np.ndarray  # (M,) int32           post of each person
    batch: np.ndarray  # (P,) int32
    shift: np.ndarray  # (P, 7, 2) float64    of each post: first begin and last end on each weekday, minutes
    caught: np.ndarray  # (P, 3) float64      share of errors found: rested, tired; how many wait a head when tired
    errand: np.ndarray  # (P,) int32          row of ``dist``: time for what is escalated or reviewed
    wage: np.ndarray  # (P,) float64          euros an hour, the mean of its people
    gap: np.ndarray  # (W,) float64           distribution of the time between arrivals
    dist: np.ndarray  # (T, W) float64        see distributions
    activity: np.ndarray  # (A, 9) int32      see Activity
    share: np.ndarray  # (F,) float64         of each flow, cumulative
    path: np.ndarray  # (F, S) int32          activities + 1; 0: the end
    chance: np.ndarray  # (F, S) float64      that the step is taken
    applies: np.ndarray  # (F, K) bool        whether a check makes sense in a flow
    check: np.ndarray  # (K, 10) int32        see Check
    field: np.ndarray  # (D, 6) int32         see Field
    times: np.ndarray  # (D, 2) float64       of a TIMES field
    issue: np.ndarray  # (I, 4) int32         see Issue
    size: np.ndarray  # (I, 3) float64        share of the cases; low and high factor
    policy: np.ndarray  # (2, R) float64      before and after the change
    severity: np.ndarray  # (11,) float64     by Severity, 0..1
    loops: int  # 1: steps can be reached again
    urgent: float  # share of the cases that are served first
    every: float  # mean minutes between arrivals
    hours: np.ndarray  # (M, H, 2) float64    begin and end of each part of each weekday, of each person; H = 7 x parts
    door: np.ndarray  # (H, 2) float64        when cases can arrive
    skill: np.ndarray  # (M, A) int32         row of ``dist``: time for an activity; -1: does not do it
    jump: np.ndarray  # (F, S) int32          step at which those go on who take this one + 1; 0: it is an activity
    text: np.ndarray  # (B,) uint8            all names, as JSON: see compiler.labels
    sign: np.ndarray  # (A + P, 24) uint8     names of activities and posts, for the picture
    spot: np.ndarray  # (A + 2, 2) int32      row and column of each station on the map; see stations
    way: np.ndarray  # (W, 3) float64         from activity, to activity, expected share of the cases
    glyph: np.ndarray  # (sizes, 96, H, W) uint8  the font of the picture


class Channel(IntEnum):
    """Channels of an observation's window: one cell for each tray."""

    ACTIVITY = 0  # + 1; 0: an empty tray
    RANK = 1  # place in line, from 1; 0: somebody has it
    HOLDER = 2  # 0 nobody, 1 oneself, 2 somebody else
    AGE = 3  # days since the case arrived, up to 127
    WAIT = 4  # hours in this phase, up to 127
    FLAGS = 5  # see Flag


class Flag(IntEnum):
    """Bits of the channel FLAGS."""

    URGENT = 1
    RETURNED = 2  # the activity was begun before
    BARRED = 4  # somebody else has to do it: one has done another part of this case
    MATCHED = 8
    CLEARED = 16  # a manager has settled something


class Column(IntEnum):
    """Entries of an observation's vector. Policy values, checks, and the fields of the case on the desk follow."""

    AGENT = 0  # its own number
    CLOCK = 1  # minutes since Monday, 0:00
    DAY = 2
    HOUR = 3  # of the day, with a fraction
    BUSY = 4  # verb of the action under way; 0: none
    TRAY = 5  # tray of the case on the desk + 1; 0: the desk is empty
    CASE = 6  # its number + 1
    ACTIVITY = 7  # its activity + 1
    FLOW = 8  # its flow + 1
    FORM = 9  # 1: it came on another form
    WAITING = 10  # work items on the board that nobody has
    OPEN = 11  # open cases
    CLOSED = 12
    CASES = 13  # in all
    AHEAD = 14  # agents with lower numbers whose desks are empty: they take what is first in line


FIRST_POLICY = len(Column)


class Found(IntEnum):
    """What matching said about a check, in the vector."""

    NONE = 0  # no such check, or not matched yet
    HOLDS = 1
    FAILS = 2
    UNREADABLE = 3
    SETTLED = 4


ABSENT = -1.0  # a field of a document that is not there yet


def observation(params: Params) -> ObservationSpec:
    """Names and sizes of an observation."""
    vector = names(Column) + tuple(f"policy_{k}" for k in range(params.policies))
    vector += tuple(f"check_{k}" for k in range(MOST_CHECKS)) + tuple(f"field_{k}" for k in range(params.fields))
    return ObservationSpec(names(Channel), SIDE, vector, 0, 0, 127)
