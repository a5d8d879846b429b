"""Reasoners that are not compiled policies of a world; one file for each kind."""
