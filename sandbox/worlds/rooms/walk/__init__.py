"""A walk through the furnished rooms: its path, and the shapes of all things."""
