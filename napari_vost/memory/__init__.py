"""PAST: what is remembered, what is read back."""
