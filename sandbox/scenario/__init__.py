"""Scenarios: TOML files that say what to try, checked before anything runs."""

from sandbox.scenario.load import load
from sandbox.scenario.schema import AGENTS, REASONERS, TEAM, AgentGroup, Scenario

__all__ = ["AGENTS", "REASONERS", "TEAM", "AgentGroup", "Scenario", "load"]
