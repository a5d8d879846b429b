"""Output for people: video, figures, tables. It reads states and records and never changes them."""
