"""The capabilities of a scenario: functions, files, addresses and model accounts that it may reach.

A *capability* is one resource of this machine or of its user that a scenario asks for. An *origin* is the source of a
scenario and determines its grants; everything else is refused. A file may read the files of its own folder; an upload
and a record have no grants; the user's own Python code, and texts typed on the command line, may do what the user may
do. More is granted by ``--allow``, the variable SANDBOX_ALLOW and a configuration file.
"""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

import platformdirs

from sandbox.agents.llm.options import ALONE
from sandbox.agents.python.options import KIND, PREFIX
from sandbox.agents.python.options import is_file as is_code
from sandbox.agents.tools.options import MCP, TOOLS
from sandbox.core.errors import UsageError, shown, unknown
from sandbox.core.files import path_of, read_toml
from sandbox.core.maps import is_text
from sandbox.engine.registry import find, is_file, opened

if TYPE_CHECKING:
    from sandbox.agents.llm.options import Options
    from sandbox.scenario.schema import Scenario, WorldTable

FUNCTIONS, FILES, NETWORK, MODELS = "functions", "files", "network", "models"
KINDS = {
    FUNCTIONS: "MODULE, MODULE:NAME, the FILE of a world or an agent, or mcp:SERVER/TOOL", FILES: "a folder or a file",
    NETWORK: "HOST or HOST:PORT", MODELS: "PROVIDER or PROVIDER:NAME",
}  # fmt: skip
VARIABLE = "SANDBOX_ALLOW"
_PATHS = "layout", "starts"  # options of worlds that may name a file
_OF_A_PAGE = "the operator of the studio can grant it: sandbox app --allow {item}"
_NAMED = "named"  # kind of a rule that allows exactly this text, of any kind of capability


class Capability(NamedTuple):
    """One thing that a scenario asks for."""

    kind: str  # one of KINDS
    what: str  # in the form of a grant
    key: str  # of the scenario, dotted
    given: str = ""  # its value in the scenario

    @property
    def words(self) -> str:
        return f"{self.kind} {self.what[:200]!r} ({self.key})"


class Rule(NamedTuple):
    """A grant: everything of a kind if ``what`` is empty; ``by`` names its source."""

    kind: str
    what: str
    by: str

    def allows(self, asked: Capability) -> bool:
        if self.kind == _NAMED:
            return bool(asked.given) and self.what == asked.given
        return self.kind == asked.kind and (not self.what or _MATCHES[asked.kind](self.what, asked.what))


def _is_function(granted: str, name: str) -> bool:
    if is_file(name):
        return _real(granted) == _real(name)
    if name.startswith(MCP):
        return granted in (name, name.partition("/")[0], MCP.removesuffix(":"))
    return name == granted or name.startswith((f"{granted}:", f"{granted}.")) and ":" not in granted


def _is_host(granted: str, host: str) -> bool:
    return granted.lower() in (host.lower(), name := host.rpartition(":")[0].lower(), name.strip("[]"))


def _is_model(granted: str, model: str) -> bool:
    return model == granted or model.partition(":")[0] == granted


def _is_below(granted: str, path: str) -> bool:
    return _real(path).is_relative_to(_real(granted))


_MATCHES = {FUNCTIONS: _is_function, FILES: _is_below, NETWORK: _is_host, MODELS: _is_model}


def _real(path: str | Path) -> Path:
    """The file that a path leads to, after following links."""
    try:
        return path_of(str(path)).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links; a name that no file can have
        return Path(os.devnull, "none")


class Grant(tuple[Rule, ...]):
    """What is allowed, as rules; ``+`` adds those of another grant."""

    def rule(self, asked: Capability) -> Rule | None:
        """The first rule that allows a capability; None without one."""
        return next((rule for rule in self if rule.allows(asked)), None)

    def has_function(self, name: str) -> bool:
        return self.rule(Capability(FUNCTIONS, name, "", name)) is not None

    def __add__(self, other: Iterable[Rule]) -> Self:  # type: ignore[override]  # a tuple's takes any other, too
        return type(self)((*self, *other))

    @classmethod
    def of(cls, texts: str | Iterable[str] | Self, by: str = "allow") -> Self:
        """From texts such as ``functions=mytool,network``; raises UsageError for an unknown kind."""
        if isinstance(texts, cls):
            return texts
        found = [texts] if isinstance(texts, str) else list(texts) if isinstance(texts, list | tuple) else None
        if found is None or not all(isinstance(text, str) for text in found):
            raise UsageError(f"{by}: {shown(texts)}, expected texts such as 'functions=mytool,network'")
        return cls(_rule(part.strip(), by) for text in found for part in text.split(",") if part.strip())

    @classmethod
    def naming(cls, said: Any, by: str) -> Self:
        """A grant of exactly the texts in a value that somebody has typed."""
        return cls(Rule(_NAMED, text, by) for text in dict.fromkeys(_texts(said)))


def _rule(text: str, by: str) -> Rule:
    kind, sign, what = text.partition("=")
    if kind not in KINDS:
        raise unknown("capability", kind, KINDS, by)
    if sign and not what:
        raise UsageError(f"{by}: {text}: expected {kind}, or {kind}= and {KINDS[kind]}")
    return Rule(kind, what, by)


def _texts(said: Any) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, Mapping):
        for key, value in said.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(said, list | tuple):
        for value in said:
            yield from _texts(value)


NOTHING = Grant()
EVERYTHING = Grant(Rule(kind, "", "Python") for kind in KINDS)


def configuration() -> Path:
    """The user's file: ``allow = ["models=openai", "network=127.0.0.1"]``. None is read from the working folder."""
    return platformdirs.user_config_path("sandbox") / "config.toml"


def configured() -> Grant:
    """The grants of the user's configuration and of SANDBOX_ALLOW; raises UsageError for an invalid one."""
    return _from_file(configuration()) + Grant.of(os.environ.get(VARIABLE, ""), VARIABLE)


def _from_file(path: Path) -> Grant:
    try:
        table = read_toml(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return NOTHING
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as TOML ({error})") from None
    for key in table:
        if key != "allow":
            raise unknown("key", key, ["allow"], str(path))
    given = table.get("allow", [])
    if not isinstance(given, list):
        raise UsageError(f'{path}: allow: expected a list such as ["models=openai"], got {shown(given)}')
    return Grant.of(given, str(path))


@dataclass(frozen=True)
class Origin:
    """The origin of a scenario. It is not part of the scenario: all origins compare equal."""

    name: str = field(compare=False)  # in messages
    grant: Grant = field(compare=False)
    folder: Path | None = field(default=None, compare=False)  # the folder whose files it may read
    sealed: bool = field(default=False, compare=False)  # a changed copy cannot get further grants
    replayed: bool = field(default=False, compare=False)  # a record: checked only when it is resumed
    advice: str = field(default="--allow {item} grants it", compare=False)
    environment: bool = field(default=True, compare=False)  # whether SANDBOX_MODEL replaces its model
    taken: Mapping[str, Any] = field(default_factory=dict, compare=False)  # contents of its files, by their names in it

    @property
    def blind(self) -> bool:
        """Whether it may read no file at all."""
        return self.folder is None and not any(rule.kind in (FILES, _NAMED) for rule in self.grant)

    def missing(self, what: str = "file") -> str:
        """The message for a missing file (or folder). If no file may be read, it does not reveal which files exist."""
        return f"{self.name} reads no {what}" if self.blind else f"no such {what}"

    def with_grant(self, more: Iterable[Rule]) -> "Origin":
        return replace(self, grant=self.grant + more)

    def shown(self) -> "Origin":
        """The same origin for use by others in a browser, who cannot grant anything."""
        return self if self.sealed else replace(self, sealed=True, advice=_OF_A_PAGE)

    def rule(self, asked: Capability) -> Rule | None:
        """The rule that allows a capability; None without one."""
        own = self.folder is not None and asked.kind == FILES and _is_below(str(self.folder), asked.what)
        return Rule(FILES, str(self.folder), "its own folder") if own else self.grant.rule(asked)

    def check(self, wanted: Iterable[Capability]) -> None:
        """Raise UsageError, with the request and its origin, if something is not granted."""
        refused = [asked for asked in wanted if self.rule(asked) is None]
        if refused:
            told = ", ".join(asked.words for asked in refused[:5]) + (", ..." if len(refused) > 5 else "")
            item = shlex.quote(",".join(dict.fromkeys(f"{asked.kind}={asked.what[:200]}" for asked in refused[:5])))
            raise UsageError(f"{self.name} asks for {told}: not allowed; {self.advice.format(item=item)}")

    def beside(self, name: str) -> str:
        """The path of a file beside the scenario, relative to the working folder; without one, the name itself."""
        beside = None if self.folder is None else self.folder / name
        return str(beside) if beside is not None and beside.is_file() else name

    def place(self, name: str, key: str, folder: bool = False, given: str = "") -> Path | None:
        """The file (or folder) of a name, beside the scenario or in the working folder; None if there is none.

        ``given`` is the text of the scenario that contains the name, if it is more than the name. Raises UsageError if
        it may not be read. A scenario that may read nothing does not learn which files exist.
        """
        if self.blind:
            return None
        beside = [] if self.folder is None else [self.folder / name]
        exists = os.path.isdir if folder else os.path.isfile
        found = next((path for path in (*beside, path_of(name)) if exists(path)), None)
        if found is not None:
            self.check([Capability(FILES, str(found), key, given or name)])
        return found


CODE = Origin("the caller", EVERYTHING, Path())  # running Python code of the user


def of_file(path: Path) -> Origin:
    """A file that the command line or code names."""
    return Origin(str(path), configured(), path.parent)


def upload(name: str) -> Origin:
    """A file uploaded in a browser."""
    return Origin(f"{name}, which was uploaded,", NOTHING, sealed=True,
                  advice="an upload gets nothing of this machine", environment=False)  # fmt: skip


def page() -> Origin:
    """A scenario composed in a browser, with the grants of the studio's operator."""
    return Origin("this page", configured(), sealed=True, advice=_OF_A_PAGE)


def record(name: str | Path, grant: Grant = NOTHING) -> Origin:
    """A recorded run or batch, of any author."""
    return Origin(f"the record {name}", grant, sealed=True, replayed=True)


# -- capabilities of a scenario-----------------------------------------------------------------------------------------


def check_files(scenario: "Scenario", origin: Origin) -> None:
    """Raise UsageError if setting up its world would read a file that its origin may not read.

    ``load`` has replaced the names of files by their contents, so the remaining names are no files, or are in parts
    that ``load`` has not seen.
    """
    if not origin.blind:
        return
    for key in _PATHS:
        given = getattr(scenario.world, key, None)
        if isinstance(given, str) and given.strip() and not is_text(given) and not is_layout(scenario.world, given):
            raise unknown(key, given[:200], _layouts(scenario.world.name), f"world.{key}; {origin.missing()}")
    network = scenario.team.network if scenario.team else None
    if network and network.kind == "file" and network.file and not network.graph:
        raise UsageError(f"team.network.file: {network.file[:200]!r}: {origin.missing()}")


def is_layout(world: "WorldTable", name: str) -> bool:
    """Whether a layout of its world has this name."""
    return name in _layouts(world.name)


def _layouts(world: Any) -> tuple[str, ...]:
    try:
        return tuple(find(world).layouts)
    except UsageError:  # an unknown world, which is reported when it is set up
        return ()


def world_file(table: Mapping[str, Any], origin: Origin) -> None:
    """If a scenario names its world by the path of a file, execute it; raises UsageError if that is not allowed.

    The path in ``table`` becomes relative to the working folder. A record needs the grant too, because this is code.
    """
    world = table.get("world")
    if not isinstance(world, dict) or not is_file(name := world.get("name")):
        return
    world["name"] = path = origin.beside(name)
    origin.check([Capability(FUNCTIONS, path, "world.name", name)])
    opened(path)


def calls(scenario: "Scenario") -> Iterator[Capability]:
    """The capabilities that its agents use while it runs: all but built-in tools and models that come with Sandbox."""
    for k, group in enumerate(scenario.agents):
        if group.kind == KIND:
            target = group.reasoner.removeprefix(PREFIX)
            what = target.rpartition(":")[0] if is_code(target) else target
            yield Capability(FUNCTIONS, what, f"agents.{k}.reasoner", group.reasoner)
        for name in group.tools:
            if name not in TOOLS:
                yield Capability(FUNCTIONS, name, f"agents.{k}.tools", name)
        if group.llm and group.llm.kind not in ALONE:
            yield _model(group.llm, f"agents.{k}.llm.model")


def _model(options: "Options", key: str) -> Capability:
    if options.kind == "local":
        return Capability(NETWORK, host_of(options.name), key, options.model)
    if options.kind == "gguf":
        return Capability(FILES, options.name, key, options.model)
    return Capability(MODELS, options.model, key, options.model)


def host_of(address: str) -> str:
    """HOST:PORT of an address, with the default port of its scheme if it has none."""
    try:
        parts = urlsplit(address.partition("#")[0])
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
