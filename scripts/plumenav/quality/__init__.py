"""Quality of a recording: small measures on arrays, their limits, and sentences that name faults."""
