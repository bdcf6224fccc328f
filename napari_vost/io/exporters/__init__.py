"""Exporters, one file each: a segmentation in, a file out."""
