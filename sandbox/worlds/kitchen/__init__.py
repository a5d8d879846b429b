"""Kitchen: cooks fill pots, wait for soups, and serve what was ordered, in Overcooked-AI's rules."""
