"""The office: its queueing engine beside SimPy, Erlang's formula to one per cent, what its procure-to-pay gives."""

from math import factorial, sqrt
from random import Random

import numpy as np
import simpy

import sandbox
from benchmarks.office_prosimos import beside_prosimos
from benchmarks.report import Figure, table, times
from benchmarks.rounds import Pace, in_turns
from sandbox.engine.queueing.distributions import exponential
from sandbox.engine.queueing.network import Network, simulate
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.state import DAY, Case, Status

SERVERS, LOAD = 3, 0.8
QUEUE = Network(exponential(1.0), [exponential(SERVERS * LOAD)], [SERVERS])


# -- beside SimPy ------------------------------------------------------------------------------------------------------


def by_simpy(customers: int, waited: dict) -> int:
    """M/M/3 as SimPy's documentation writes it: a process for each customer."""
    env, dice, total = simpy.Environment(), Random(1), [0.0]
    desks = simpy.Resource(env, SERVERS)

    def customer():
        arrived = env.now
        with desks.request() as turn:
            yield turn
            total[0] += env.now - arrived
            yield env.timeout(dice.expovariate(1 / (SERVERS * LOAD)))

    def source():
        for _ in range(customers):
            yield env.timeout(dice.expovariate(1.0))
            env.process(customer())

    env.process(source())
    env.run()
    waited["SimPy"] = total[0] / customers
    return customers


def by_ours(customers: int, waited: dict) -> int:
    result = simulate(QUEUE, 1, customers)
    waited["ours"] = result.waited / customers
    return customers


def beside_simpy(quick: bool) -> list[Figure]:
    """M/M/3 at load .8, without records, one thread."""
    waited, few, many = {}, 20_000 if quick else 100_000, 2_000_000
    by_ours(1_000, waited)  # compile
    peer = Pace("SimPy, M/M/3 at load .8", lambda: by_simpy(few, waited))
    ours = Pace("ours, M/M/3 at load .8, 1 thread", lambda: by_ours(many, waited))
    in_turns(3 if quick else 5, ours, peer)
    assert abs(waited["ours"] / erlang_wait(SERVERS, LOAD) - 1) < 0.05
    simpys = peer.figure("customers", cpu=True)
    return [simpys, ours.figure("customers", cpu=True, beside=simpys, target=times(100))]


def episodes(quick: bool) -> list[Figure]:
    """Whole episodes of procure to pay: the compiled loop, with observations, one thread."""
    env = sandbox.make("office", cases=100, agents=3, max_ticks=100_000)
    lanes, paces = 20 if quick else 100, []
    for policy in ("rules", "oracle"):
        env.play([0], policy)  # compile
        paces.append(Pace(f"cases by {policy}, 1 thread", lambda policy=policy: play(env, lanes, policy)))
    in_turns(3, *paces)
    return [pace.figure("cases", cpu=True) for pace in paces]


def play(env, lanes: int, policy: str) -> int:
    """The cases that were closed."""
    state, _ = env.play(range(lanes), policy)
    return int((state.case[:, :, Case.STATUS] >= Status.RIGHT).sum())


# -- Erlang's formula --------------------------------------------------------------------------------------------------


def erlang_wait(servers: int, load: float) -> float:
    """Mean wait of M/M/c with arrivals at rate 1: Erlang's C / (c mu - lambda)."""
    offered = servers * load
    last = offered**servers / factorial(servers) / (1 - load)
    chance = last / (sum(offered**k / factorial(k) for k in range(servers)) + last)
    return chance / (servers / offered - 1)


def erlang(quick: bool) -> None:
    """Runs are added until the 95 % interval of the mean wait is one per cent wide to each side."""
    rows, customers, width = [], 2_000_000, 0.03 if quick else 0.01
    for servers in (1, 3, 10):
        for load in (0.5, 0.8, 0.95):
            net, found = Network(exponential(1.0), [exponential(servers * load)], [servers], room=1_000_000), []
            half = np.inf
            while len(found) < 10 or half > width * np.mean(found):
                found.append(simulate(net, 1_000 + len(found), customers).waited / customers)
                half = 1.96 * np.std(found, ddof=1) / sqrt(len(found)) if len(found) > 1 else np.inf
            exact, mean = erlang_wait(servers, load), float(np.mean(found))
            rows.append([servers, load, exact, mean, float(half), "yes" if abs(mean - exact) <= half else "no",
                         len(found) * customers])  # fmt: skip
    columns = ["servers", "load", "Erlang's mean wait", "ours", "+-", "within", "customers"]
    table("Mean waits of M/M/c beside Erlang's formula, 95 % intervals, seeds from 1000", columns, rows)


# -- procure to pay ----------------------------------------------------------------------------------------------------


def medians(quick: bool) -> None:
    """What the process gives where people run it, beside what is published of BPI 2019. Seeds from 10,000."""
    env = sandbox.make("office", cases=60, agents=1, people=3, max_ticks=100_000)
    lanes = 100 if quick else 1_000
    s, _ = env.play(range(10_000, 10_000 + lanes), "idle", threads=None)
    rows = [[*own, value] for own, value in zip(PUBLISHED.items(), measured(s, env), strict=True)]
    table(f"Procure to pay by people, {lanes} episodes of 60 cases", ["", "published", "simulated"], rows)


PUBLISHED = {
    "order to goods, median days": 9.0, "goods to invoice, median days": 26.0, "invoice to payment, median days": 36.0,
    "changed, share of cases": 0.13, "with a repeated activity, share of cases": 0.089,
    "of a fifth of the vendors, share of cases": 0.92,
}  # fmt: skip


def measured(s, env) -> list[float]:
    """The figures of ``PUBLISHED``, of a state whose episodes have ended."""
    names = labels(env.params)
    at = {name: k for k, name in enumerate(names.activities)}
    spans = []
    for first, then in (("order", "receive"), ("receive", "invoice"), ("invoice", "pay")):
        begin, end = s.stamp[:, :, at[first]], s.stamp[:, :, at[then]]
        both = (begin > 0) & (end > begin)
        spans.append(float(np.median(end[both] - begin[both])) / DAY)
    issues, invoiced = s.case[:, :, Case.ISSUES], s.visits[:, :, at["invoice"]] > 0
    changed = s.visits[:, :, at["change order"]] > 0
    for name in ("price on the invoice", "quantity on the invoice", "invoice sent twice"):
        changed |= (issues >> names.issues.index(name) & 1 > 0) & invoiced
    vendors = s.truth[:, :, names.fields.index("order.vendor")]
    assert (s.case[:, :, Case.STATUS] >= Status.RIGHT).all()
    return [*spans, float(changed.mean()), float((s.visits > 1).any(-1).mean()), float((vendors <= 8).mean())]


PEERS = ("simpy",)
SPEEDS = {"simpy": beside_simpy, "episodes": episodes}
PARTS = {"erlang": erlang, "medians": medians, "prosimos": beside_prosimos}
