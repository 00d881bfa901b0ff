"""One figure per file, in one style."""
