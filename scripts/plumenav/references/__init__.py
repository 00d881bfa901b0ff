"""Slow, plain, independent implementations of the models, written to be read."""
