"""Wildfire: crews contain a fire that wind, fuel and slope drive towards villages; or Mesa's plain forest fire."""
