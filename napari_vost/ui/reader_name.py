"""Two small questions: who reads on this computer, asked once, and what a case is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_vost.case_names import LONGEST, case_path, check_alias, check_reader, reader_name, set_reader_name
from napari_vost.errors import InputError


class NameDialog(QDialog):
    """Asks for one name and says at once why one cannot be taken; `name` is what was accepted, "" for nothing.

    Parameters
    ----------
    title, question, hint
        Of the window, above the line, and inside it while it is empty.
    name
        What stands there first.
    check
        Gives a name back as it is kept, or raises `InputError` with the sentence that is shown.
    parent
        Over which it stands.
    """

    def __init__(
        self,
        title: str,
        question: str,
        hint: str,
        name: str,
        check: Callable[[str], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.name = ""
        self._check = check
        self.line = QLineEdit(name)
        self.line.setMaxLength(LONGEST + 20)  # a name that is too long is said, not cut
        self.line.setPlaceholderText(hint)
        self.line.setAccessibleName(title)
        self.line.selectAll()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        asked = QLabel(question)
        asked.setWordWrap(True)
        layout = QVBoxLayout(self)
        for widget in (asked, self.line, self.words, self.buttons):
            layout.addWidget(widget)
        self.setMinimumWidth(340)
        self.line.textChanged.connect(self._judge)
        self._judge()

    def accept(self) -> None:
        """Take the name, if it can be taken."""
        if not self._problem():
            self.name = self._check(self.line.text())
            super().accept()

    def _problem(self) -> str:
        try:
            self._check(self.line.text())
        except InputError as error:
            return str(error)
        return ""

    def _judge(self) -> None:
        problem = self._problem()
        self.words.setText(problem if self.line.text().strip() else "")
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not problem)


def reader_dialog(parent: QWidget | None = None) -> NameDialog:
    """The question who reads here; the answer is not kept yet."""
    return NameDialog(
        "Who is reading?",
        "Your name goes into the cases and files that you make here. It is asked once.",
        "Family^Given, or as you sign",
        reader_name(),
        check_reader,
        parent,
    )


def ask_reader(parent: QWidget | None = None, again: bool = False) -> str:
    """The reader's name: as this computer knows it, else asked for and kept; "" where nobody answered.

    Raises
    ------
    ExportError
        It cannot be kept.
    """
    known = reader_name()
    if known and not again:
        return known
    dialog = reader_dialog(parent)
    dialog.exec()
    dialog.deleteLater()
    return set_reader_name(dialog.name) if dialog.name else ""


def alias_dialog(reader: str, folder: Path | None = None, parent: QWidget | None = None) -> NameDialog:
    """The question what a case of a reader is called; the first free number stands there."""
    from napari_vost.cases import next_alias

    def check(alias: str) -> str:
        alias = check_alias(alias)
        path = case_path(alias, reader, folder)
        if path.exists():
            raise InputError(f"You have a case {alias} already: choose another name, or open it from the first screen.")
        return alias

    return NameDialog(
        "What is this case called?",
        "A name of your own, which will be seen on the screen and in file names: never a patient's.",
        "case-001",
        next_alias(folder),
        check,
        parent,
    )


def ask_alias(reader: str, folder: Path | None = None, parent: QWidget | None = None) -> str:
    """The name of a new case, "" where nobody answered."""
    dialog = alias_dialog(reader, folder, parent)
    dialog.exec()
    dialog.deleteLater()
    return dialog.name
