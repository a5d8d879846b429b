"""Agents that a person tells in a sentence what to do."""
