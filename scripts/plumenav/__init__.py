"""plumenav: navigation models in calibrated recordings of real plumes."""

__version__ = "0.1.0"
