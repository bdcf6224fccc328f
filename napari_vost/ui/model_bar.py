"""The folded part of the dock that says what the engine is made of, and changes it."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent, QStandardItemModel
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_vost.model import weights
from napari_vost.ui.buttons import button
from napari_vost.ui.engine_room import EngineRoom, Facts
from napari_vost.ui.fetching import Fetching, LicenceDialog
from napari_vost.ui.model_list import ModelList, ModelRow
from napari_vost.ui.progress_bar import ProgressBar

_DEVICES = {"auto": "Automatic", "cpu": "CPU", "cuda": "NVIDIA GPU (CUDA)", "mps": "Apple GPU"}
_MEGA = 1_000_000


class ModelBar(QWidget):
    """Models to choose from and to download, device, memory policy and motion prior.

    Parameters
    ----------
    room
        What knows the engine and changes it.
    """

    def __init__(self, room: EngineRoom) -> None:
        super().__init__()
        self._room = room
        self._fetching: Fetching | None = None
        self._dialog: LicenceDialog | None = None
        self._found = False
        self.models = ModelList(room.follow_ms)
        self.about = _words("About the model")
        self.button = button("Use", "", self._act, "Go on with the chosen model; marks and masks are kept")
        self.progress = ProgressBar()
        self.line = _words("What is going on")
        self.device = _choice("Device", "Where the network runs")
        self.memory = _choice("Memory", "Which frames the network remembers while it follows")
        self.motion = _choice("Motion", "How it is guessed where an object goes next")
        self.why = _words("What was chosen, and why")
        self._arrange()
        self.models.chosen.connect(self._show_chosen)
        self.models.failed.connect(self._say)
        self.models.itemDoubleClicked.connect(lambda _: self._act())
        for name, choice in (("device", self.device), ("memory", self.memory), ("motion", self.motion)):
            choice.activated.connect(lambda _, name=name, choice=choice: self._choose(name, choice.currentData()))
        room.changed.connect(self._show_facts)
        room.busy_changed.connect(self._say)
        self._show_facts()

    def close_down(self) -> None:
        """End a download, and listen no longer."""
        if self._fetching is not None:
            self._fetching.stop()
        if self._dialog is not None:
            self._dialog.reject()
        self._room.changed.disconnect(self._show_facts)
        self._room.busy_changed.disconnect(self._say)

    def showEvent(self, event: QShowEvent) -> None:
        """Look for models when they are first to be seen."""
        if not self._found:
            self._found = True
            self.models.look()
        super().showEvent(event)

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self.models, self.about, self.button, self.progress, self.line):
            column.addWidget(part)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(4)
        for title, choice in (("Device", self.device), ("Memory", self.memory), ("Motion", self.motion)):
            form.addRow(title, choice)
        column.addLayout(form)
        column.addWidget(self.why)

    # models -------------------------------------------------------------------------------------------------------

    def _show_chosen(self) -> None:
        row, facts = self.models.model_row, self._room.facts
        self.about.setText("" if row is None else f"{row.entry.title}. {row.entry.intended_use}")
        self.about.setVisible(row is not None)
        if self._fetching is not None:
            self.button.setText("Cancel the download")
            self.button.setEnabled(True)
            return
        in_use = row is not None and facts is not None and row.entry.name == facts.model and not facts.problem
        self.button.setEnabled(row is not None and not in_use)
        self.button.setText(_action(row, in_use))

    def _act(self) -> None:
        """What the button says: use the chosen model, download it first, or stop a download."""
        row = self.models.model_row
        if self._fetching is not None:
            self._fetching.stop()
        elif row is None or not self.button.isEnabled():
            return
        elif row.here:
            self._use(row.entry.name)
        elif weights.accepted(row.entry.licence_text):
            self._fetch(row)
        else:
            self._ask(row)

    def _use(self, name: str) -> None:
        self._room.use({"model": name}, f"Loading {name} …")

    def _ask(self, row: ModelRow) -> None:
        dialog = self._dialog = LicenceDialog(row.entry, row.size, self)

        def answered(taken: int) -> None:
            self._dialog = None
            dialog.deleteLater()
            if taken:
                self._fetch(row)

        dialog.finished.connect(answered)
        dialog.open()

    def _fetch(self, row: ModelRow) -> None:
        fetching = self._fetching = Fetching(row.entry, self)
        fetching.progressed.connect(self._show_progress)
        fetching.ended.connect(self._fetched)
        self.progress.setRange(0, 0)
        self.progress.show()
        self._say(f"Downloading {row.entry.name} …")
        self._show_chosen()

    def _show_progress(self, done: int, total: int | None) -> None:
        if self._fetching is None or not done:
            return
        self.progress.show_share(round(1000 * done / total) if total else 0, 1000 if total else 0)
        of = f" of {total / _MEGA:.0f}" if total else ""
        self._say(f"Downloading {self._fetching.entry.name}: {done / _MEGA:.0f}{of} MB")

    def _fetched(self, problem: str) -> None:
        fetching, self._fetching = self._fetching, None
        self.progress.hide()
        self._say(problem)
        if fetching is not None and fetching.arrived:
            self._use(fetching.entry.name)
        self.models.look()
        self._show_chosen()

    def _say(self, words: str) -> None:
        self.line.setText(words)
        self.line.setVisible(bool(words))

    # the rest -----------------------------------------------------------------------------------------------------

    def _choose(self, name: str, value: str) -> None:
        self._room.use({name: value}, "One moment …")

    def _show_facts(self) -> None:
        facts = self._room.facts
        for choice in (self.device, self.memory, self.motion):
            choice.setEnabled(facts is not None)
        if facts is None:
            return
        self.models.show_in_use(facts.model)
        self._show_devices(facts)
        _fill(self.memory, facts.policies, facts.options.memory, facts.chosen.memory)
        _fill(self.motion, facts.priors, facts.options.motion, facts.chosen.motion)
        if facts.problem:
            self._say(facts.problem)
        reasons = (facts.chosen.memory_reason, facts.chosen.motion_reason)
        told = (f"{kind}: {reason}" for kind, reason in zip(("Memory", "Motion"), reasons, strict=True) if reason)
        self.why.setText("\n".join(told))
        self.why.setVisible(bool(self.why.text()))

    def _show_devices(self, facts: Facts) -> None:
        kinds = {name.partition(":")[0] for name in facts.devices}
        more = [name for name in facts.devices if name.startswith("cuda:")]
        names = [*_DEVICES, *(more if len(more) > 1 else [])]
        self.device.clear()
        for place, name in enumerate(names):
            words = (
                f"{_DEVICES[name]}: {facts.device.partition(' ')[0]}" if name == "auto" else _DEVICES.get(name, name)
            )
            self.device.addItem(words, name)
            here = name == "auto" or name in facts.devices or name in kinds
            model = self.device.model()
            if not here and isinstance(model, QStandardItemModel):
                model.item(place).setEnabled(False)
                model.item(place).setToolTip("Not on this computer, or not in this build of PyTorch")
        self.device.setCurrentIndex(max(self.device.findData(facts.options.device), 0))
        self.device.setToolTip(f"Where the network runs: {facts.device}")


def _action(row: ModelRow | None, in_use: bool) -> str:
    if row is None:
        return "Use"
    name = row.entry.name
    if in_use:
        return f"{name} is in use"
    return f"Use {name}" if row.here else f"Download {row.size} and use …".replace("  ", " ")


def _words(name: str) -> QLabel:
    words = QLabel()
    words.setWordWrap(True)
    words.setAccessibleName(name)
    words.hide()
    return words


def _choice(name: str, tip: str) -> QComboBox:
    choice = QComboBox()
    choice.setAccessibleName(name)
    choice.setToolTip(tip)
    choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return choice


def _fill(choice: QComboBox, names: Iterable[str], asked: str, chosen: str) -> None:
    """Names with ``"auto"`` first, which says what it took."""
    choice.clear()
    for name in names:
        automatic = f"Automatic: {chosen}" if asked == "auto" and chosen else "Automatic"
        choice.addItem(automatic if name == "auto" else name, name)
    choice.setCurrentIndex(max(choice.findData(asked), 0))
