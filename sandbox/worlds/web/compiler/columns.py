"""The columns of the tables to which a site is compiled, and their entries; see ``state.Params``."""

from enum import IntEnum


class Role(IntEnum):
    """ARIA roles; those from LINK to COMBOBOX can be clicked."""

    NONE = 0
    HEADING = 1
    TEXT = 2
    CELL = 3
    ALERT = 4
    LINK = 5
    BUTTON = 6
    TAB = 7
    MENUITEM = 8
    CHECKBOX = 9
    RADIO = 10
    TEXTBOX = 11
    SEARCHBOX = 12
    COMBOBOX = 13
    OPTION = 14


class Kind(IntEnum):
    """What a page is for."""

    SITE = 0
    DIALOG = 1  # opened by the site on top of a page
    LOGIN = 2
    TIMEOUT = 3
    BENIGN = 4  # a pop-up
    HOSTILE = 5


class Op(IntEnum):
    """Kinds of effects; their arguments are a, b, c."""

    GO = 0  # load page a
    OPEN = 1  # page a on top
    CLOSE = 2
    SET = 3  # register a to the operand (b kind, c)
    ADD = 4  # c to register a
    SAVE = 5  # content of element b to register a
    COPY = 6  # register b to register a
    SHOW = 7  # element a
    HIDE = 8
    TOGGLE = 9
    ENABLE = 10
    CLEAR = 11
    FILTER = 12  # show rows of group a whose value of variables b.. is what element c holds; all if it is empty
    SORT = 13  # sort rows of group a by variables b..
    IF = 14  # continue only if element a has the operand (b, c) as content
    WHERE = 15  # continue only if register a has the operand (b, c) as content
    LOGIN = 16  # go to the page that was requested
    RETRY = 17
    HARM = 18
    WIPE = 19  # clear every field of the site


class Operand(IntEnum):
    """Sources of a content."""

    CONTENT = 0  # as it stands
    VALUE = 1  # a value of the task, by its index
    NOTED = 2  # the content noted by the last ``read`` of a plan (plans only)


class Element(IntEnum):
    """Columns of ``Params.element``: the constants of an element."""

    ROLE = 0
    CONCEPT = 1  # of its label, without VAR and REGISTER
    VAR = 2  # value of the task that is its label, -1
    REGISTER = 3  # register whose content is its label, -1
    STEM = 4  # code of its id, or number of the id's stem
    ID_VAR = 5  # value that completes the id, -1
    LINE = 6
    COL = 7
    GROUP = 8  # of rows or options in random order, -1
    ENTITY = 9  # which of the group
    COUNT = 10  # of the group
    ACROSS = 11  # 1: the group's order goes by column
    PARENT = 12  # combobox of an option, group of a radio button, -1
    FLAGS = 13  # at first
    EFFECT = 14  # first of its effects
    EFFECTS = 15  # how many
    PAGE = 16


class Template(IntEnum):
    """Columns of ``Params.template``."""

    ELEMENT = 0  # its first row of Params.element; the others likewise
    ELEMENTS = 1
    PAGE = 2
    PAGES = 3
    VARIABLE = 4
    VARIABLES = 5
    GOAL = 6
    GOALS = 7
    PLAN = 8
    PLANS = 9
    START = 10  # page of agent 0
    START_OTHER = 11  # page of agent 1
    AGENTS = 12  # that it needs
    REGISTERS = 13


class Page(IntEnum):
    """Columns of ``Params.page``."""

    ELEMENT = 0  # first, in the template
    ELEMENTS = 1
    KIND = 2
    LINES = 3


class Variable(IntEnum):
    """Columns of ``Params.variable``: how a value is drawn."""

    FIRST = 0  # concept of the category
    WORDS = 1  # of the category
    SAID = 2  # its index in the instruction; -1: not mentioned


class Plan(IntEnum):
    """Columns of ``Params.plan``: one step of the recorded solution."""

    AGENT = 0
    VERB = 1  # a Verb, or READ
    ELEMENT = 2
    OPERAND = 3
    ARGUMENT = 4
    OPTION = 5  # element


READ = 100  # a step of a plan: note the label of the element
