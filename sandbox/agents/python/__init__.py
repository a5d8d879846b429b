"""Agents that are the user's own Python code: a class or a function, in a process of its own or in this one."""
