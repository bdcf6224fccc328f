"""Layouts by name. Packages add layouts through the entry point group ``napari_vost.layouts``."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import cast

from napari_vost.datasets.acdc import ACDC
from napari_vost.datasets.acdc_cine import ACDC_CINE
from napari_vost.datasets.base import Layout
from napari_vost.datasets.ct_lesion import CT_LESION
from napari_vost.datasets.davis16 import DAVIS16
from napari_vost.datasets.hippocampus import HIPPOCAMPUS
from napari_vost.errors import UnknownName

_BUILT_IN = {layout.name: layout for layout in (ACDC, ACDC_CINE, CT_LESION, DAVIS16, HIPPOCAMPUS)}
GROUP = "napari_vost.layouts"


def layout_names() -> tuple[str, ...]:
    """Names of all layouts, sorted."""
    return tuple(sorted({*_BUILT_IN, *(point.name for point in entry_points(group=GROUP))}))


def find_layout(name: str) -> Layout:
    """The layout of a name.

    Raises
    ------
    UnknownName
        No such layout; the message names the nearest one that exists.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    for point in entry_points(group=GROUP):
        if point.name == name:
            return cast(Layout, point.load())
    raise UnknownName("layout", name, layout_names())
