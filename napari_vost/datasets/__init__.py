"""Labelled folders as they are published: one reader per layout, each an iterator of `Case`.

`find_layout` gives a layout by name; ``find_layout("acdc").cases(folder)`` reads one case after the other.
"""

from napari_vost.datasets.base import Case, Layout
from napari_vost.datasets.registry import find_layout, layout_names

__all__ = ["Case", "Layout", "find_layout", "layout_names"]
