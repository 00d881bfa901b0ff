"""What belief-based agents believe of a plume: how often one is hit where, fitted to a movie."""
