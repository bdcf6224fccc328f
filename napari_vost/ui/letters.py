"""What stands at the edges of the canvas: the sides of the patient, and how long a millimetre is."""

from __future__ import annotations

from typing import Any

from napari.components.overlays import TextOverlay

from napari_vost.clip import Clip
from napari_vost.display.planes import says_sides
from napari_vost.ui.view import PlaneView

_PLACES = {"left": "middle_left", "right": "middle_right", "top": "top_center", "bottom": "bottom_center"}
_LETTER_PT = 16.0
UNKNOWN = "Left and right are unknown"
UNSPACED = "px: no spacing in the file"


class Letters:
    """R, L, A, P, S, I at the edges, two where the plane is oblique; "?" and a line where the file says no sides.

    Parameters
    ----------
    viewer
        The viewer.
    clip
        What is shown; nothing stands at the edges of ultrasound, endoscopy and video.
    view
        Which plane is shown, and which way up.
    """

    def __init__(self, viewer: Any, clip: Clip, view: PlaneView) -> None:
        self._viewer, self._clip, self._view = viewer, clip, view
        overlays = viewer.canvas.overlays
        for edge, place in _PLACES.items():
            overlays[_key(edge)] = TextOverlay(position=place, font_size=_LETTER_PT)
        overlays[_key("line")] = TextOverlay(position="bottom_left", text=UNKNOWN)
        view.changed.connect(self._draw)
        self._draw()

    def close(self) -> None:
        """Take the letters away."""
        self._view.changed.disconnect(self._draw)
        for edge in (*_PLACES, "line"):
            self._viewer.canvas.overlays.pop(_key(edge), None)

    def _draw(self) -> None:
        overlays, edges = self._viewer.canvas.overlays, self._view.edges
        for edge in _PLACES:
            overlay, letter = overlays[_key(edge)], getattr(edges, edge)
            if letter:
                overlay.text = letter
            overlay.visible = bool(letter)
        overlays[_key("line")].visible = says_sides(self._clip) == "unknown" and not self._view.is_3d


class ScaleBar:
    """A bar in millimetres, or a line that the file says no spacing.

    Parameters
    ----------
    viewer
        The viewer, whose own scale bar is shown.
    clip
        What is shown.
    """

    def __init__(self, viewer: Any, clip: Clip) -> None:
        overlays = viewer.canvas.overlays
        self._overlays, self._before = overlays, overlays["scale_bar"].visible
        overlays["scale_bar"].visible = clip.geometry.spaced
        if not clip.geometry.spaced:
            overlays[_key("scale")] = TextOverlay(position="bottom_right", text=UNSPACED, visible=True)

    def close(self) -> None:
        """Give napari's scale bar back as it was."""
        self._overlays["scale_bar"].visible = self._before
        self._overlays.pop(_key("scale"), None)


def _key(name: str) -> str:
    return f"napari-vost {name}"
