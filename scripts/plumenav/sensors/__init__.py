"""What an agent smells with: points in its body frame."""
