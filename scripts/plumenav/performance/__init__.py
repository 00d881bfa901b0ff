"""What a run cost, against its budget."""
