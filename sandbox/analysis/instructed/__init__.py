"""Agents that are told in words what to do: starts, a demonstrator, and tasks that tell whether words matter."""
