"""The benchmark suite: what the code costs, as ratios in one run (`make bench`)."""
