"""How a clip is looked at, as a case keeps it: place, plane, zoom, window, object, tool."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_vost.clip import Window
from napari_vost.errors import VostError

if TYPE_CHECKING:
    from napari_vost.ui.desk import Desk


def look_of(desk: Desk) -> dict[str, Any]:
    """How the clip of a desk is looked at now, in JSON values."""
    camera, window = desk.viewer.scene.camera, desk.windowing.window
    return {
        "at": list(desk.view.world.indices), "plane": desk.view.plane, "convention": desk.view.convention,
        "zoom": float(camera.zoom), "centre": [float(one) for one in camera.center],
        "window": [window.low, window.high, window.name], "object": desk.studio.object_id,
        "tool": desk.tools.tool or "",
    }  # fmt: skip


def look_again(desk: Desk, look: Mapping[str, Any]) -> None:
    """Look at the clip of a desk as `look_of` has told; one of another version is told, and the clip is there."""
    try:
        place, centre, zoom = dict(enumerate(look["at"])), tuple(look["centre"]), float(look["zoom"])
        low, high, name = look["window"]
        if desk.windowing.available:
            desk.windowing.apply(Window(low, high, name))
        desk.studio.choose(int(look["object"]))
        desk.view.set_convention(look["convention"])
        desk.view.world.go_to(place)
        if look["tool"]:
            desk.tools.arm(look["tool"])

        def stand() -> None:
            """A plane across the frames comes when all of them are read."""
            if desk.view.plane == look["plane"]:
                desk.view.changed.disconnect(stand)
                camera = desk.viewer.scene.camera
                camera.center, camera.zoom = centre, zoom

        desk.view.changed.connect(stand)
        desk.view.show(look["plane"])
        stand()
    except (KeyError, ValueError, TypeError, VostError):
        warnings.warn("The case was left in a view that is not known any more.", stacklevel=1)
