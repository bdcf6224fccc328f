"""Follow and stop, how far it is, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QGridLayout, QWidget
from superqt import QElidingLabel

from napari_vost.ui.buttons import button
from napari_vost.ui.progress_bar import ProgressBar
from napari_vost.ui.run import Progress
from napari_vost.ui.studio import Studio

_WAYS = {"both": "Both ways", "forward": "Forward", "backward": "Backward"}


class FollowBar(QWidget):
    """One button that follows and stops; progress while it runs.

    Parameters
    ----------
    studio
        What follows.
    actions
        ``follow``.
    """

    def __init__(self, studio: Studio, actions: Mapping[str, Callable[[], None]]) -> None:
        super().__init__()
        self._studio, self._idle = studio, ""
        self.button = button("Follow", "follow", actions["follow"], "Follow every object from its marked frames")
        self.way = QComboBox()
        for way, words in _WAYS.items():
            self.way.addItem(words, way)
        self.way.setToolTip("Which way frames are followed from those that were marked")
        self.way.setAccessibleName("Direction")
        self.way.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # keys stay with the canvas
        self.progress = ProgressBar()
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing below jumps when it comes
        self.progress.setSizePolicy(policy)
        self.line = QElidingLabel()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.button, 0, 0)
        layout.addWidget(self.way, 0, 1)
        layout.addWidget(self.progress, 1, 0, 1, 2)
        layout.addWidget(self.line, 2, 0, 1, 2)
        layout.setColumnStretch(0, 2)
        layout.setColumnStretch(1, 1)
        self.way.currentIndexChanged.connect(self._choose_way)
        studio.following_changed.connect(self._show_following)
        studio.progressed.connect(self._show_progress)
        self.say()

    def say(self, line: str = "") -> None:
        """Write under the bar; nothing means the model and the device."""
        self.line.setText(line or self._idle)
        self.line.setToolTip(line or self._idle)

    def show_idle(self, line: str) -> None:
        """Write the model and the device under the bar while nothing is followed."""
        self._idle = line
        if not self._studio.following:
            self.say()

    def _choose_way(self, index: int) -> None:
        self._studio.direction = self.way.itemData(index)

    def _show_following(self, following: bool) -> None:
        self.button.setText("Stop  F" if following else "Follow  F")
        self.button.setAccessibleName("Stop" if following else "Follow")
        self.progress.setVisible(following)
        self.progress.show_share(0, 1)
        self.way.setEnabled(not following)
        if not following:
            self.say()

    def _show_progress(self, progress: Progress) -> None:
        self.progress.setVisible(progress.total is not None)  # a bar that runs to and fro would paint all the time
        if progress.total is None:
            self.say(f"Following the correction: {progress.done} frames")
            return
        self.progress.show_share(progress.done, progress.total)
        left = "" if progress.left_s is None else f" · {left_text(progress.left_s)} left"
        self.say(f"{progress.done} of {progress.total} frames{left}")


def left_text(seconds: float) -> str:
    """Seconds as people say them: ``40 s``, ``2 min``."""
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
