"""Networks and the delivery of messages: the same kernels in both tiers, for any world.

What agents say in a tick stands on a page, and a few pages are kept. Nobody carries a message: whether one of an
earlier page arrives now is found by looking along the edges that lead to an agent, a pure function of the pages and of
keyed draws. ``arrives`` says it of one message; ``deliver`` fills everybody's letters and keeps the books.

A message takes one tick and its edge's delay. Where the graph is made anew by position, the edges are those of the tick
in which it arrives.
"""

from typing import NamedTuple

import numpy as np

from sandbox.engine.draw import NETWORK, below, uniform
from sandbox.engine.kernel import kernel

UNLIMITED = 2**31 - 1  # bandwidth
TO, ACT, TASK, VALUE = range(4)  # columns of ``Mail.said``
SENT, ARRIVED, LOST = range(3)  # columns of ``Mail.counts``; the last two: what can become of a message
TURN, CHANCE = NETWORK, NETWORK + 1  # streams; none come after them, since indices of the last exceed 2**32
_ELSEWHERE = 0  # it does not come along this edge in this tick
_ROWS, _COLS = (0, -1, 0, 1, 0, -1, -1, 1, 1), (0, 0, 1, 0, -1, -1, 1, 1, -1)  # own bin, sides, corners


class Terms(NamedTuple):
    """Terms of edges; T is 1 if all are equal, else there is a row for each edge."""

    loss: np.ndarray  # (T,) float64  chance that a message is lost
    delay: np.ndarray  # (T,) int32   ticks beyond the one that every message takes
    width: np.ndarray  # (T,) int32   bandwidth: messages a tick


class Network(NamedTuple):
    """The edges that lead to each of N agents, compressed sparse rows; E edges, or places for them.

    W is 1 where all lanes have one graph, else the number of lanes. Of the messages that are said along an edge in one
    tick, those beyond its bandwidth are dropped (tail drop), before chance takes its share of the others.
    """

    first: np.ndarray  # (W, N + 1) int32  agent i is reached by the edges first[w, i] .. first[w, i + 1] - 1
    sender: np.ndarray  # (W, E) int32
    terms: Terms
    bins: np.ndarray  # (W, N + 1) int32   scratch of ``rewire``: where each bin begins in ``order``
    order: np.ndarray  # (W, N, 3) int32   the agents, bin by bin, with row and column
    reach: int  # cells; 0: the graph never changes, else ``rewire`` makes it from positions


class Mail(NamedTuple):
    """Recent messages, on D = longest delay + 2 pages of S places for each agent, and their fates."""

    said: np.ndarray  # (L, D, N, S, 4) int32  page tick % D: to + 1 (0: all), act (0: none), task's code, value
    counts: np.ndarray  # (L, N, 3) int64      sent along an edge, by sender; arrived and lost, by receiver


def mail_for(net: Network, lanes: int, places: int) -> Mail:
    """Empty pages with ``places`` messages a tick for every agent."""
    agents, pages = net.first.shape[1] - 1, int(net.terms.delay.max()) + 2
    return Mail(np.zeros((lanes, pages, agents, places, 4), np.int32), np.zeros((lanes, agents, 3), np.int64))


@kernel
def open_page(mail, lane, tick):
    """Clear the page of this tick, before agents speak."""
    mail.said[lane, tick % mail.said.shape[1]] = 0


@kernel
def say(mail, lane, tick, agent, to, act, task, value):
    """Put a message of ``agent`` on this tick's page; ``to`` is an agent, or -1 for all. False: its places are full."""
    own = mail.said[lane, tick % mail.said.shape[1], agent]
    for m in range(len(own)):
        if own[m, ACT] == 0:
            own[m, TO], own[m, ACT], own[m, TASK], own[m, VALUE] = to + 1, act, task, value
            return True
    return False


@kernel
def _row(net, lane):
    """The graph of a lane."""
    return min(lane, net.first.shape[0] - 1)


@kernel
def _line(net, edge):
    """The row of an edge's terms."""
    return min(edge, len(net.terms.loss) - 1)


@kernel
def _page(mail, today, delay):
    """The page of what arrives now after ``delay``, where ``today`` is this tick's; without a division."""
    page = today - 1 - delay
    return page if page >= 0 else page + mail.said.shape[1]


@kernel
def _takes(message, agent):
    """Whether a message goes along an edge to ``agent``."""
    return message[ACT] != 0 and (message[TO] == 0 or message[TO] == agent + 1)


@kernel
def _fate(seed, then, terms, line, own, agent, sender, m):
    """What becomes of message ``m`` of ``own`` (S, 4), which ``sender`` said at ``then``, on an edge to ``agent``."""
    if not _takes(own[m], agent):
        return _ELSEWHERE
    before = 0
    for k in range(m):
        before += _takes(own[k], agent)
    if before >= terms.width[line]:
        return LOST
    key = np.int64(m) << 34 | np.int64(sender) << 17 | agent  # agents have 17 bits
    return LOST if terms.loss[line] > 0 and uniform(seed, then, CHANCE, key) < terms.loss[line] else ARRIVED


@kernel
def arrives(seed, tick, lane, net, mail, agent, edge, m):
    """Whether message ``m`` (0..S-1) of the sender of ``edge``, which leads to ``agent``, arrives in this tick.

    It was said 1 + delay ticks ago, to all or to this agent, is among the first ``width`` that took the edge then, and
    was not lost. The chance is keyed by sender, receiver, message and tick, wherever the edge stands in the arrays.
    """
    line, sender = _line(net, edge), net.sender[_row(net, lane), edge]
    delay = net.terms.delay[line]
    own = mail.said[lane, _page(mail, tick % mail.said.shape[1], delay), sender]
    return tick > delay and _fate(seed, tick - 1 - delay, net.terms, line, own, agent, sender, m) == ARRIVED


@kernel
def deliver(seed, tick, lane, net, mail, messages, arrived):
    """Put what reaches each agent in this tick into ``messages``, and count it: once a tick, after ``rewire``.

    ``messages`` (E * S, 4) int32 is sender, act, task and value of each; agent i's begin at ``first[i]`` * S, and it
    has ``arrived[i]``, (N,) int32.
    """
    arrived[:] = 0
    there = net.bins[_row(net, lane), len(arrived)] if net.reach else len(arrived)
    for k in range(there):  # neighbours after one another, whose pages are then at hand
        agent = net.order[_row(net, lane), k, 0] if net.reach else k
        arrived[agent] = _deliver_to(seed, tick, lane, net, mail, agent, messages)


@kernel
def _deliver_to(seed, tick, lane, net, mail, agent, messages):
    """One agent's messages, edge by edge from a random one, so that no sender is always first."""
    row, counts, today, places = _row(net, lane), mail.counts[lane], tick % mail.said.shape[1], mail.said.shape[3]
    begin, end, found, lost = net.first[row, agent], net.first[row, agent + 1], 0, 0
    edge = begin + below(max(1, end - begin), seed, tick, TURN, agent)
    for _ in range(end - begin):
        line, sender = _line(net, edge), net.sender[row, edge]
        delay = net.terms.delay[line]
        own = mail.said[lane, _page(mail, today, delay), sender]
        for m in range(places):
            if own[m, ACT] == 0 or tick <= delay:
                break  # places fill in order
            fate = _fate(seed, tick - 1 - delay, net.terms, line, own, agent, sender, m)
            counts[sender, SENT] += fate != _ELSEWHERE
            lost += fate == LOST
            if fate == ARRIVED:
                letter = messages[begin * places + found]
                letter[0], letter[1], letter[2], letter[3] = sender, own[m, ACT], own[m, TASK], own[m, VALUE]
                found += 1
        edge = begin if edge + 1 == end else edge + 1
    counts[agent, ARRIVED] += found
    counts[agent, LOST] += lost
    return found


@kernel
def rewire(pos, lane, net):
    """Make a lane's graph anew where it depends on position: agents hear those within ``reach`` cells (Manhattan).

    At most E // N senders each: those of its own bin of the map first, then of the bins at its sides, then of those at
    the corners, beginning in each bin with another one for each agent. ``pos`` is (L, N, 2) int32; who has a negative
    row is nowhere, hears nobody and is not heard. Linear in N, by counting sort.
    """
    if net.reach == 0:
        return
    agents, row = pos.shape[1], _row(net, lane)
    bins, order, first, sender = net.bins[row], net.order[row], net.first[row], net.sender[row]
    most, filled = len(sender) // agents, 0
    top, left, side, down, across = _sort(pos[lane], net.reach, bins, order)
    for agent in range(agents):
        first[agent] = filled
        if pos[lane, agent, 0] >= 0:
            i, j = np.int32(pos[lane, agent, 0] - top) // side, np.int32(pos[lane, agent, 1] - left) // side
            for k in range(9):
                b = k if k == 0 or k > 4 else 1 + (k - 1 + agent & 3)
                r, c = i + _ROWS[b], j + _COLS[b]
                if 0 <= r < down and 0 <= c < across:
                    near = order[bins[r * across + c] : bins[r * across + c + 1]]
                    filled = _gather(pos[lane, agent], agent, near, net.reach, sender, filled, first[agent] + most)
    first[agents] = filled


@kernel
def _sort(pos, reach, bins, order):
    """Counting sort of the agents into bins; returns the first row and column, the bins' side, their rows and columns.

    Bins are squares of side ``reach``, or as much larger as it takes for N of them to cover all agents.
    """
    top, left, bottom, right = _bounds(pos)
    side = reach
    while ((bottom - top) // side + 1) * ((right - left) // side + 1) > len(pos):
        side += 1 + side // 4
    down, across = (bottom - top) // side + 1, (right - left) // side + 1
    bins[:] = 0
    for agent in range(len(pos)):
        if pos[agent, 0] >= 0:
            bins[(pos[agent, 0] - top) // side * across + (pos[agent, 1] - left) // side] += 1
    for b in range(1, len(bins)):
        bins[b] += bins[b - 1]
    for agent in range(len(pos) - 1, -1, -1):
        if pos[agent, 0] >= 0:
            b = (pos[agent, 0] - top) // side * across + (pos[agent, 1] - left) // side
            bins[b] -= 1
            order[bins[b], 0], order[bins[b], 1], order[bins[b], 2] = agent, pos[agent, 0], pos[agent, 1]
    return top, left, side, down, across


@kernel
def _bounds(pos):
    """First row and column, last row and column with an agent; zeros without agents on the map."""
    top, left, bottom, right, nobody = 0, 0, 0, 0, True
    for row, col in pos:
        if row >= 0:
            top, bottom = row if nobody else min(top, row), max(bottom, row)
            left, right, nobody = col if nobody else min(left, col), max(right, col), False
    return top, left, bottom, right


@kernel
def _gather(pos, agent, near, reach, sender, filled, full):
    """Put the agents of a bin that are in reach into ``sender`` from ``filled`` on, up to ``full``; the new end."""
    k = (agent * 40503 & 0xFFFF) * len(near) >> 16  # Fibonacci hashing (Knuth)
    for _ in range(len(near)):
        if filled == full:
            break
        other, far = near[k, 0], abs(near[k, 1] - pos[0]) + abs(near[k, 2] - pos[1])
        sender[filled] = other  # kept where the end moves on: no branch to be foretold
        filled += (far <= reach) & (other != agent)
        k = 0 if k + 1 == len(near) else k + 1
    return filled
