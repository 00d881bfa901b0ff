"""A look at a recording before it is used: what it is, what is doubtful, where things lie in it."""

# Frames that a first look reads.
DEFAULT_FRAMES = 300
