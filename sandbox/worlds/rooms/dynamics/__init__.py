"""The rules of the rooms."""
