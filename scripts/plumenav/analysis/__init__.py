"""Measures, statistics and agreement: what simulations add up to."""
