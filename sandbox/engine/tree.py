"""A tree over one agent's own first actions, for open-loop UCT.

A node is a sequence of actions and no state: futures are drawn anew each time, so the same actions lead to different
states (Bubeck and Munos 2010). Children are chosen by UCB1 (Auer and others 2002), as in UCT (Kocsis and Szepesvari
2006), scaled by the span of all gains so far. Below the root a node may have 1 + sqrt(visits) children (progressive
widening, Chaslot and others 2008), the base policy's own action first. Node 0 is the root, so 0 also means: none.
"""

from enum import IntEnum
from math import inf, log, sqrt

import numpy as np

from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel

ROOT = np.int64(0)
NONE = np.int64(0)


class Node(IntEnum):
    """Columns of ``Workspace.nodes``."""

    PAIR = 0  # verb and target that lead to it; of the root: the number of nodes
    VISITS = 1
    CHILD = 2  # its first child
    NEXT = 3  # its next sibling


@kernel
def add_child(nodes, worth, parent, pair):
    """A new node, the last child of ``parent``."""
    new = np.int64(nodes[ROOT, Node.PAIR])
    nodes[ROOT, Node.PAIR] += 1
    nodes[new, Node.PAIR], nodes[new, Node.VISITS], nodes[new, Node.CHILD], nodes[new, Node.NEXT] = pair, 0, 0, 0
    worth[new, 0], worth[new, 1] = 0.0, 0.0
    last = np.int64(nodes[parent, Node.CHILD])
    if last == NONE:
        nodes[parent, Node.CHILD] = new
        return new
    while nodes[last, Node.NEXT]:
        last = np.int64(nodes[last, Node.NEXT])
    nodes[last, Node.NEXT] = new
    return new


@kernel
def plant(nodes, worth, pairs, count):
    """A root whose children are the first ``count`` of ``pairs``: node k + 1 is pair k."""
    nodes[ROOT, Node.PAIR], nodes[ROOT, Node.VISITS], nodes[ROOT, Node.CHILD], nodes[ROOT, Node.NEXT] = 1, 0, 0, 0
    worth[ROOT, 0], worth[ROOT, 1] = 0.0, 0.0
    for k in range(count):
        add_child(nodes, worth, ROOT, pairs[k])


@kernel
def choose_child(nodes, worth, parent, mask):
    """The legal child with the highest upper confidence bound; unvisited ones first; NONE without a legal child."""
    best, most, span = NONE, -inf, worth[ROOT, 1] - worth[ROOT, 0]
    child = np.int64(nodes[parent, Node.CHILD])
    while child != NONE:
        if mask[nodes[child, Node.PAIR]]:
            visits = nodes[child, Node.VISITS]
            if visits == 0:
                return child
            bound = worth[child, 0] / visits + span * sqrt(2.0 * log(nodes[parent, Node.VISITS]) / visits)
            if bound > most:
                best, most = child, bound
        child = np.int64(nodes[child, Node.NEXT])
    return best


@kernel
def _has_child(nodes, parent, pair):
    child = np.int64(nodes[parent, Node.CHILD])
    while child != NONE:
        if nodes[child, Node.PAIR] == pair:
            return True
        child = np.int64(nodes[child, Node.NEXT])
    return False


@kernel
def _untried(nodes, parent, own, mask, dice, tick):
    """The pair ``own``, or another legal one at random if ``own`` is tried; -1 if all are tried."""
    if not _has_child(nodes, parent, own):
        return np.int64(own)
    found, count = np.int64(-1), 0
    for pair in range(len(mask)):
        if mask[pair] and not _has_child(nodes, parent, pair):
            count += 1
            if below(count, dice, tick, 0, pair) == 0:
                found = np.int64(pair)
    return found


@kernel
def descend(nodes, worth, parent, own, mask, most, dice, tick):
    """The child that continues a future, a new one while ``parent`` may have more; NONE if all are illegal."""
    count, child = 0, np.int64(nodes[parent, Node.CHILD])
    while child != NONE:
        count += mask[nodes[child, Node.PAIR]]
        child = np.int64(nodes[child, Node.NEXT])
    if count < min(most, 1 + int(sqrt(nodes[parent, Node.VISITS]))) and nodes[ROOT, Node.PAIR] < len(nodes):
        pair = _untried(nodes, parent, own, mask, dice, tick)
        if pair >= 0:
            return add_child(nodes, worth, parent, pair)
    return choose_child(nodes, worth, parent, mask)


@kernel
def back_up(nodes, worth, path, gain):
    """Count the gain of a future for all nodes of ``path``, which ends with NONE; the root keeps the span of gains."""
    nodes[ROOT, Node.VISITS] += 1
    worth[ROOT, 0], worth[ROOT, 1] = min(worth[ROOT, 0], gain), max(worth[ROOT, 1], gain)
    k = 0
    while path[k] != NONE:
        nodes[path[k], Node.VISITS] += 1
        worth[path[k], 0] += gain
        worth[path[k], 1] += gain * gain
        k += 1


@kernel
def best_child(nodes, worth, count, visits, caution, margin):
    """The index of the root's child, of ``count``, with the best lower bound of its mean gain.

    It is 0, the base policy's choice, unless another bound exceeds its mean by ``margin``. Children with fewer than
    ``visits`` visits, the equal share, are excluded.
    """
    best, most = 0, margin + max(0.0, worth[1, 0] / max(1, nodes[1, Node.VISITS]))
    for node in range(2, count + 1):
        number = nodes[node, Node.VISITS]
        if number < visits:
            continue
        mean = worth[node, 0] / number
        bound = mean - caution * sqrt(max(0.0, worth[node, 1] / number - mean * mean) / number)
        if bound > most:
            best, most = node - 1, bound
    return best
