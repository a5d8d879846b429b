"""The rules of wildfire as kernels."""
