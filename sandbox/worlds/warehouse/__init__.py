"""Warehouse: robots fetch requested shelves and bring them to the goals, in RWARE's rules."""
