"""Agents that are programs: Python run by pydantic-monty, its view of the world, and its limits."""
