"""What the client wishes for, and what goes wrong on the way: a change of mind, stock, prices, a pillar."""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.rooms.dynamics.geometry import cheapest
from sandbox.worlds.rooms.state import WISHES, Cell, Deal, Severity, Stream, Thing, Wish

FIRST, SPAN = 5, 10  # ticks: when something can go wrong
RISE = 0.12  # of all prices, at severity 1
MARGIN = 1.15  # the budget, in sums of the second cheapest things that serve the wishes
TASTE = 0.5  # share of the wishes that ask for the client's style


@kernel
def _is_wanted(wish, category):
    """Whether a wish of this category is there already."""
    for k in range(WISHES):
        if wish[k, Wish.CATEGORY] == category:
            return True
    return False


@kernel
def draw_wish(s, lane, params, k, version):
    """Write wish ``k``, of a category that no other wish has; ``version`` counts the client's changes of mind."""
    wish, free = s.wish[lane], 0
    for t in range(len(params.wants)):
        free += not _is_wanted(wish, params.wants[t, Wish.CATEGORY])
    left = below(free, s.seed[lane], version, Stream.WISH, k)
    for t in range(len(params.wants)):
        if not _is_wanted(wish, params.wants[t, Wish.CATEGORY]):
            if left == 0:
                for column in range(params.wants.shape[1]):
                    wish[k, column] = params.wants[t, column]
                break
            left -= 1
    wish[k, Wish.STYLE], wish[k, Wish.TOLD] = 0, 0
    if uniform(s.seed[lane], version, Stream.TASTE, k) < TASTE:
        wish[k, Wish.STYLE] = below(params.styles, s.seed[lane], 0, Stream.STYLE, 0) + 1


@kernel
def cost_of(s, lane, params, k, rank):
    """Euros for the cheapest thing that serves a wish, or for the second cheapest if there is one."""
    thing = cheapest(s.price[lane], params, s.wish[lane, k], rank)
    if thing < 0:
        thing = cheapest(s.price[lane], params, s.wish[lane, k], np.int64(0))
    return np.int64(s.price[lane, thing]) if thing >= 0 else np.int64(0)


@kernel
def begin_deal(s, lane, params):
    """Draw the wishes, and the budget by them."""
    s.wish[lane], s.deal[lane] = 0, 0
    for thing in range(len(params.thing)):
        s.price[lane, thing] = params.thing[thing, Thing.PRICE]
    total = 0
    for k in range(params.wishes):
        draw_wish(s, lane, params, k, np.int64(0))
        total += cost_of(s, lane, params, k, np.int64(1))
    s.deal[lane, Deal.BUDGET] = np.int64(np.ceil(total * MARGIN / 50.0)) * 50


@kernel
def _is_time(s, lane, params, perturbation, stream):
    """Whether a perturbation happens in this tick: once at most in an episode."""
    severity = params.severity[perturbation]
    if severity == 0 or uniform(s.seed[lane], 0, stream, 0) >= severity:
        return False
    return s.tick[lane] == FIRST + below(SPAN, s.seed[lane], 0, stream, 1)


@kernel
def change_mind(s, lane, params, k):
    """The client wishes for something else, and adds what the cheapest such thing costs more."""
    before = cost_of(s, lane, params, k, np.int64(0))
    draw_wish(s, lane, params, k, np.int64(s.tick[lane]))
    s.deal[lane, Deal.BUDGET] += max(0, cost_of(s, lane, params, k, np.int64(0)) - before)
    if s.deal[lane, Deal.ASKED] == k + 1:
        s.deal[lane, Deal.ASKED] = 0


@kernel
def happen(s, lane, params):
    """What goes wrong in this tick; whether anything does."""
    changed = False
    if _is_time(s, lane, params, Severity.CHANGED_MIND, Stream.MIND):
        change_mind(s, lane, params, below(params.wishes, s.seed[lane], 0, Stream.MIND, 2))
        changed = True
    if _is_time(s, lane, params, Severity.OUT_OF_STOCK, Stream.STOCK):
        first = below(params.wishes, s.seed[lane], 0, Stream.STOCK, 2)
        for k in range(params.wishes):  # the cheapest thing for a wish that something else serves too
            wish = s.wish[lane, (first + k) % params.wishes]
            if cheapest(s.price[lane], params, wish, np.int64(1)) >= 0:
                s.price[lane, cheapest(s.price[lane], params, wish, np.int64(0))] *= -1
                changed = True
                break
    if _is_time(s, lane, params, Severity.PRICE_RISE, Stream.PRICE):
        factor = 1.0 + RISE * params.severity[Severity.PRICE_RISE]
        for thing in range(len(params.thing)):
            s.price[lane, thing] = np.int64(s.price[lane, thing] * factor)
        changed = True
    if _is_time(s, lane, params, Severity.WRONG_MEASURE, Stream.PILLAR) and len(params.nook):
        cell = np.int64(params.nook[below(len(params.nook), s.seed[lane], 0, Stream.PILLAR, 2)])
        s.grid[lane, cell // params.plan.shape[1], cell % params.plan.shape[1]] = Cell.PILLAR
        changed = True
    return changed
