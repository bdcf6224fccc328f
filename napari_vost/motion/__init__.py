"""FUTURE: where it goes next."""
