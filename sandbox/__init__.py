"""Sandbox: a wind tunnel for agent teams. Attributes are imported when they are first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import warn

if TYPE_CHECKING:
    from sandbox.analysis.results import results
    from sandbox.core.errors import RecordError, SandboxError, UsageError
    from sandbox.core.finish import Finish, Outcome
    from sandbox.core.world import World
    from sandbox.engine.environment import Environment, make
    from sandbox.engine.registry import register
    from sandbox.model import Sandbox
    from sandbox.running.batch import batch
    from sandbox.running.resume import resume
    from sandbox.running.session import session
    from sandbox.running.trial import run
    from sandbox.scenario import load

_OF = {  # public names, by the module that defines them
    "core.errors": ("RecordError", "SandboxError", "UsageError"),
    "core.finish": ("Finish", "Outcome"),
    "core.world": ("World",),
    "engine.environment": ("Environment", "make"),
    "engine.registry": ("register",),
    "model": ("Sandbox",),
    "running.batch": ("batch",),
    "running.resume": ("resume",),
    "running.session": ("session",),
    "running.trial": ("run",),
    "analysis.results": ("results",),
    "scenario": ("load",),
}
_HOME = {name: module for module, names in _OF.items() for name in names}
_RENAMED = {"Stage": "Environment"}  # old names work for one version
__all__ = [
    "Environment", "Finish", "Outcome", "RecordError", "Sandbox", "SandboxError", "UsageError", "World", "batch",
    "gym_env", "load", "make", "parallel_env", "register", "results", "resume", "run", "session", "vector_env",
]  # fmt: skip
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        name, old = _RENAMED[name], name
        warn(f"sandbox.{old} is now sandbox.{name}", DeprecationWarning, stacklevel=2)
    if name not in _HOME:
        raise AttributeError(f"module 'sandbox' has no attribute '{name}'")
    return getattr(import_module(f"sandbox.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def parallel_env(world: str, render_mode: str | None = None, flat: bool = False, **options: Any):
    """A world as a PettingZoo environment: ``parallel_env("kitchen", layout="cramped_room")``; extra ``rl``."""
    return _learning().ParallelEnv(world, render_mode, flat, **options)


def gym_env(world: str, render_mode: str | None = None, flat: bool = False, **options: Any):
    """A world with one agent as a Gymnasium environment; ``flat`` for one vector in place of a dict; extra ``rl``."""
    return _learning().SingleEnv(world, render_mode, flat, **options)


def vector_env(world: str, num_envs: int, render_mode: str | None = None, flat: bool = False, **options: Any):
    """Many episodes of ``gym_env`` in lanes, as a Gymnasium vector environment; ``autoreset_mode`` as Gymnasium's."""
    return _learning().VectorEnv(world, num_envs, render_mode, flat, **options)


def _learning():
    try:
        from sandbox import envs
    except ModuleNotFoundError as error:
        from sandbox.core.errors import UsageError

        raise UsageError(f"{error.name} is missing for learners' environments: pip install 'sandbox[rl]'") from None
    return envs
