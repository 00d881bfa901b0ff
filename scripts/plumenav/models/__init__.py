"""Navigation models: one published algorithm per file."""
