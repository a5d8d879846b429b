"""The fast core: compiles kernels, makes random draws, stores and plays lanes. It does not depend on any world."""
