"""Quality of a recording: small measures on arrays, limits, and sentences that name faults."""
