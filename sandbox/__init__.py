"""Sandbox: a wind tunnel for agent teams."""

from sandbox.core.finish import Finish, Outcome
from sandbox.engine.stage import Stage, make
from sandbox.model import Sandbox
from sandbox.trials.trial import run

__all__ = ["Finish", "Outcome", "Sandbox", "Stage", "make", "run"]
__version__ = "0.1.0"
