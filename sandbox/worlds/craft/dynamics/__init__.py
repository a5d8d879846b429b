"""The rules of craft as kernels."""
