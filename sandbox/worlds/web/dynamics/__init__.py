"""The rules of web as kernels."""
