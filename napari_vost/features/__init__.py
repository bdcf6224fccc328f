"""PRESENT: what is seen."""
