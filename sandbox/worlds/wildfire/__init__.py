"""Wildfire: crews contain a fire that wind, fuel and slope drive at villages; or Mesa's plain forest fire."""
