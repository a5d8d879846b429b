"""Weights that run without the extra ``learn``: reading, cards, and those that the package ships."""
