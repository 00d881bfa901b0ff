"""Published numbers that the models of a run are checked against, and how ours are computed."""
