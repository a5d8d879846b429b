"""One folder for each world, with the same files in each; ``docs/add-a-world.md`` walks through them."""
