"""Graphs from files: GraphML, edge lists and adjacency JSON, read by networkx and kept as JSON values."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx

from sandbox.core.errors import UsageError

WHERE = "team.network"
TERMS = ("loss", "delay", "bandwidth")  # what is taken from an edge; files of other tools say more
ENDINGS = {
    ".graphml": "GraphML", ".edgelist": "an edge list", ".txt": "an edge list", ".json": "adjacency JSON",
}  # fmt: skip
_MALFORMED = (
    AttributeError, IndexError, KeyError, TypeError, ValueError, ParseError, nx.NetworkXException,
)  # fmt: skip  # whatever networkx raises for what is no graph


def take_in(path: Path, directed: bool = False) -> dict[str, Any]:
    """The graph of a file as ``networkx.adjacency_data``, so that a scenario can hold it.

    Nodes are texts, and of edges' attributes loss, delay and bandwidth are kept. GraphML and JSON say whether edges
    lead both ways; an edge list does not, so ``directed`` says it. Raises UsageError.
    """
    where = f"{WHERE}: {path}"
    if path.suffix not in ENDINGS:
        raise UsageError(f"{where}: expected a file that ends in {', '.join(ENDINGS)}")
    try:
        graph = _read(path, directed)
    except FileNotFoundError:
        raise UsageError(f"{where}: no such file") from None
    except OSError as error:
        raise UsageError(f"{where}: cannot be read ({error.strerror})") from None
    except _MALFORMED as error:
        raise UsageError(f"{where}: not {ENDINGS[path.suffix]} ({_line(error)})") from None
    if graph.is_multigraph():
        raise UsageError(f"{where}: two edges between the same nodes; expected one each way at most")
    kept = nx.empty_graph(map(str, graph), nx.DiGraph if graph.is_directed() else nx.Graph)
    for a, b, data in graph.edges(data=True):
        kept.add_edge(str(a), str(b), **{key: data[key] for key in TERMS if key in data})
    return nx.adjacency_data(kept)


def _read(path: Path, directed: bool) -> nx.Graph:
    if path.suffix == ".graphml":
        return nx.read_graphml(path)
    if path.suffix == ".json":
        return nx.adjacency_graph(json.loads(path.read_text(encoding="utf-8")), multigraph=False)
    return nx.read_edgelist(path, create_using=nx.DiGraph if directed else nx.Graph)


def read_adjacency(data: Mapping[str, Any], where: str) -> nx.Graph:
    """The graph that ``take_in`` made ``data`` of, with texts for nodes; raises UsageError for what is none."""
    try:
        return nx.relabel_nodes(nx.adjacency_graph(data), str)
    except _MALFORMED as error:
        raise UsageError(f"{where}: not adjacency data ({_line(error)})") from None


def _line(error: Exception) -> str:
    return " ".join(f"{error.__class__.__name__}: {error}".split())[:200]
