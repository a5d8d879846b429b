"""Page loads, with slow pages, expired sessions and pop-ups.

Draws are keyed by the number of the load, so that they can be computed in advance for the HTML page (``html``).
"""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.web.compiler.columns import Kind, Page, Template
from sandbox.worlds.web.state import Info, Item, Session, Severity, Stream

LONGEST_DELAY = 4  # ticks beyond the first
TIME_OUT = 0.3  # severity 1 of slow_pages: share of loads that time out
EXPIRE = 0.5  # severity 1 of expired_session: share of loads that end at the log-in page
MOST_RETRIES, MOST_EXPIRED = 3, 2  # in one episode, for one agent
VARIANTS = 3  # pages of each kind of pop-up


@kernel
def page_of(s, lane, page, params):
    """The number in ``Params.page`` of one of the lane's pages."""
    return params.template[s.info[lane, Info.TEMPLATE], Template.PAGE] + page


@kernel
def shown(session):
    """The page that an agent sees: a dialog or pop-up on top, else its page."""
    return session[Session.OVER] if session[Session.OVER] >= 0 else session[Session.PAGE]


@kernel
def find_page(s, lane, kind, number, params):
    """The ``number``-th page of a kind."""
    for page in range(params.template[s.info[lane, Info.TEMPLATE], Template.PAGES]):
        if params.page[page_of(s, lane, page, params), Page.KIND] == kind:
            if number == 0:
                return page
            number -= 1
    return 0


@kernel
def delay(seed, load, agent, severity):
    """Ticks until load number ``load`` of an agent is there; 0: at once."""
    slow = severity[Severity.SLOW_PAGES]
    if slow > 0 and uniform(seed, load, Stream.SLOW, agent) < slow:
        return 2 + below(LONGEST_DELAY, seed, load, Stream.DELAY, agent)
    return 0


@kernel
def event(seed, load, agent, severity):
    """(Kind, variant) of the page that an agent gets instead of, or on top of, the requested one; SITE: none."""
    late = severity[Severity.SLOW_PAGES] * TIME_OUT
    if late > 0 and uniform(seed, load, Stream.TIMEOUT, agent) < late:
        return np.int64(Kind.TIMEOUT), np.int64(0)
    expire = severity[Severity.EXPIRED_SESSION] * EXPIRE
    if expire > 0 and uniform(seed, load, Stream.EXPIRE, agent) < expire:
        return np.int64(Kind.LOGIN), np.int64(0)
    variant = below(VARIANTS, seed, load, Stream.VARIANT, agent)
    if (
        severity[Severity.HOSTILE_POPUPS] > 0
        and uniform(seed, load, Stream.HOSTILE, agent) < severity[Severity.HOSTILE_POPUPS]
    ):
        return np.int64(Kind.HOSTILE), variant
    if (
        severity[Severity.BENIGN_POPUPS] > 0
        and uniform(seed, load, Stream.BENIGN, agent) < severity[Severity.BENIGN_POPUPS]
    ):
        return np.int64(Kind.BENIGN), variant
    return np.int64(Kind.SITE), np.int64(0)


@kernel
def _clear_fields(s, lane, page, params):
    row = params.page[page_of(s, lane, page, params)]
    for e in range(row[Page.ELEMENT], row[Page.ELEMENT] + row[Page.ELEMENTS]):
        s.item[lane, e, Item.VALUE] = 0


@kernel
def arrive(s, lane, agent, params):
    """Show the requested page, or what comes between."""
    session = s.session[lane, agent]
    page, old = np.int64(session[Session.NEXT]), np.int64(session[Session.PAGE])
    kind, variant = event(s.seed[lane], np.int64(session[Session.LOADS]), agent, params.severity)
    session[Session.SCROLL], session[Session.FOCUS], session[Session.OVER] = 0, -1, -1
    if kind == Kind.TIMEOUT and session[Session.RETRIES] < MOST_RETRIES:
        page = np.int64(find_page(s, lane, Kind.TIMEOUT, 0, params))
    elif kind == Kind.LOGIN and session[Session.EXPIRED] < MOST_EXPIRED:
        session[Session.EXPIRED] += 1
        page = np.int64(find_page(s, lane, Kind.LOGIN, 0, params))
        _clear_fields(s, lane, page, params)
    elif kind == Kind.BENIGN or kind == Kind.HOSTILE:
        session[Session.OVER] = find_page(s, lane, kind, variant, params)
    if page != old and params.page[page_of(s, lane, page, params), Page.KIND] == Kind.SITE:
        if params.page[page_of(s, lane, old, params), Page.KIND] == Kind.SITE:
            session[Session.PREVIOUS] = old
    session[Session.PAGE] = page


@kernel
def go(s, lane, agent, page, params):
    """Request a page."""
    session = s.session[lane, agent]
    session[Session.NEXT], session[Session.OVER], session[Session.FOCUS] = page, -1, -1
    session[Session.LOADS] += 1
    session[Session.LOADING] = delay(s.seed[lane], np.int64(session[Session.LOADS]), agent, params.severity)
    if session[Session.LOADING] == 0:
        arrive(s, lane, agent, params)
