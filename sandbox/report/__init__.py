"""What a person takes away from a run: video, figures, tables. It reads states and records and never changes them."""
