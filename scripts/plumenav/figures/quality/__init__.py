"""The quality of one recording on one page: one panel, or a few that belong together, per file."""
