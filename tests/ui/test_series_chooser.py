"""The question which clip is meant: what it lists, what it hides, and what the keys do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vost.io.readers import describe, open_clip
from tests.io.dicom_factory import ramp_volume, stack_origins, write_cine, write_series
from tests.ui.test_opening import write_4d

pytestmark = pytest.mark.gui


def chooser(path: Path, qtbot: Any) -> Any:
    from napari_vost.ui.series_chooser import SeriesChooser

    dialog = SeriesChooser(describe(path))
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def study(folder: Path) -> Path:
    names = {"PatientName": "Doe^Jane", "PatientID": "4711", "SeriesDescription": "Jane abdomen"}
    write_series(folder / "one", ramp_volume(3), stack_origins(3), SeriesNumber=1, **names)
    write_series(folder / "two", ramp_volume(5), stack_origins(5), SeriesNumber=2, **names)
    write_cine(folder / "three.dcm", np.zeros((4, 8, 8), np.uint8), SeriesNumber=3, **names)
    return folder


def words(dialog: Any) -> list[str]:
    items = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
    return [" | ".join(item.text(column) for column in range(5)) for item in items]


def test_it_lists_the_series_without_a_word_on_the_patient(qtbot: Any, tmp_path: Path) -> None:
    lines = words(chooser(study(tmp_path), qtbot))
    assert lines[0].startswith("1 | CT slices | 3 × 6 × 5 | 2.5 × 0.8 × 0.7 mm")
    assert "US cine" in lines[2] and "4 × 8 × 8" in lines[2]
    assert not any(word in line for line in lines for word in ("Doe", "Jane", "4711"))


def test_down_and_enter_choose_the_second_one(qtbot: Any, tmp_path: Path) -> None:
    from qtpy.QtCore import Qt

    dialog = chooser(study(tmp_path), qtbot)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    assert dialog.choices == {"series": 2}
    assert len(open_clip(tmp_path, **dialog.choices)) == 5


def test_escape_chooses_nothing(qtbot: Any, tmp_path: Path) -> None:
    from qtpy.QtCore import Qt

    dialog = chooser(study(tmp_path), qtbot)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Escape)
    assert dialog.choices is None and not dialog.isVisible()


def test_files_without_headers_are_told_by_their_names(qtbot: Any, tmp_path: Path) -> None:
    write_4d(tmp_path / "rest.nii.gz")
    write_4d(tmp_path / "task.nii.gz")
    lines = words(chooser(tmp_path, qtbot))
    assert "rest.nii.gz" in lines[0] and "task.nii.gz" in lines[1]
    assert "3 times × 4 × 6 × 5" in lines[0]


def test_of_a_4d_scan_a_time_point_or_a_slice_is_chosen(qtbot: Any, tmp_path: Path) -> None:
    dialog = chooser(write_4d(tmp_path / "a.nii"), qtbot)
    assert dialog.part.isVisible()
    dialog.part.time_point.setValue(3)
    assert dialog.part.volume.isChecked()
    dialog.accept()
    assert dialog.choices == {"order": "depth", "at": 2}
    again = chooser(tmp_path / "a.nii", qtbot)
    again.part.slice.setValue(4)
    assert again.part.cine.isChecked()
    again.accept()
    assert again.choices == {"order": "time", "at": 3}
    assert open_clip(tmp_path / "a.nii", **again.choices).shape == (3, 6, 5)


def test_the_choice_of_a_part_is_there_for_4d_only(qtbot: Any, tmp_path: Path) -> None:
    write_4d(tmp_path / "a.nii")
    write_series(tmp_path / "ct", ramp_volume(3), stack_origins(3))
    dialog = chooser(tmp_path, qtbot)
    seen = []
    for row in range(2):
        dialog.table.setCurrentItem(dialog.table.topLevelItem(row))
        seen.append((dialog.part.isVisible(), dialog.chosen.time_points))
    assert sorted(seen, key=str) == [(False, None), (True, 3)]
    dialog.table.setCurrentItem(dialog.table.topLevelItem(0 if seen[0][0] else 1))
    dialog.accept()
    assert open_clip(tmp_path, **dialog.choices).shape == (4, 6, 5)


def test_a_series_that_cannot_be_opened_cannot_be_chosen(qtbot: Any, tmp_path: Path) -> None:
    write_series(tmp_path / "ct", ramp_volume(3), stack_origins(3))
    (tmp_path / "broken.nii").write_bytes(b"no header")
    dialog = chooser(tmp_path, qtbot)
    bad = next(row for row, line in enumerate(words(dialog)) if "readable" in line)
    assert dialog.table.topLevelItem(bad).isDisabled()
    assert dialog.chosen is not None and not dialog.chosen.problem
    dialog.table.setCurrentItem(dialog.table.topLevelItem(bad))
    assert dialog.chosen is None or not dialog.chosen.problem


def test_where_nothing_can_be_opened_nothing_can_be_chosen(qtbot: Any, tmp_path: Path) -> None:
    for name in ("a.nii", "b.nii"):
        (tmp_path / name).write_bytes(b"no header")
    dialog = chooser(tmp_path, qtbot)
    dialog.accept()
    assert dialog.choices is None and dialog.isVisible()
