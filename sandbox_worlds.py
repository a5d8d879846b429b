"""The worlds for ``verifiers``, which finds an environment by the name of a module at the top."""

from sandbox.integrations.verifiers import ChatHarness, WorldsEnv, WorldsTaskset

__all__ = ["ChatHarness", "WorldsEnv", "WorldsTaskset"]
