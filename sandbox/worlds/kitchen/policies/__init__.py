"""The compiled policies of kitchen."""
