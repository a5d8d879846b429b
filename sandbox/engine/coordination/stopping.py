"""Conditions that end an episode besides the world's own end: small programs that both tiers run.

A program is (K, 2) float64, in postfix order: an operation and its argument. A condition is met when its measure has
reached the argument.
"""

from enum import IntEnum

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.kernel import kernel

DEEPEST = 16  # codes on the stack
MOST_ASKED = 16  # words and predicates of one program


class Measure(IntEnum):
    """Measures of conditions; those from TOKENS on exist in the hosted tier only."""

    ALL_TASKS = 0  # 1 when every task object is done; 0 without task objects
    TICKS = 1
    MESSAGES = 2  # sent, one for each edge
    STALL = 3  # ticks since the last progress of the shared task
    TOKENS = 4
    MONEY = 5  # US dollars
    SECONDS = 6  # wall-clock time
    ASKED = 7  # first of several: 1 when a word was said or a caller's function is true; one for each


MEASURES = Measure.ASKED + MOST_ASKED  # of a lane


class Operator(IntEnum):
    """Operations, numbered after the measures."""

    AND = 100
    OR = 101


FINISH = np.array(
    [Finish.COMPLETED, Finish.TICK_LIMIT, Finish.BUDGET, Finish.STALLED, Finish.BUDGET, Finish.BUDGET, Finish.BUDGET,
     *[Finish.STOPPED] * MOST_ASKED], np.int8
)  # fmt: skip


@kernel
def met(program, measures):
    """The Finish code of a program's condition, 0 if it is not met.

    The code of ``a & b`` is that of ``b``, the last one evaluated; that of ``a | b`` is the code of the first one met.
    The stack is an integer with four bits for each code, so that nothing is allocated.
    """
    stack = np.uint64(0)
    for k in range(len(program)):
        operation = int(program[k, 0])
        if operation < Operator.AND:
            code = FINISH[operation] if measures[operation] >= program[k, 1] else 0
            stack = (stack << np.uint64(4)) | np.uint64(code)
            continue
        right, left = stack & np.uint64(15), (stack >> np.uint64(4)) & np.uint64(15)
        if operation == Operator.AND:
            code = right if left else np.uint64(0)
        else:
            code = left if left else right
        stack = ((stack >> np.uint64(8)) << np.uint64(4)) | code
    return np.int8(stack & np.uint64(15))
