"""Oversight: rules on what agents may do, and people who decide and approve."""
