"""The ways in: command line and studio."""
