"""What is measured of each simulation: one file per measure."""
