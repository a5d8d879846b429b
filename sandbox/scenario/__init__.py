"""Scenarios: what is to be tried, as a TOML file that is checked before anything runs."""

from sandbox.scenario.load import load
from sandbox.scenario.schema import AGENTS, REASONERS, TEAM, AgentGroup, Scenario

__all__ = ["AGENTS", "REASONERS", "TEAM", "AgentGroup", "Scenario", "load"]
