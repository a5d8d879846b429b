"""Dreamed worlds beside the world that they were learned from: frames, measures, goals."""
