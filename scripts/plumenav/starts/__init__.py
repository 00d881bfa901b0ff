"""Where agents start: one file per way of choosing places."""
