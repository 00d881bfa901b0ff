"""From settings to work: the table of simulations, its chunks, what an agent knows beforehand."""
