"""Normalization steps, one per file, named like their section of `config.schema.Normalization`."""
