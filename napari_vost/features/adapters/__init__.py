"""Adapters, one file each. A name here, a class there; other packages add theirs by entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from napari_vost.contracts import Adapter
from napari_vost.errors import UnknownName

ENTRY_POINTS = "napari_vost.adapters"
_ADAPTERS: dict[str, str] = {}


def adapter_names() -> tuple[str, ...]:
    """Names that `make_adapter` knows."""
    return tuple(sorted({*_ADAPTERS, *(point.name for point in entry_points(group=ENTRY_POINTS))}))


def make_adapter(name: str) -> Adapter:
    """Make an adapter by its name.

    Raises
    ------
    UnknownName
        No such adapter.
    """
    found = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)} | _ADAPTERS
    if name not in found:
        raise UnknownName("adapter", name, adapter_names())
    module, _, attribute = found[name].partition(":")
    adapter: Adapter = getattr(import_module(module), attribute)()
    return adapter
