"""Loading pages: what a visit meets where pages are slow, sessions expire, and things pop up.

What happens is keyed by the number of the load, so it can be told beforehand: ``schedule`` is what the HTML page gets.
"""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.web.columns import Kind, Page, Template
from sandbox.worlds.web.state import Dose, Info, Item, Session, Stream

LONGEST_DELAY = 4  # ticks beyond the first
TIME_OUT = 0.3  # dose 1 of slow_pages: share of the loads that time out
EXPIRE = 0.5  # dose 1 of expired_session: share of the loads that end at the log-in page
MOST_RETRIES, MOST_EXPIRED = 3, 2  # in one episode, for one agent
VARIANTS = 3  # pages of each kind of pop-up


@kernel
def page_of(s, lane, page, rules):
    """The number in ``Rules.page`` of one of the lane's pages."""
    return rules.template[s.info[lane, Info.TEMPLATE], Template.PAGE] + page


@kernel
def shown(session):
    """The page that an agent sees: what is on top, or its page."""
    return session[Session.OVER] if session[Session.OVER] >= 0 else session[Session.PAGE]


@kernel
def find_page(s, lane, kind, number, rules):
    """The ``number``-th page of a kind."""
    for page in range(rules.template[s.info[lane, Info.TEMPLATE], Template.PAGES]):
        if rules.page[page_of(s, lane, page, rules), Page.KIND] == kind:
            if number == 0:
                return page
            number -= 1
    return 0


@kernel
def delay(seed, load, agent, dose):
    """Ticks until load number ``load`` of an agent is there, 0 none."""
    slow = dose[Dose.SLOW_PAGES]
    if slow > 0 and uniform(seed, load, Stream.SLOW, agent) < slow:
        return 2 + below(LONGEST_DELAY, seed, load, Stream.DELAY, agent)
    return 0


@kernel
def event(seed, load, agent, dose):
    """(Kind, variant) of what comes between an agent and its page; SITE nothing."""
    late = dose[Dose.SLOW_PAGES] * TIME_OUT
    if late > 0 and uniform(seed, load, Stream.TIMEOUT, agent) < late:
        return np.int64(Kind.TIMEOUT), np.int64(0)
    expire = dose[Dose.EXPIRED_SESSION] * EXPIRE
    if expire > 0 and uniform(seed, load, Stream.EXPIRE, agent) < expire:
        return np.int64(Kind.LOGIN), np.int64(0)
    variant = below(VARIANTS, seed, load, Stream.VARIANT, agent)
    if dose[Dose.HOSTILE_POPUPS] > 0 and uniform(seed, load, Stream.HOSTILE, agent) < dose[Dose.HOSTILE_POPUPS]:
        return np.int64(Kind.HOSTILE), variant
    if dose[Dose.BENIGN_POPUPS] > 0 and uniform(seed, load, Stream.BENIGN, agent) < dose[Dose.BENIGN_POPUPS]:
        return np.int64(Kind.BENIGN), variant
    return np.int64(Kind.SITE), np.int64(0)


@kernel
def _clear_fields(s, lane, page, rules):
    row = rules.page[page_of(s, lane, page, rules)]
    for e in range(row[Page.ELEMENT], row[Page.ELEMENT] + row[Page.ELEMENTS]):
        s.item[lane, e, Item.VALUE] = 0


@kernel
def arrive(s, lane, agent, rules):
    """The page that was asked for is there, or what comes between."""
    session = s.session[lane, agent]
    page, old = np.int64(session[Session.NEXT]), np.int64(session[Session.PAGE])
    kind, variant = event(s.seed[lane], np.int64(session[Session.LOADS]), agent, rules.dose)
    session[Session.SCROLL], session[Session.FOCUS], session[Session.OVER] = 0, -1, -1
    if kind == Kind.TIMEOUT and session[Session.RETRIES] < MOST_RETRIES:
        page = np.int64(find_page(s, lane, Kind.TIMEOUT, 0, rules))
    elif kind == Kind.LOGIN and session[Session.EXPIRED] < MOST_EXPIRED:
        session[Session.EXPIRED] += 1
        page = np.int64(find_page(s, lane, Kind.LOGIN, 0, rules))
        _clear_fields(s, lane, page, rules)
    elif kind == Kind.BENIGN or kind == Kind.HOSTILE:
        session[Session.OVER] = find_page(s, lane, kind, variant, rules)
    if page != old and rules.page[page_of(s, lane, page, rules), Page.KIND] == Kind.SITE:
        if rules.page[page_of(s, lane, old, rules), Page.KIND] == Kind.SITE:
            session[Session.PREVIOUS] = old
    session[Session.PAGE] = page


@kernel
def go(s, lane, agent, page, rules):
    """Ask for a page."""
    session = s.session[lane, agent]
    session[Session.NEXT], session[Session.OVER], session[Session.FOCUS] = page, -1, -1
    session[Session.LOADS] += 1
    session[Session.LOADING] = delay(s.seed[lane], np.int64(session[Session.LOADS]), agent, rules.dose)
    if session[Session.LOADING] == 0:
        arrive(s, lane, agent, rules)
