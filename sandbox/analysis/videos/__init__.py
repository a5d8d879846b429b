"""Films of a world: its painted pictures as a video model sees them, what they show, and what they are worth."""
