"""Readers, one file each: a path in, a clip out."""
