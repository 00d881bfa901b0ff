"""Steps beyond the fixed order: one file each, named in `normalize.extra`."""
