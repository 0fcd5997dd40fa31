"""Observation by a kernel: its weights, coarse values, and the fields that have them. NumPy and SciPy alone."""
