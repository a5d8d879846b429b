"""Trained policies on a small device: budgets of latency, energy and memory, and a larger policy to ask."""
