"""Oversight: rules on what agents may do, and people who are asked."""
