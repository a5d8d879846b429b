"""Queueing: events in the order of their exact times. A world, plain networks, and a server of models use it."""
