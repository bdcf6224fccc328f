"""The folded part of the dock with the settings of the window; they are remembered on this computer."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_vost.session import Session
from napari_vost.ui.mouse import Mouse
from napari_vost.ui.remembered import Remembered
from napari_vost.ui.scene import Scene

GO_ALONG, WHEEL, OVERWRITE, REFOLLOW = "go along", "napari's wheel", "overwrite", "follow corrections"


class SettingsBar(QWidget):
    """Four switches.

    Parameters
    ----------
    scene
        Whose view goes along with following, and whose brush spares other objects or not.
    mouse
        Whose wheel steps through frames or is napari's own.
    remembered
        Where settings are kept.
    """

    def __init__(self, scene: Scene, mouse: Mouse, remembered: Remembered) -> None:
        super().__init__()
        if scene.studio.session is None:
            raise RuntimeError("settings need a session")
        self._scene, self._mouse, self._remembered = scene, mouse, remembered
        self._studio, self._session = scene.studio, scene.studio.session
        self._reached: int | None = None  # the frame that was followed last, set on the engine's thread
        self.go_along = _switch("Go along while following", "The view moves to each frame as it is followed")
        self.wheel = _switch(
            "Wheel zooms, as in napari",
            "Otherwise the wheel steps through frames, and a drag with the right button zooms",
        )
        self.overwrite = _switch(
            "Overwrite other objects",
            "Who keeps a pixel of two objects, for brush and following alike: on, the one that is painted or followed, "
            "unless the other is locked; off, the one that is there",
        )
        self.refollow = _switch(
            "Follow corrections at once",
            "A correction on frames that were followed goes outward by itself, to where nothing changes any more; "
            "otherwise press F",
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for switch in (self.refollow, self.go_along, self.wheel, self.overwrite):
            layout.addWidget(switch)
        self._begin()
        self.refollow.toggled.connect(self._take_refollow)
        self.go_along.toggled.connect(lambda on: remembered.set(GO_ALONG, on))
        self.wheel.toggled.connect(self._take_wheel)
        self.overwrite.toggled.connect(self._take_overwrite)
        self._session.masks_changed.connect(self._note)
        self._studio.progressed.connect(self._go)
        self._studio.following_changed.connect(self.overwrite.setDisabled)
        scene.made.connect(self._set_brush)

    def close_down(self) -> None:
        """Listen no longer."""
        self._session.masks_changed.disconnect(self._note, missing_ok=True)
        self._studio.progressed.disconnect(self._go)
        self._studio.following_changed.disconnect(self.overwrite.setDisabled)
        self._scene.made.disconnect(self._set_brush)

    def start_over(self) -> None:
        """Set what another session says, which the studio has by now."""
        session = self._studio.session
        if session is not None:
            self._session.masks_changed.disconnect(self._note, missing_ok=True)
            self._session, self._reached = session, None
            session.masks_changed.connect(self._note)
            self.overwrite.blockSignals(True)  # nobody has switched it
            self._begin()
            self.overwrite.blockSignals(False)

    def _begin(self) -> None:
        """Set what is remembered; who gets a pixel is the session's own where it says so."""
        session = self._session
        self.refollow.setChecked(self._remembered.get(REFOLLOW, True))
        self._studio.refollow.on = self.refollow.isChecked()
        self.go_along.setChecked(self._remembered.get(GO_ALONG, False))
        self.wheel.setChecked(self._remembered.get(WHEEL, False))
        self._mouse.wheel_steps = not self.wheel.isChecked()
        own = session.overwrite
        overwrite = self._remembered.get(OVERWRITE, True) if own is None else own
        self.overwrite.setChecked(overwrite)
        self.overwrite.setEnabled(not session.read_only)
        if own is None and session.on_file is None and not session.read_only:
            self._studio.jobs.submit(lambda: _set_overwrite(session, overwrite))
        self._set_brush()

    def _take_wheel(self, zooms: bool) -> None:
        self._mouse.wheel_steps = not zooms
        self._remembered.set(WHEEL, zooms)

    def _take_refollow(self, on: bool) -> None:
        self._studio.refollow.on = on
        self._remembered.set(REFOLLOW, on)

    def _take_overwrite(self, overwrite: bool) -> None:
        session = self._session
        self._remembered.set(OVERWRITE, overwrite)
        self._set_brush()
        self._studio.jobs.submit(lambda: _set_overwrite(session, overwrite))

    def _set_brush(self) -> None:
        self._scene.masks.preserve_labels = not self.overwrite.isChecked()

    def _note(self, frames: tuple[int, ...]) -> None:
        self._reached = frames[-1] if frames else None

    def _go(self, _: Any) -> None:
        reached, view = self._reached, self._scene.view
        if self.go_along.isChecked() and reached is not None and view.shows_frames and view.frame_index != reached:
            view.go_to(reached)


def _set_overwrite(session: Session, overwrite: bool) -> None:
    session.overwrite = overwrite


def _switch(text: str, tip: str) -> QCheckBox:
    switch = QCheckBox(text)
    switch.setToolTip(tip)
    switch.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return switch
