"""From settings to work: the table of simulations and its chunks."""
