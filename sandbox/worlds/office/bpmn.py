"""BPMN 2.0 models: the elements of a process that say what follows what, and the Markov chain of its activities.

A case is one token, so the branches of a parallel gateway are put one after another (``in_sequence``). What has another
meaning than "one of these", "all of these" or "this one" is refused by name. XML with a document type is refused,
because only those have entities, which can grow without end.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

import networkx as nx
import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.files import read_text

EXPECTED = "a process in BPMN 2.0 (XML)"
SPACE = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BEGIN, END = "", "end"  # before the first activity, and after the last one
MOST = 1_000  # elements and flows
ACTIVITIES, SPLITS = 30, 20  # at most: tasks and events, as a process file has them; gateways that begin branches
KINDS = {  # tags of elements, and what they do
    **dict.fromkeys(("task", "userTask", "manualTask", "serviceTask", "scriptTask", "sendTask", "receiveTask",
                     "businessRuleTask"), "task"),
    "startEvent": "start", "endEvent": "end", "intermediateCatchEvent": "event", "exclusiveGateway": "exclusive",
    "parallelGateway": "parallel", "inclusiveGateway": "inclusive",
}  # fmt: skip
REFUSED = ("subProcess", "adHocSubProcess", "transaction", "callActivity", "boundaryEvent", "intermediateThrowEvent",
           "eventBasedGateway", "complexGateway")  # fmt: skip
REPEATED = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")
Flows = dict[str, tuple[str, str]]  # by identifier: source and target
Chain = dict[str, dict[str, float]]  # what follows an activity, with its probability


class Model(NamedTuple):
    """A process of BPMN."""

    where: str
    kind: dict[str, str]  # of each element: a value of KINDS
    name: dict[str, str]
    flows: Flows

    def told(self, element: str) -> str:
        """An element in words."""
        kind = {"event": "intermediate event", "start": "start event", "end": "end event"}.get(
            self.kind[element], self.kind[element]
        )
        kind += " gateway" if kind in ("exclusive", "parallel", "inclusive") else ""
        name = self.name[element]
        return f"{kind} '{element}'" + (f" ({name})" if name != element else "")

    def of(self, *kinds: str) -> list[str]:
        """The elements of some kinds."""
        return [element for element, kind in self.kind.items() if kind in kinds]

    def leaving(self, element: str) -> list[str]:
        """The flows that begin at an element."""
        return [flow for flow, (source, _) in self.flows.items() if source == element]

    def entering(self, element: str) -> list[str]:
        """The flows that end at an element."""
        return [flow for flow, (_, target) in self.flows.items() if target == element]


# -- reading -----------------------------------------------------------------------------------------------------------


def read(path: Path) -> Model:
    """The process in a file; raises UsageError."""
    reader = _Reader(str(path))
    try:
        reader.parser.Parse(read_text(path, EXPECTED).encode(), True)
    except expat.ExpatError as error:
        told = expat.errors.messages[error.code]
        raise UsageError(f"{path}: line {error.lineno}: {told}; expected {EXPECTED}") from None
    return reader.model()


class _Reader:
    """Takes what stands right below a process."""

    def __init__(self, where: str):
        self.where, self._path = where, list[str]()
        self.found = Model(where, {}, {}, {})
        self.parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _doctype(self, *_: Any) -> None:
        raise UsageError(f"{self.where}: it has a document type (<!DOCTYPE>), which is not read; expected plain BPMN")

    def _start(self, tag: str, values: dict[str, str]) -> None:
        space, _, name = tag.rpartition(" ")
        within = self._path[-1] if self._path else ""
        self._path.append(name if space == SPACE else "")
        if space != SPACE:
            return
        if within == "process":
            self._take(name, values)
        elif name in REPEATED:
            raise UsageError(f"{self.where}: a {within} repeats ({name}), which is not imported; expected a gateway")

    def _end(self, tag: str) -> None:
        self._path.pop()

    def _take(self, tag: str, values: dict[str, str]) -> None:
        own = values.get("id", "")
        if tag in REFUSED:
            raise UsageError(f"{self.where}: {tag} '{own}' is not imported; expected {', '.join(sorted(KINDS))}")
        if tag not in KINDS and tag != "sequenceFlow":
            return
        if not own or own in self.found.kind or own in self.found.flows:
            what = f"two elements '{own}'" if own else f"a {tag} without id"
            raise UsageError(f"{self.where}: {what}; expected an id of its own for each")
        if len(self.found.kind) + len(self.found.flows) >= MOST:
            raise UsageError(f"{self.where}: more than {MOST:,} elements; expected a smaller process")
        if tag == "sequenceFlow":
            self.found.flows[own] = values.get("sourceRef", ""), values.get("targetRef", "")
        else:
            self.found.kind[own], self.found.name[own] = KINDS[tag], " ".join(values.get("name", "").split()) or own

    def model(self) -> Model:
        """The process, if it has a beginning, an end, and a way on from everything between."""
        found = self.found
        if not found.kind:
            raise UsageError(f"{self.where}: no <process> of BPMN 2.0 with elements; expected {EXPECTED}")
        for flow, ends in found.flows.items():
            for end in ends:
                if end not in found.kind:
                    raise unknown("element", end, found.kind, f"{self.where}: sequenceFlow '{flow}'")
        work = len(found.of("task", "event"))
        if work > ACTIVITIES:
            raise UsageError(f"{self.where}: {work} tasks and events; expected {ACTIVITIES} at most")
        starts = found.of("start")
        if len(starts) != 1:
            raise UsageError(f"{self.where}: {len(starts)} start events; expected one")
        for element, kind in found.kind.items():
            out, into, told = len(found.leaving(element)), len(found.entering(element)), found.told(element)
            if kind in ("task", "event", "start") and out > 1:
                raise UsageError(f"{self.where}: {told} has {out} ways out; expected one, or a gateway after it")
            if kind != "end" and not out:
                raise UsageError(f"{self.where}: {told} has no way out; expected a sequenceFlow from it")
            if kind != "start" and not into:
                raise UsageError(f"{self.where}: {told} has no way in; expected a sequenceFlow to it")
            if kind == "inclusive" and out > 1:
                raise UsageError(f"{self.where}: {told} takes any of {out} ways, which is not imported; expected "
                                 "an exclusive or a parallel gateway")  # fmt: skip
        return found


# -- parallel branches -------------------------------------------------------------------------------------------------


def in_sequence(model: Model) -> tuple[Model, list[str]]:
    """The model with the branches of each parallel gateway one after another; and those gateways, in words.

    Raises UsageError for a gateway whose branches do not all meet at one parallel gateway, and nothing else.
    """
    splits = [each for each in model.of("parallel") if len(model.leaving(each)) > 1]
    if len(splits) > SPLITS:
        raise UsageError(f"{model.where}: {len(splits)} parallel gateways begin branches; expected {SPLITS} at most")
    told, joins = [model.told(each) for each in splits], set[str]()
    while splits:
        found = next(((split, block) for split in splits if (block := _block(model, split, splits))), None)
        if not found:
            raise UsageError(f"{model.where}: the branches of {model.told(splits[0])} do not all meet at one parallel "
                             "gateway, which only they enter; expected that")  # fmt: skip
        split, (join, branches) = found
        model = _lined_up(model, split, join, branches)
        splits.remove(split)
        joins.add(join)
    for each in model.of("parallel"):
        if each not in joins and len(model.entering(each)) > 1:
            raise UsageError(f"{model.where}: {model.told(each)} waits for branches that no parallel gateway begins")
    return model, told


def _block(model: Model, split: str, splits: list[str]) -> tuple[str, list[set[str]]] | None:
    """The gateway at which the branches of a split meet, and the elements of each branch."""
    graph = nx.DiGraph([*model.flows.values()])
    heads = [model.flows[flow][1] for flow in model.leaving(split)]
    for join in model.of("parallel"):
        if join == split or join in splits or len(model.entering(join)) < 2:
            continue
        inner = graph.subgraph(set(graph) - {join})
        branches = [set() if head == join else {head} | nx.descendants(inner, head) for head in heads]
        whole = set().union(*branches)
        sources = {model.flows[flow][0] for flow in model.entering(join)}
        if (
            sum(map(len, branches)) == len(whole) and sources <= whole | {split}
            and not whole & {split, *splits, *model.of("end")}
            and all(set(graph.predecessors(each)) <= whole | {split} for each in whole)
        ):  # fmt: skip
            return join, branches
    return None


def _lined_up(model: Model, split: str, join: str, branches: list[set[str]]) -> Model:
    """The model in which each branch leads to the next one, in the order of the file."""
    flows = dict(model.flows)
    heads = {flow: flows[flow][1] for flow in model.leaving(split)}
    order = [(head, branch) for head, branch in zip(heads.values(), branches, strict=True) if branch]
    for flow in heads:
        del flows[flow]
    flows[next(iter(heads))] = split, order[0][0] if order else join
    after = [head for head, _ in order[1:]] + [join]
    for (_, branch), then in zip(order, after, strict=True):
        for flow, (source, target) in model.flows.items():
            if source in branch and target == join:
                flows[flow] = source, then
    return model._replace(flows=flows)


# -- the chain ---------------------------------------------------------------------------------------------------------


def chain(model: Model, shares: Mapping[str, Mapping[str, float]]) -> Chain:
    """What follows the beginning and each activity (task or event); ``shares`` of the ways out of exclusive gateways.

    ``shares`` is by gateway and flow. Raises UsageError for an element from which no way leads to the end.
    """
    follow: dict[str, dict[str, float]] = {}
    for element in model.kind:
        own = follow.setdefault(element, {})
        for flow in model.leaving(element):
            target = model.flows[flow][1]
            own[target] = own.get(target, 0.0) + shares.get(element, {flow: 1.0})[flow]
    ends, (start,) = set(model.of("end")), model.of("start")
    graph = nx.DiGraph([(one, other) for one, own in follow.items() for other, share in own.items() if share > 0])
    reached = {start} | nx.descendants(graph, start)
    over = set().union(*(nx.ancestors(graph, each) for each in ends & reached)) if ends & reached else set()
    for element in model.kind:
        if element in reached and element not in over | ends:
            raise UsageError(f"{model.where}: from {model.told(element)} no way leads to an end event; expected one")
    work = [each for each in model.of("task", "event") if each in reached]
    passing = [each for each in model.kind if each in reached and each not in work and each not in ends]
    place = {each: k for k, each in enumerate(passing)}
    moves = np.array([[follow[one].get(other, 0.0) for other in passing] for one in passing])
    spread = np.linalg.inv(np.eye(len(passing)) - moves)
    found: Chain = {}
    for one in (start, *work):
        own: dict[str, float] = {}
        through = spread[place[one]] if one == start else sum(
            share * spread[place[other]] for other, share in follow[one].items() if other in place
        )  # fmt: skip
        steps = [(passing[k], float(share)) for k, share in enumerate(np.atleast_1d(through)) if share > 0]
        for element, share in [*steps, *([(one, 1.0)] if one != start else [])]:
            for other, part in follow[element].items():
                if other not in place and share * part > 0:
                    name = END if other in ends else other
                    own[name] = own.get(name, 0.0) + share * part
        found[BEGIN if one == start else one] = own
    return found


def visits(chain: Chain) -> dict[str, float]:
    """How often a case is expected to do each activity."""
    known = [each for each in chain if each != BEGIN]
    moves = np.array([[chain[one].get(other, 0.0) for other in known] for one in known])
    first = np.array([chain[BEGIN].get(each, 0.0) for each in known])
    met = np.linalg.solve(np.eye(len(known)) - moves.T, first)
    return dict(zip(known, met.tolist(), strict=True))
