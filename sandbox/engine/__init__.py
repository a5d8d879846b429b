"""The fast core: how kernels are compiled, how draws are made, how lanes are kept and played. Knows no world."""
