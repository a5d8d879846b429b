"""Training, with the extra ``learn``: the only package that imports JAX. What it writes runs without (``nets``)."""
