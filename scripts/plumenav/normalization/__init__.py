"""From the numbers of a file to calibrated concentration."""
