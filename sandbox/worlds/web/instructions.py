"""What an agent on a web site can be told to do, on any page."""

import numpy as np

from sandbox.core.instructions import Instructed, Instruction
from sandbox.worlds.web.compiler.columns import Element, Role, Template
from sandbox.worlds.web.state import Flag, Info, Item, Params, Session, State


def _roles(s: State, params: Params) -> np.ndarray:
    """(L, E) the role of each element of the lane's template."""
    first = params.template[s.info[:, Info.TEMPLATE], Template.ELEMENT]
    rows = first[:, None] + np.arange(s.item.shape[1])
    return params.element[np.minimum(rows, len(params.element) - 1), Element.ROLE]


def _filled(*roles: int):
    def count(s: State, agent: int, params: Params) -> np.ndarray:
        return ((s.item[:, :, Item.VALUE] > 0) & np.isin(_roles(s, params), roles)).sum(axis=1)

    return count


def _checked(s: State, agent: int, params: Params) -> np.ndarray:
    return (s.item[:, :, Item.FLAGS] & Flag.CHECKED > 0).sum(axis=1)


def _scrolled(s: State, agent: int, params: Params) -> np.ndarray:
    return s.session[:, agent, Session.SCROLL]


def _opened(s: State, agent: int, params: Params) -> np.ndarray:
    return s.session[:, agent, Session.LOADS]


def _place(layout: str) -> dict:
    return {"layout": layout, "agents": 1}


INSTRUCTED = Instructed(
    instructions=(
        Instruction(
            ("fill in a field", "type something into a text box", "write a word into the form", "enter a value",
             "type a word into a field"),
            _filled(Role.TEXTBOX, Role.SEARCHBOX),
        ),
        Instruction(
            ("choose from a list", "select an option of the list", "pick an entry of a menu with choices",
             "open a list and choose", "choose an option from a list"),
            _filled(Role.COMBOBOX),
        ),
        Instruction(
            ("tick a box", "select a checkbox", "check an option", "mark one of the choices", "tick one of the boxes"),
            _checked,
        ),
        Instruction(
            ("scroll down", "move down the page", "show the lower part of the page", "go further down",
             "scroll down the page"),
            _scrolled,
        ),
        Instruction(
            ("open another page", "follow a link", "go to a different page", "navigate away from here",
             "open one of the other pages"),
            _opened,
        ),
    ),
    places=tuple(map(_place, ("fill-form", "order-hardware"))),
    held_out=(_place("change-incident"),),
    centred=False,
    starts=40,
)  # fmt: skip
