"""The first screen: go on with a case, open a scan, or try a sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QResizeEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_vost.case_names import reader_name
from napari_vost.io.readers.glance import suffixes
from napari_vost.ui.background import Running
from napari_vost.ui.samples import SAMPLES

if TYPE_CHECKING:
    from napari_vost.cases import Case

_PATH = Qt.ItemDataRole.UserRole
_EMPTY = "No cases yet. Open a scan or try a sample: what you mark is saved by itself and waits here."


def all_cases() -> Sequence[Case]:
    """The cases of this computer; it is imported late, for it brings the engine with it."""
    from napari_vost.cases import list_cases

    return list_cases()


class Start(QWidget):
    """The first screen of the dock.

    Parameters
    ----------
    find_cases
        Lists the cases; it runs on a thread of its own.
    parent
        Of the widget.
    """

    case_chosen = Signal(object)  # Path of a case
    path_chosen = Signal(object)  # Path of a scan: file or folder
    layer_chosen = Signal()  # the layer that is selected in the viewer
    sample_chosen = Signal(str)  # key of `SAMPLES`

    def __init__(self, find_cases: Callable[[], Sequence[Case]] = all_cases, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._find = find_cases
        self._running: Running | None = None
        self._folder = ""
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.cases = _CaseList()
        self.cases.chosen.connect(self.case_chosen)
        layout = QVBoxLayout(self)
        layout.addWidget(_heading("Continue"))
        layout.addWidget(self.words)
        layout.addWidget(self.cases, 1)
        layout.addWidget(_heading("Open"))
        layout.addLayout(self._make_open())
        layout.addWidget(_heading("Sample"))
        for key, (title, _) in SAMPLES.items():
            button = _button(title, "A synthetic scan to try things on; it is nobody's.")
            button.clicked.connect(partial(self.sample_chosen.emit, key))
            layout.addWidget(button)
        layout.addStretch(0)
        self.refresh()

    def refresh(self) -> None:
        """Look for the cases again; the list changes when they have been found."""
        if self._running is not None:
            self._running.forget()
        if not self.cases.count():
            self.words.setText("Looking for your cases …")
        self._running = Running(self._find, self._show, self._show_problem, self)

    def _make_open(self) -> QGridLayout:
        file = _button("File …", "A scan or a cine: DICOM, NIfTI, NRRD, MHA, video or pictures.")
        folder = _button("Folder …", "The folder of a DICOM series or study, or of pictures.")
        layer = _button("Selected layer", "The image layer that is selected, whoever opened it.")
        layer.clicked.connect(lambda: self.layer_chosen.emit())
        file.clicked.connect(self._ask_file)
        folder.clicked.connect(self._ask_folder)
        self.open_buttons = (file, folder)
        hint = QLabel("or drop one on the window")
        hint.setEnabled(False)
        grid = QGridLayout()
        grid.addWidget(file, 0, 0)
        grid.addWidget(folder, 0, 1)
        grid.addWidget(layer, 1, 0, 1, 2)
        grid.addWidget(hint, 2, 0, 1, 2)
        return grid

    def _ask_file(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in suffixes())
        found, _ = QFileDialog.getOpenFileName(
            self, "Open a scan or a cine", self._folder, f"Scans and cines ({kinds});;All files (*)"
        )
        self._choose(found)

    def _ask_folder(self) -> None:
        self._choose(QFileDialog.getExistingDirectory(self, "Open the folder of a scan", self._folder))

    def _choose(self, found: str) -> None:
        if found:
            self._folder = str(Path(found).parent)
            self.path_chosen.emit(Path(found))

    def _show(self, cases: Sequence[Case]) -> None:
        self._running = None
        self.cases.show_cases(cases)
        self.words.setText("" if cases else _EMPTY)
        self.words.setVisible(not cases)

    def _show_problem(self, error: Exception) -> None:
        self._running = None
        self.words.setText(f"The cases cannot be listed: {error}")
        self.words.setVisible(True)


class _CaseList(QListWidget):
    """Cases, one click or Enter opens one."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Cases")
        self.itemClicked.connect(self._choose)
        self.setVisible(False)

    def show_cases(self, cases: Sequence[Case]) -> None:
        """Show these instead of those before."""
        self.clear()
        reader, now = reader_name(), datetime.now().astimezone()
        for case in cases:
            self._add(case, reader, now)
        self.setVisible(bool(cases))
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens the case that is marked."""
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self._choose(item)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the lines anew."""
        super().resizeEvent(event)
        self._fit()

    def _add(self, case: Case, reader: str, now: datetime) -> None:
        line = case_line(case, reader, now)
        words = QLabel(f"<b>{escape(case.alias)}</b><br>{escape(line)}")
        words.setWordWrap(True)
        words.setMargin(4)
        words.setEnabled(not case.problem)
        words.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        item = QListWidgetItem()
        item.setData(_PATH, case.path)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{case.alias}, {line}")
        others = case.read_only_for(reader) if reader and not case.problem else ""
        item.setToolTip(case.problem or others or f"Go on with {case.alias}: {', '.join(case.objects) or 'empty'}")
        if case.problem:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.addItem(item)
        self.setItemWidget(item, words)

    def _fit(self) -> None:
        width = self.viewport().width()
        for row in range(self.count()):
            item = self.item(row)
            words = self.itemWidget(item)
            if item is not None and words is not None:
                item.setSizeHint(QSize(width, words.heightForWidth(width)))

    def _choose(self, item: QListWidgetItem) -> None:
        if item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.chosen.emit(item.data(_PATH))


def case_line(case: Case, reader: str, now: datetime) -> str:
    """One line such as ``Liver, Spleen · 42 of 61 reviewed · yesterday, 14:05``."""
    if case.problem:
        return "cannot be opened"
    objects = ", ".join(case.objects[:3]) + (f" and {len(case.objects) - 3} more" if len(case.objects) > 3 else "")
    reviewed = f"{case.reviewed} of {case.frames} reviewed" if case.frames else "nothing marked yet"
    read_only = "read-only" if reader and case.read_only_for(reader) else ""
    return " · ".join(word for word in (objects, reviewed, when(case.changed, now), read_only) if word)


def when(moment: datetime, now: datetime) -> str:
    """When something was, in the words of somebody who looks at a clock: ``5 minutes ago``, ``yesterday, 14:05``."""
    moment = moment.astimezone(now.tzinfo) if moment.year > 1 else moment
    if moment.year == 1:
        return ""
    ago = now - moment
    minutes = int(ago.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} minute{'s' * (minutes > 1)} ago"
    clock = f"{moment:%H:%M}"
    days = (now.date() - moment.date()).days
    if days == 0:
        return f"today, {clock}"
    if days == 1:
        return f"yesterday, {clock}"
    if ago < timedelta(days=6):
        return f"{moment:%A}, {clock}"
    return f"{moment.day} {moment:%B}" + (f" {moment.year}" if moment.year != now.year else "")


def _heading(words: str) -> QLabel:
    label = QLabel(f"<b>{words}</b>")
    label.setContentsMargins(0, 6, 0, 0)
    return label


def _button(words: str, tip: str) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
