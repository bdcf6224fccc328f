"""The models that there are, each with its licence, its size, whether it is here and how fast it is here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QWidget

from napari_vost.errors import VostError
from napari_vost.model import registry, weights
from napari_vost.model.registry import ModelEntry
from napari_vost.ui.background import Running

ROWS_SHOWN = 4
_ROW = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class ModelRow:
    """A model, and whether its weights are on this computer."""

    entry: ModelEntry
    here: bool

    @property
    def size(self) -> str:
        """Size of what would be fetched, ``≈`` where it is not exact; "" where it is unknown."""
        first = self.entry.sources[0]
        if first.size_bytes:
            return f"{first.size_bytes / 1e6:.0f} MB"
        return f"≈ {first.about_bytes / 1e6:.0f} MB" if first.about_bytes else ""

    def line(self, ms: float | None, in_use: bool) -> str:
        """What stands below the name; ``ms`` per followed frame, None where nobody has measured it."""
        state = "in use" if in_use else "here" if self.here else "to download"
        speed = f"{ms:.0f} ms/frame" if ms is not None else "not timed" if self.here else ""
        return " · ".join(part for part in (self.entry.licence, self.size, state, speed) if part)


def find_models() -> tuple[ModelRow, ...]:
    """All models of the registries; files are looked for and may be hashed, so call it off the GUI thread."""
    return tuple(ModelRow(entry, _here(entry)) for entry in registry.load().values())


def _here(entry: ModelEntry) -> bool:
    try:
        return weights.installed(entry) is not None
    except VostError:
        return False


class ModelList(QListWidget):
    """Two lines a model; a click chooses one, a double click asks for it.

    Parameters
    ----------
    speed
        Milliseconds per followed frame of a model by name, None where it is not known.
    parent
        Of the widget.
    """

    chosen = Signal()  # another one, or the same with other facts
    failed = Signal(str)  # a sentence

    def __init__(self, speed: Callable[[str], float | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._speed = speed
        self._rows: tuple[ModelRow, ...] = ()
        self._in_use = ""
        self._wanted = ""  # a name to choose once it is there
        self.setAccessibleName("Models")
        self.setToolTip("Click one to read about it; its marks and masks are kept when you change")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setUniformItemSizes(True)
        self.setSpacing(2)
        self.currentItemChanged.connect(self._choose)

    @property
    def model_row(self) -> ModelRow | None:
        """The model that is chosen in the list."""
        item = self.currentItem()
        found: ModelRow | None = None if item is None else item.data(_ROW)
        return found

    def look(self) -> None:
        """Look anew for the models and their files."""
        Running(find_models, self._show, self._tell, self)

    def show_in_use(self, name: str) -> None:
        """Mark the model that is in use; a change chooses it in the list as well."""
        if name != self._in_use:
            self._wanted = name
        self._in_use = name
        self._write()

    def sizeHint(self) -> QSize:
        """Room for a few models; more of them scroll."""
        row = max(self.sizeHintForRow(0), 2 * self.fontMetrics().lineSpacing() + 6) + 2 * self.spacing()
        return QSize(240, ROWS_SHOWN * row + 2 * self.frameWidth())

    def _choose(self) -> None:
        self._wanted = ""  # what is chosen now is what is wanted
        self.chosen.emit()

    def _tell(self, error: Exception) -> None:
        from napari_vost.ui.jobs import sentence_of

        self.failed.emit(sentence_of(error))

    def _show(self, rows: Sequence[ModelRow]) -> None:
        self._rows = tuple(rows)
        self._wanted = self._wanted or (self.model_row.entry.name if self.model_row is not None else self._in_use)
        self.blockSignals(True)
        self.clear()
        for _ in rows:
            QListWidgetItem(self)
        self.blockSignals(False)
        self._write()

    def _write(self) -> None:
        for place, row in enumerate(self._rows):
            item, name = self.item(place), row.entry.name
            used = name == self._in_use
            item.setData(_ROW, row)
            item.setText(f"{name}\n{row.line(self._speed(name), used)}")
            item.setToolTip(f"{row.entry.title}. {row.entry.intended_use}")
            font = item.font()
            font.setBold(used)
            item.setFont(font)
            if name == self._wanted:
                self._wanted = ""
                self.setCurrentItem(item)
                self.scrollToItem(item)
        self.chosen.emit()
