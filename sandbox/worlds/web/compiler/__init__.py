"""From site files to the tables that kernels read."""
