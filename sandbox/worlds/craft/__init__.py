"""Craft: survive, gather and make tools in crafter's rules, alone or as a team on one map."""
