"""Scenarios: what is to be tried, as a TOML file that is checked before anything runs."""

from sandbox.scenario.load import load
from sandbox.scenario.schema import AgentGroup, Scenario

__all__ = ["AgentGroup", "Scenario", "load"]
