"""The last step: masks leave in a format that others read, and what that format does not hold is said before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_vost.case_names import reader_name
from napari_vost.errors import Cancelled, VostError
from napari_vost.io.exporters import export
from napari_vost.ui.background import Done, Failed, Running
from napari_vost.ui.outlook import (
    FOLDER,
    formats,
    needs_reference,
    not_held,
    overlap_rule,
    uneven,
    weak_frames,
    weak_line,
    with_suffix,
)
from napari_vost.ui.say import breakable, in_window

if TYPE_CHECKING:
    from napari_vost.session import Session

Submit = Callable[[Callable[[], Any], Done, Failed], object]
Outlook = tuple[str, bool, bool]  # what is said, whether slices are uneven, whether a reference is needed

LATER_MS = 400  # after the last change of a session


class ExportPanel(QWidget):
    """Format, what it means for these masks, and one button; `exported` says where the file is.

    Parameters
    ----------
    submit
        Runs a call off the GUI thread and tells its end in it, as `Running` does; None takes a thread per call.
    parent
        Of the widget.
    """

    exported = Signal(object)  # Path

    def __init__(self, submit: Submit | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._submit: Submit = submit or partial(Running, owner=self)
        self._session: Session | None = None
        self._reference: Path | None = None
        self._folder = str(Path.home())
        self._asked = 0  # of the last outlook; older ones are not shown
        self._busy = False
        self._later = QTimer(self, interval=LATER_MS, singleShot=True)
        self._later.timeout.connect(self.refresh)
        self._make_parts()
        self._arrange()
        self.show_session(None)

    def changed(self) -> None:
        """The session has changed: say anew what its export would leave, once it rests, where anybody reads it."""
        if self.isVisible():
            self._later.start()

    def show_session(self, session: Session | None) -> None:
        """Whose masks are exported; None where there is none yet."""
        self._session, self._reference = session, None
        if session is not None:  # what the scan came in is what its masks go out in
            usual = ".dcm" if session.clip.source.kind.startswith("dicom") else ".nii.gz"
            self.format.setCurrentIndex(max(self.format.findData(usual), 0))
        self.result.setVisible(False)
        self.said.setText("")
        self.refresh()

    def refresh(self) -> None:
        """Say anew what the masks as they are now mean in the chosen format; call it when they have changed."""
        session, suffix = self._session, self.suffix
        self._asked += 1
        self.setEnabled(session is not None)
        if session is None:
            self._show_outlook(
                self._asked, ("Nothing to export yet: mark something and follow it first.", False, False)
            )
            return
        call = partial(_outlook, session, suffix, self._reference is not None)
        Running(call, partial(self._show_outlook, self._asked), self._fail, self)

    @property
    def suffix(self) -> str:
        """Of the chosen format; ``"/"`` is a folder."""
        return str(self.format.currentData())

    def ask(self) -> None:
        """Ask where the file goes, and write it there."""
        session, suffix = self._session, self.suffix
        if session is None:
            return
        if suffix == FOLDER:
            found = QFileDialog.getExistingDirectory(self, "An empty folder for the pictures", self._folder)
        else:
            start = str(Path(self._folder) / f"{session.alias or 'masks'}{suffix}")
            found, _ = QFileDialog.getSaveFileName(self, "Export masks", start, f"{formats()[suffix]} (*{suffix})")
        if found:
            self._folder = str(Path(found).parent)
            self.export_to(Path(found))

    def export_to(self, path: Path) -> None:
        """Write the masks, off the GUI thread."""
        session, suffix = self._session, self.suffix
        if session is None or self._busy:
            return
        try:
            target = path if suffix == FOLDER else with_suffix(path, (suffix,))
        except VostError as error:
            self._fail(error)
            return
        self._set_busy(True)
        self.said.setText("")
        ways = {
            "reference": None if self.reference.isHidden() else self._reference,
            "fill_gap": self.fill_gap.isChecked(),
            "resample": self.nearest.isChecked(),
        }
        self._submit(partial(_write, session, target, suffix, ways), partial(self._tell, target), self._fail)

    def _make_parts(self) -> None:
        self.format = QComboBox()
        self.format.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.format.setAccessibleName("Format")
        self.format.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for suffix, title in formats().items():
            self.format.addItem(title if suffix == FOLDER else f"{title} ({suffix})", suffix)
        self.outlook, self.said = _words(), _words()
        self.fill_gap = QCheckBox("Empty slices where some are missing")
        self.nearest = QCheckBox("Even slices, each from the nearest one")
        self.reference = QPushButton("DICOM series …")
        self.reference.setToolTip("The folder of the DICOM series that this scan was made from.")
        self.button = QPushButton("Export …")
        self.button.setToolTip("Choose where the file goes; the scan itself is never changed.")
        for one in (self.fill_gap, self.nearest, self.reference, self.button):
            one.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.result = QLineEdit()
        self.result.setReadOnly(True)
        self.result.setAccessibleName("Written file")
        self.format.currentIndexChanged.connect(self.refresh)
        self.reference.clicked.connect(self._ask_reference)
        self.button.clicked.connect(self.ask)

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        row = QHBoxLayout()
        row.addWidget(QLabel("Format"))
        row.addWidget(self.format, 1)
        layout.addLayout(row)
        for one in (self.outlook, self.fill_gap, self.nearest, self.reference, self.button, self.result, self.said):
            layout.addWidget(one)
        layout.addStretch(1)

    def _show_outlook(self, asked: int, outlook: Outlook) -> None:
        if asked != self._asked:
            return
        words, is_uneven, wants_reference = outlook
        self.outlook.setText(words)
        self.fill_gap.setVisible(is_uneven)
        self.nearest.setVisible(is_uneven)
        self.reference.setVisible(wants_reference)
        self.reference.setText("DICOM series …" if self._reference is None else f"DICOM series: {self._reference.name}")

    def _ask_reference(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "The DICOM series that this scan was made from", self._folder)
        if found:
            self._reference = Path(found)
            self.refresh()

    def _tell(self, path: Path, notices: tuple[str, ...]) -> None:
        self._set_busy(False)
        self.result.setText(str(path))
        self.result.setToolTip(str(path))
        self.result.setVisible(True)
        self.said.setText("\n".join(["Written.", *(breakable(in_window(one)) for one in notices)]))
        self.exported.emit(path)

    def _fail(self, error: Exception) -> None:
        self._set_busy(False)
        if isinstance(error, Cancelled):
            return
        self.result.setVisible(False)
        self.said.setText(breakable(in_window(str(error))))
        if not isinstance(error, VostError):
            raise error

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.button.setEnabled(not busy)
        self.button.setText("Exporting …" if busy else "Export …")


def _outlook(session: Session, suffix: str, has_reference: bool) -> Outlook:
    """What to say about a session's masks in a format; any thread may ask."""
    segmentation = session.segmentation()
    wants = needs_reference(segmentation, suffix)
    lost = not_held(segmentation, suffix, has_reference)
    said = (*lost, weak_line(weak_frames(session)), overlap_rule(segmentation, suffix))
    return "\n".join(f"• {one}" for one in said if one), uneven(segmentation, suffix), wants


def _write(session: Session, path: Path, suffix: str, ways: dict[str, Any]) -> tuple[str, ...]:
    target = f"{path}/" if suffix == FOLDER else path
    return export(session, target, creator=session.reader or reader_name(), **ways)


def _words() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
