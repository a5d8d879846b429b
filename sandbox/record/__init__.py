"""The record of a run: typed events, hash-chained in one SQLite file, which can be read and verified by itself."""

from sandbox.record.events import (
    AgentAnswered,
    AgentEntry,
    CallDone,
    Changed,
    CodeUsed,
    Event,
    HumanActed,
    MemoryEdited,
    MessageSaid,
    ModelUsed,
    Placed,
    Resumed,
    Reviewed,
    RunFinished,
    RunStarted,
    TickDone,
    ToolAnswered,
    TrialFinished,
    TrialStarted,
    canonical,
    parse,
)
from sandbox.record.log import Log
from sandbox.record.read import Run, open_run
from sandbox.record.verify import ChainReport, verify_chain
from sandbox.record.writer import Occupied

__all__ = [
    "AgentAnswered",
    "AgentEntry",
    "CallDone",
    "ChainReport",
    "Changed",
    "CodeUsed",
    "Event",
    "HumanActed",
    "Log",
    "MemoryEdited",
    "MessageSaid",
    "ModelUsed",
    "Occupied",
    "Placed",
    "Resumed",
    "Reviewed",
    "Run",
    "RunFinished",
    "RunStarted",
    "TickDone",
    "ToolAnswered",
    "TrialFinished",
    "TrialStarted",
    "canonical",
    "open_run",
    "parse",
    "verify_chain",
]
