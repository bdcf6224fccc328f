"""Keeps the layers of a clip on the clip's own grid: moved, they would lie about where the masks are."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.utils.notifications import show_warning

_EVENTS = ("scale", "translate", "rotate", "shear", "affine", "units")
_QUIET_S = 3.0  # a drag in transform mode moves a layer many times and is one mistake


class LayerGuard:
    """Puts layers back where they were when they are moved, scaled or turned, and says so once.

    Parameters
    ----------
    layers
        The layers to watch, all of them in one place; that of the clip's image first.
    """

    def __init__(self, layers: Iterable[Any]) -> None:
        self._layers = list(layers)
        self._options = _place_of(self._layers[0]) if self._layers else {}  # all of them lie where the image lies
        self._units = self._layers[0].units if self._layers else ()
        self._busy, self._said = False, -_QUIET_S
        for layer in self._layers:
            for name in _EVENTS:
                getattr(layer.events, name).connect(self._put_back)

    def close(self) -> None:
        """Watch no longer."""
        for layer in self._layers:
            for name in _EVENTS:
                getattr(layer.events, name).disconnect(self._put_back)
        self._layers = []

    def _put_back(self, event: Any = None) -> None:
        if self._busy:
            return
        moved = [layer for layer in self._layers if self._is_moved(layer)]
        if not moved:
            return
        self._busy = True
        try:
            for layer in moved:
                self._restore(layer)
        finally:
            self._busy = False
        if time.monotonic() - self._said > _QUIET_S:
            self._said = time.monotonic()
            names = " and ".join(layer.name for layer in moved)
            show_warning(f"{names} was put back: the layers of a clip stay on the clip's own grid.")

    def _is_moved(self, layer: Any) -> bool:
        options = self._options
        return not (
            np.allclose(layer.scale, options["scale"])
            and np.allclose(layer.translate, options["translate"])
            and np.allclose(layer.rotate, options["rotate"])
            and np.allclose(layer.shear, options["shear"])
            and np.allclose(layer.affine.affine_matrix, options["affine"])
            and layer.units == self._units
        )

    def _restore(self, layer: Any) -> None:
        if layer.mode == "transform":
            layer.mode = "pan_zoom"
        layer.affine = self._options["affine"]
        layer.rotate, layer.shear = self._options["rotate"], self._options["shear"]
        layer.scale, layer.translate = self._options["scale"], self._options["translate"]
        layer.units = self._units


def _place_of(layer: Any) -> dict[str, Any]:
    """Where a layer lies."""
    place = {name: np.array(getattr(layer, name)) for name in ("scale", "translate", "rotate", "shear")}
    return {**place, "affine": np.array(layer.affine.affine_matrix)}
