"""Protocols, by which teams share work: one file each, with two small kernels that depend on no world."""

from sandbox.core.teamwork import Protocol
from sandbox.teams.protocols.concurrent import CONCURRENT
from sandbox.teams.protocols.group_chat import ROUND_ROBIN, SELECTOR
from sandbox.teams.protocols.hand_off import HAND_OFF
from sandbox.teams.protocols.independent import INDEPENDENT
from sandbox.teams.protocols.manager import MANAGER
from sandbox.teams.protocols.market import MARKET
from sandbox.teams.protocols.planner import PLANNER
from sandbox.teams.protocols.sequential import SEQUENTIAL

_ALL = (INDEPENDENT, SEQUENTIAL, CONCURRENT, MANAGER, ROUND_ROBIN, SELECTOR, HAND_OFF, PLANNER, MARKET)
PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in _ALL}
