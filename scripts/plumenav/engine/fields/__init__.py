"""Concentration at a place and time: one file per kind of field."""
