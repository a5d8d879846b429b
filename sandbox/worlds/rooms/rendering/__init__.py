"""The rooms as text and as a floor plan."""
