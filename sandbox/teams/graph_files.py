"""Graphs from files in networkx's formats, read by networkx and kept as JSON values."""

import json
import re
from collections.abc import Callable, Mapping
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx

from sandbox.core.errors import UsageError
from sandbox.core.files import looks_like, read_text
from sandbox.core.plain import plain

WHERE = "team.network"
TERMS = ("loss", "delay", "bandwidth")  # attributes of an edge that are used; files of other tools have more
GRAPHML, GEXF, GML, EDGES, ADJACENCY, JSON = (
    "GraphML", "GEXF", "GML", "an edge list", "an adjacency list", "a graph in JSON",
)  # fmt: skip
ENDINGS = {
    ".graphml": GRAPHML, ".xml": GRAPHML, ".gexf": GEXF, ".gml": GML, ".edgelist": EDGES, ".edges": EDGES,
    ".txt": EDGES, ".csv": EDGES, ".tsv": EDGES, ".adjlist": ADJACENCY, ".json": JSON,
}  # fmt: skip
EXPECTED = "a graph: GraphML, GEXF, GML, an edge list, an adjacency list, or JSON"
_COMMENT = re.compile(r"(?m)^[^\S\n]*+[#%].*$|\s#.*$")
_HEADS = ("source", "target"), ("from", "to"), ("src", "dst")  # names of columns in a table of edges
_WEIGHT = re.compile(r"|[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_MALFORMED = (
    AttributeError, IndexError, KeyError, TypeError, ValueError, ParseError, RecursionError, SyntaxError,
    nx.NetworkXException,
)  # fmt: skip  # errors of networkx for invalid graphs


def take_in(path: Path, directed: bool = False) -> dict[str, Any]:
    """The graph of a file as ``networkx.adjacency_data``, for a scenario.

    Nodes are texts, in the order of the file. Of the attributes of edges, loss, delay and bandwidth are kept; all
    others are ignored. GraphML, GEXF, GML and JSON state whether edges are directed; for other files, ``directed``
    does. Raises UsageError.
    """
    where = f"{WHERE}: {path}"
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{where}: expected a file that ends in {', '.join(ENDINGS)}")
    text = _text(path)
    try:
        graph = _READERS[kind](text, directed)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    except _MALFORMED as error:
        found = looks_like(text)
        told = f"looks like {found}; expected {kind}" if found and found not in kind else f"not {kind} ({_line(error)})"
        raise UsageError(f"{where}: {told}") from None
    return nx.adjacency_data(_kept(graph, kind, where))


def _text(path: Path) -> str:
    try:
        return read_text(path, EXPECTED)
    except UsageError as error:
        raise UsageError(f"{WHERE}: {error}") from None


def _kept(graph: nx.Graph, kind: str, where: str) -> nx.Graph:
    """The graph with texts as nodes, and with the used attributes of its edges.

    Raises UsageError for two edges between the same nodes. In an edge list they may be equal, since both directions may
    be written.
    """
    kept = nx.empty_graph(map(str, graph), nx.DiGraph if graph.is_directed() else nx.Graph)
    for a, b, data in graph.edges(data=True):
        terms = plain({key: data[key] for key in TERMS if key in data}, where, f"{a} to {b}")
        if kept.has_edge(str(a), str(b)) and (kind != EDGES or terms != kept.edges[str(a), str(b)]):
            raise UsageError(f"{where}: two edges between the same nodes, {a} and {b}; expected one each way at most")
        kept.add_edge(str(a), str(b), **terms)
    if not len(kept):
        raise UsageError(f"{where}: no nodes; expected one for each agent")
    return kept


def _xml(read: Callable) -> Callable[[str, bool], nx.Graph]:
    return lambda text, directed: read(BytesIO(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode()))


def _gml(text: str, directed: bool) -> nx.Graph:
    """A GML graph; nodes are named by their labels, if all have one."""
    try:
        return nx.parse_gml(text)
    except nx.NetworkXError:
        return nx.parse_gml(text, label="id")


def _adjacency(text: str, directed: bool) -> nx.Graph:
    return nx.parse_adjlist(text.splitlines(), create_using=nx.DiGraph if directed else nx.Graph)


def _json(text: str, directed: bool) -> nx.Graph:
    """A graph written by ``adjacency_data``, ``node_link_data`` (older and newer) or ``cytoscape_data``."""
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("expected an object")
    data.setdefault("directed", directed)
    if "elements" in data:
        return nx.cytoscape_graph(data)
    if "adjacency" in data:
        return nx.adjacency_graph(data, multigraph=False)
    key = next((key for key in ("edges", "links") if key in data), None)
    if key is None or "nodes" not in data:
        raise ValueError("expected 'nodes' and 'edges', 'links' or 'adjacency'")
    return nx.node_link_graph(data, edges=key)


def _edges(text: str, directed: bool) -> nx.Graph:
    """Two nodes in each line, with a weight or a dict of attributes; or a table whose first line names its columns."""
    lines = [line.strip() for line in _COMMENT.sub("", text).splitlines() if line.strip()]
    if not lines:
        raise UsageError("no edges; expected two nodes a line")
    mark = next((mark for mark in (",", ";", "\t") if mark in lines[0].split("{")[0]), None)
    kind, head = nx.MultiDiGraph if directed else nx.MultiGraph, [word.lower() for word in _words(lines[0], mark)]
    for ends in _HEADS:
        if {*ends} <= {*head}:
            return _table(lines, mark, head, ends, kind)
    rows = ["\t".join(_edge(line, mark)) for line in lines]
    return nx.parse_edgelist(rows, delimiter="\t", create_using=kind, data=True)


def _words(line: str, mark: str | None, most: int = -1) -> list[str]:
    return [word.strip().strip('"') for word in line.split(mark, most)]


def _edge(line: str, mark: str | None) -> list[str]:
    """The two nodes and the attributes of a line; a weight is omitted."""
    *nodes, last = [*_words(line, mark, 2), ""][:3]
    if len(nodes) < 2 or not all(nodes) or not (last.startswith("{") or _WEIGHT.fullmatch(last)):
        expected = "expected two nodes, and a weight or a dict of attributes; an adjacency list ends in .adjlist"
        raise UsageError(f"{line[:60]!r}: {expected}")
    return [*nodes, last] if last.startswith("{") else nodes


def _table(lines: list[str], mark: str | None, head: list[str], ends: tuple[str, str], kind: type) -> nx.Graph:
    """A table of edges, as written by Gephi and pandas."""
    import pandas as pd  # importing it takes longer than loading a scenario

    table = pd.read_csv(
        StringIO("\n".join(lines[1:])), sep=mark or r"\s+", names=head, index_col=False, skipinitialspace=True,
        dtype=dict.fromkeys(ends, str),
    )  # fmt: skip
    if table[[*ends]].isna().any(axis=None):
        raise UsageError("a line with one node; expected two")
    directed = "type" in head and table["type"].astype(str).str.lower().eq("directed").any()
    terms = [key for key in TERMS if key in head]
    return nx.from_pandas_edgelist(table, *ends, terms or None, nx.MultiDiGraph if directed else kind)


_READERS: dict[str, Callable[[str, bool], nx.Graph]] = {
    GRAPHML: _xml(nx.read_graphml), GEXF: _xml(nx.read_gexf), GML: _gml, EDGES: _edges, ADJACENCY: _adjacency,
    JSON: _json,
}  # fmt: skip


def read_adjacency(data: Mapping[str, Any], where: str) -> nx.Graph:
    """The graph of ``data`` from ``take_in``, with texts as nodes; raises UsageError for other data."""
    try:
        return nx.relabel_nodes(nx.adjacency_graph(data), str)
    except _MALFORMED as error:
        raise UsageError(f"{where}: not adjacency data ({_line(error)})") from None


def _line(error: Exception) -> str:
    return " ".join(f"{error.__class__.__name__}: {error}".split())[:200]
