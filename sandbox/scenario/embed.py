"""Embeds the files that a scenario names: layouts, starts, programs, scripts of replies, networks, documents."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.agents.python.options import PREFIX, is_python
from sandbox.agents.python.options import is_file as is_code
from sandbox.agents.tools.options import take_in_documents
from sandbox.core.errors import UsageError
from sandbox.core.files import near, read_text, read_toml
from sandbox.core.maps import is_text, read_map
from sandbox.core.trained_policy import PREFIX as OF_WEIGHTS
from sandbox.core.trained_policy import is_trained
from sandbox.nets.weights import EXPECTED as WEIGHTS
from sandbox.nets.weights import read, shipped
from sandbox.scenario.capabilities import FILES, Capability, Origin, is_layout
from sandbox.teams.graph_files import take_in

if TYPE_CHECKING:
    from sandbox.scenario.schema import Scenario


class Files:
    """The files of one scenario. ``known`` are files that it contains already, by name; they are not read again.

    ``taken`` has the contents that were read, by their names in the scenario.
    """

    def __init__(self, origin: Origin, known: Mapping[str, Any]):
        self._origin, self._known = origin, known
        self.taken: dict[str, Any] = {}

    def _take(self, name: str, key: str, read: Callable[[Path], Any], folder: bool = False) -> Any:
        """The content of a file or folder; None if it is missing. Raises UsageError if it may not be read."""
        if name in self._known:
            found = deepcopy(self._known[name])
        else:
            path = self._origin.place(name, key, folder)
            if path is None:
                return None
            found = read(path)
        self.taken[name] = found
        return found

    def _may_read(self, key: str) -> Callable[[Path], object]:
        """A check that raises UsageError for a file that may not be read, such as the target of a link."""
        return lambda path: self._origin.check([Capability(FILES, str(path), key)])

    def _near(self, name: str) -> str:
        """A hint: the file with the most similar name; empty for a scenario that may read nothing."""
        return "" if self._origin.folder is None else near(self._origin.folder / name)

    def take_in_map(self, scenario: "Scenario") -> None:
        """Replace the name of a file in ``layout`` or ``starts`` by its text."""
        for option in ("layout", "starts"):
            given, key = getattr(scenario.world, option, None), f"world.{option}"
            if not isinstance(given, str) or is_text(given) or is_layout(scenario.world, given):
                continue
            text = self._take(given, key, partial(read_map, check=self._may_read(key)))
            if text is not None:
                setattr(scenario.world, option, text if is_text(text) else f"{text}\n")  # a line break marks text
            elif Path(given).suffix and (hint := self._near(given)):
                raise UsageError(f"{key}: no such file '{given}'; {hint}")

    def find_code(self, group: dict, where: str) -> None:
        """Make the path of an agent's code relative to the working folder."""
        name = group.get("reasoner")
        if isinstance(name, str) and is_python(name) and is_code(target := name.removeprefix(PREFIX)):
            place, _, attribute = target.rpartition(":")
            path = self._origin.beside(place)
            group["reasoner"] = f"{PREFIX}{path}:{attribute}"

    def take_in_weights(self, group: dict, where: str) -> None:
        """Note the SHA-256 of a trained policy's file, whose path becomes relative to the working folder.

        A record has noted it already: what it says is what must be in the file, wherever that is.
        """
        name, edge = group.get("reasoner"), group.get("edge")
        if not isinstance(name, str) or not is_trained(name):
            return
        stated, file = dict(group.get("weights") or {}), name.removeprefix(OF_WEIGHTS)
        file, stated["sha256"] = self._weights(file, stated.get("sha256") or "", f"{where}.reasoner", name)
        group["reasoner"], group["weights"] = f"{OF_WEIGHTS}{file}", stated
        if isinstance(edge, dict) and isinstance(larger := edge.get("larger"), str) and larger:
            file = larger.removeprefix(OF_WEIGHTS)
            file, sha256 = self._weights(file, edge.get("larger_sha256") or "", f"{where}.edge.larger", larger)
            group["edge"] = edge | {"larger": file, "larger_sha256": sha256}

    def _weights(self, file: str, sha256: str, key: str, given: str) -> tuple[str, str]:
        """The place of a policy's weights from the working folder, or their name in the package; and their SHA-256."""
        path = shipped(f"policy-{file}")
        if path is not None:
            return file, sha256 or read(path).sha256
        if self._origin.replayed and sha256:
            return file, sha256
        if (path := self._origin.place(file, key, given=given)) is None:
            told = f"{self._origin.missing()}; {self._near(file)}expected {WEIGHTS}"
            raise UsageError(f"{key}: {file[:200]!r}: {told}")
        return str(path), sha256 or read(path).sha256

    def take_in_program(self, group: dict, where: str) -> None:
        """Replace the name of a program's file by its text."""
        program, key = group.get("program"), f"{where}.program"
        if not isinstance(program, str) or "\n" in program or not program.endswith(".py"):
            return
        text = self._take(program, key, lambda path: read_text(path, "a program"))
        if text is None:
            missing = self._origin.missing()
            raise UsageError(f"{key}: {program[:200]}: {missing}; {self._near(program)}expected a program")
        group["program"] = text if "\n" in text else f"{text}\n"  # a line break marks text

    def find_weights(self, table: dict, default: str, where: str) -> None:
        """Complete a table with the place of its weights and their SHA-256, which the record keeps.

        Without a place they are those of the package under the name ``default``.
        """
        if self._origin.replayed:
            return
        name, key = str(table.get("weights", "")), f"{where}.weights"
        path = self._origin.place(name, key) if name else shipped(default)
        if path is None and name:
            raise UsageError(f"{key}: {name[:200]}: {self._origin.missing()}; {self._near(name)}expected {WEIGHTS}")
        if path is not None:  # without any, the check of the scenario says so
            table["weights"] = str(path) if name else ""
            table["sha256"] = table.get("sha256") or read(path).sha256

    def take_in_replies(self, model: dict, where: str) -> None:
        """Put the lines of a script's file below ``replies``."""
        kind, _, name = str(model.get("model")).partition(":")
        if kind != "scripted" or not name or model.get("replies"):
            return
        found = self._take(name, f"{where}.model", _replies)
        if found is None and not self._origin.replayed:  # a record may contain a script without lines
            raise UsageError(f"{where}.model: {name[:200]}: {self._origin.missing()}")
        model["replies"] = found or []

    def take_in_documents(self, tools: Any, where: str) -> None:
        """Put the documents of a folder below ``documents``."""
        table = tools.get("retrieval") if isinstance(tools, Mapping) else None
        if not isinstance(table, dict) or not table.get("folder") or table.get("documents"):
            return
        name, key = str(table["folder"]), f"{where}.retrieval.folder"
        try:
            found = self._take(
                name, key, lambda path: take_in_documents(path, f"{key}: {name}", self._may_read(key)), folder=True
            )
        except OSError as error:  # an impossible name, or a folder that is removed meanwhile
            raise UsageError(f"{key}: cannot be read ({error.strerror})") from None
        if found is None:
            raise UsageError(f"{key}: {name[:200]}: {self._origin.missing('folder')}")
        table["documents"] = found

    def take_in_network(self, team: Mapping) -> None:
        """Put the graph of a file below ``graph``."""
        given, key = team.get("network"), "team.network.file"
        if not isinstance(given, dict) or given.get("kind") != "file" or not given.get("file") or given.get("graph"):
            return
        name = str(given["file"])
        found = self._take(name, key, lambda path: take_in(path, given.get("directed") is True))
        if found is None:
            missing = self._origin.missing()
            raise UsageError(f"team.network: {name[:200]}: {missing}; {self._near(name)}expected a graph")
        given["graph"] = found


def _replies(path: Path) -> list:
    """The lines of a script: a JSON list, or a TOML file with a list ``replies``."""
    text = read_text(path, "a list of replies")
    try:
        found = json.loads(text) if path.suffix == ".json" else read_toml(text).get("replies")
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: expected a list of replies ({error})") from None
    if not isinstance(found, list):
        raise UsageError(f"{path}: expected a list of replies, in TOML below [[replies]]")
    return found
