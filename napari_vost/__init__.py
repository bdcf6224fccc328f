"""napari-vost: click a structure in a scan or a cine loop and the mask follows it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_vost.clip import Clip as Clip
    from napari_vost.io.exporters import export as export
    from napari_vost.io.readers import open_clip as open_clip
    from napari_vost.session import Session as Session

__version__ = "0.1.0"
__all__ = ["Clip", "Session", "export", "open_clip"]

_HOMES = {
    "Clip": "napari_vost.clip",
    "Session": "napari_vost.session",
    "export": "napari_vost.io.exporters",
    "open_clip": "napari_vost.io.readers",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that `import napari_vost` needs no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'napari_vost' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
