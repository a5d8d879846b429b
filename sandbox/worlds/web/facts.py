"""A lane as a list of facts, and which of them an agent sees: what its imagination is measured by."""

import numpy as np

from sandbox.worlds.web.columns import Page, Template
from sandbox.worlds.web.state import Flag, Info, Item, Rules, Session, State
from sandbox.worlds.web.visits import shown


def facts(s: State, lane: int, rules: Rules) -> np.ndarray:
    """(3 E + R + N,) int: label, flags and content of each element; what is stored; the page that each agent sees."""
    label, flags, value = (s.item[lane, :, column] for column in (Item.LABEL, Item.FLAGS, Item.VALUE))
    pages = [shown.py_func(session) for session in s.session[lane]]
    return np.concatenate([label, flags, value, s.register[lane], pages]).astype(np.int64)


def in_view(s: State, lane: int, agent: int, rules: Rules) -> np.ndarray:
    """What is visible on the page that it sees, once that is loaded, and which page that is."""
    own, session = rules.template[s.info[lane, Info.TEMPLATE]], s.session[lane, agent]
    page = own[Template.PAGE] + shown.py_func(session)
    first, count = rules.page[page, Page.ELEMENT], rules.page[page, Page.ELEMENTS]
    numbers = np.arange(s.item.shape[1])
    there = (numbers >= first) & (numbers < first + count) & (s.item[lane, :, Item.FLAGS] & Flag.VISIBLE > 0)
    there &= session[Session.LOADING] == 0
    stored = np.zeros(s.register.shape[1], np.bool_)
    return np.concatenate([there, there, there, stored, np.arange(rules.agents) == agent])
