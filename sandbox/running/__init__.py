"""Running: a scenario and a seed become an outcome and a record; records are replayed and verified."""
