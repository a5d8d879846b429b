"""The tree of UCT, and how imagination is measured: both by themselves."""

import numpy as np
import pytest

from sandbox.analysis.prediction_error import CHANGED, FALSE, MISSED, STILL, _count, foresight
from sandbox.core.errors import UsageError
from sandbox.engine.draw import uniform
from sandbox.engine.tree import Node, back_up, best_child, choose_child, descend, plant
from sandbox.scenario import load
from sandbox.statistics import ratio

ROOT, EVERYTHING = np.int64(0), np.ones(6, bool)


@pytest.fixture
def tree():
    """A root with the pairs 4, 2 and 5 as its children, and room for more."""
    nodes, worth = np.zeros((60, 4), np.int32), np.zeros((60, 2))
    plant(nodes, worth, np.array([4, 2, 5], np.int32), 3)
    return nodes, worth


def visit(tree, *path, gain=0.0):
    back_up(*tree, np.array([*path, 0], np.int64), gain)


def test_every_child_is_visited_before_any_twice_and_the_best_most_often(tree):
    nodes, worth = tree
    for k in range(300):
        child = choose_child(nodes, worth, ROOT, EVERYTHING)
        assert k >= 3 or child == k + 1
        visit(tree, child, gain=float(uniform(np.uint64(1), k, 0, child) < (0.2, 0.8, 0.5)[child - 1]))
    visits = nodes[1:4, Node.VISITS]
    assert visits.sum() == nodes[0, Node.VISITS] == 300 and visits.argmax() == 1 and visits[1] > 180
    assert best_child(nodes, worth, 3, 100, 2.0, 0.01) == 1


def test_illegal_children_are_passed_over(tree):
    legal = np.zeros(6, bool)
    assert choose_child(*tree, ROOT, legal) == 0
    legal[5] = True
    assert choose_child(*tree, ROOT, legal) == 3


def test_a_node_widens_with_its_visits_the_bases_own_action_first(tree):
    nodes, worth = tree
    for k in range(40):
        child = descend(nodes, worth, np.int64(1), 3, EVERYTHING, 4, np.uint64(7), k)
        visit(tree, 1, child, gain=1.0 * (nodes[child, Node.PAIR] == 0))
        children = range(4, nodes[0, Node.PAIR])
        assert nodes[children[0], Node.PAIR] == 3 and len(children) == min(4, 1 + int(np.sqrt(k)))
    pairs = nodes[4:8, Node.PAIR].tolist()
    assert len(set(pairs)) == 4 and nodes[1, Node.CHILD] == 4 and worth[0].tolist() == [0.0, float(0 in pairs)]


def test_what_is_little_known_or_no_better_beyond_chance_is_left_alone(tree):
    nodes, worth = tree
    for gain in (1.0, 1.0, -0.9, 1.2):
        visit(tree, 2, gain=gain)
    visit(tree, 3, gain=9.0)
    assert best_child(nodes, worth, 3, 2, 0.0, 0.01) == 1, "3 is better but was visited once"
    assert best_child(nodes, worth, 3, 2, 3.0, 0.01) == 0
    for _ in range(4):
        visit(tree, 1, gain=2.0)
    assert best_child(nodes, worth, 3, 2, 0.0, 0.01) == 0, "the base's own action with another one after it is better"


def test_forecasts_are_counted_on_what_changed():
    """Four facts, of which two change up to tick 2, the first of them in view; one of two futures foresees it."""
    came = [np.array([0, 0, 0, 0]), np.array([1, 0, 0, 0]), np.array([1, 1, 0, 0])]
    before, later = np.zeros((2, 4), int), np.array([[1, 0, 5, 0], [0, 0, 0, 0]])
    seen = np.array([True, False, False, True])
    counts = _count(came, [(0, seen, [before, later])], [2])
    assert counts[0, 0, [CHANGED, MISSED, STILL, FALSE]].tolist() == [1, 0.5, 1, 0]
    assert counts[0, 1, [CHANGED, MISSED, STILL, FALSE]].tolist() == [1, 1, 1, 0.5]
    assert not _count(came, [(1, seen, [before, later])], [2]).any(), "the episode ended before"


def test_a_ratio_counts_wholes_not_trials():
    rate = ratio(np.array([1.0, 9.0, 0.0]), np.array([2.0, 10.0, 0.0]))
    assert rate.value == 10 / 12 and rate.low < 10 / 12 < rate.high


def test_no_horizon_is_no_foresight():
    blind = {"world": {"name": "web"}, "agents": [{"world_model": {"horizon": 0}}]}
    with pytest.raises(UsageError, match="horizon is 0; expected a tick or more"):
        foresight(load(blind), 2)
