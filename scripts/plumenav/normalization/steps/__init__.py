"""Normalization steps, one per file, named like their key in the config's `normalize`."""
