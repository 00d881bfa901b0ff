"""The report, numbers.json and provenance."""
