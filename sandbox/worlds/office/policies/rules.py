"""Policies that see their observation: a careful clerk, and a recorded macro that does not look."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random
from sandbox.worlds.office.dynamics.documents import checks_of
from sandbox.worlds.office.policies.oracle import oracle
from sandbox.worlds.office.state import (
    FIRST_POLICY,
    SIDE,
    SLOTS,
    Channel,
    Check,
    Column,
    Flag,
    Found,
    Verb,
)  # fmt: skip

LATE = 24  # hours after which even an agent that is barred takes a case, to have it settled


@kernel
def _put(actions, lane, agent, verb, target):
    actions[lane, agent, 0], actions[lane, agent, 1] = verb, target


@kernel
def _can(obs, lane, agent, verb, tray):
    return obs.mask[lane, agent, verb * SLOTS + tray]


@kernel
def first_in_line(obs, lane, agent, skipped):
    """The tray of the first case in line that can be taken after ``skipped`` others, or of the last one; -1: none.

    Cases that others must do are left to them, unless they have waited long.
    """
    window = obs.window[lane, agent]
    last, tray_of_last = 0, -1
    while True:
        best, rank = -1, 128
        for tray in range(SLOTS):
            own = np.int64(window[Channel.RANK, tray // SIDE, tray % SIDE])
            if last < own < rank and _can(obs, lane, agent, Verb.TAKE, tray):
                flags = np.int64(window[Channel.FLAGS, tray // SIDE, tray % SIDE])
                if not flags & Flag.BARRED or window[Channel.WAIT, tray // SIDE, tray % SIDE] >= LATE:
                    best, rank = tray, own
        if best < 0:
            return tray_of_last
        if skipped == 0:
            return best
        last, tray_of_last, skipped = rank, best, skipped - 1


@kernel
def _finish(obs, lane, agent, tray, actions):
    """Complete or approve, whichever the activity asks for."""
    verb = Verb.COMPLETE if _can(obs, lane, agent, Verb.COMPLETE, tray) else Verb.APPROVE
    _put(actions, lane, agent, verb, tray)


@kernel
def remedy_of(obs, lane, agent, params):
    """The verb that the rule book names for what matching has found; WAIT: all is well."""
    vector = obs.vector[lane, agent]
    verb = np.int64(Verb.WAIT)
    for k, check in enumerate(checks_of(params, np.int64(vector[Column.ACTIVITY]) - 1)):
        found = np.int64(vector[FIRST_POLICY + params.policies + k])
        own = np.int64(Verb.WAIT)
        if found == Found.FAILS:
            own = np.int64(params.check[check, Check.REMEDY])
        elif found == Found.UNREADABLE:
            own = np.int64(Verb.ESCALATE)
        if own == Verb.REJECT:
            return own
        if own != Verb.WAIT and verb != Verb.ESCALATE:
            verb = own
    return verb


@kernel
def _prepare(obs, lane, agent, actions):
    """Wait while busy, take what is first in line, match it; returns the tray that is to be decided on, else -1."""
    _put(actions, lane, agent, Verb.WAIT, 0)
    vector = obs.vector[lane, agent]
    tray = np.int64(vector[Column.TRAY]) - 1
    if vector[Column.BUSY] > 0:
        return -1
    if tray < 0:
        found = first_in_line(obs, lane, agent, np.int64(vector[Column.AHEAD]))
        if found >= 0:
            _put(actions, lane, agent, Verb.TAKE, found)
        return -1
    if _can(obs, lane, agent, Verb.MATCH, tray):
        _put(actions, lane, agent, Verb.MATCH, tray)
        return -1
    return tray


@kernel
def rules(obs, lane, params, memory, team, dice, actions):
    """A clerk: first in, first out; it matches before it decides, and does what the rule book says."""
    for agent in team:
        tray = _prepare(obs, lane, agent, actions)
        if tray < 0:
            continue
        verb = remedy_of(obs, lane, agent, params)
        if verb != Verb.WAIT and _can(obs, lane, agent, verb, tray):
            _put(actions, lane, agent, verb, tray)
        else:
            _finish(obs, lane, agent, tray, actions)


@kernel
def macro(obs, lane, params, memory, team, dice, actions):
    """A recorded bot: take, match, complete, whatever matching says."""
    for agent in team:
        tray = _prepare(obs, lane, agent, actions)
        if tray >= 0:
            _finish(obs, lane, agent, tray, actions)


POLICIES = {"idle": idle, "random": random, "rules": rules, "macro": macro, "oracle": oracle}
