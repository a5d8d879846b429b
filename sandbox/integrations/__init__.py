"""Worlds and scenarios as tasks and environments of other packages, each an extra of its own."""
