"""The rules of warehouse as kernels."""
