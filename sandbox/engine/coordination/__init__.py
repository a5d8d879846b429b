"""Coordination: how a team shares work within a tick. The same kernels serve both tiers and every world."""
