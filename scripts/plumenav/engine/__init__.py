"""The loop that moves agents through a plume, block by block."""
