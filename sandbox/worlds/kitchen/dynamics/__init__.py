"""The rules of kitchen as kernels."""
