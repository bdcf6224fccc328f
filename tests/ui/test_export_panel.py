"""The export panel: what it says before, what it writes, and what it says when it cannot."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest

from napari_vost.clip import Clip
from napari_vost.geometry import Geometry
from napari_vost.io.readers import open_clip
from tests.io.dicom_factory import ramp_volume, stack_origins, write_series
from tests.ui.made import session_on

pytestmark = pytest.mark.gui
PLAIN = Clip.from_array(np.zeros((6, 8, 9), np.uint8))


def panel_of(qtbot: Any, session: Any = None, suffix: str = ".nii.gz", **how: Any) -> Any:
    from napari_vost.ui.export_panel import ExportPanel

    panel = ExportPanel(**how)
    qtbot.addWidget(panel)
    panel.resize(300, 400)
    panel.show()
    if session is not None:
        panel.show_session(session)
        panel.format.setCurrentIndex(panel.format.findData(suffix))
        qtbot.waitUntil(lambda: "Nothing to export" not in panel.outlook.text())
        qtbot.wait(50)
    return panel


@pytest.fixture()
def clip(tmp_path: Path) -> Clip:
    write_series(tmp_path / "ct", ramp_volume(6, 8, 9), stack_origins(6))
    return open_clip(tmp_path / "ct")


def test_without_masks_it_says_what_to_do(qtbot: Any) -> None:
    panel = panel_of(qtbot)
    assert not panel.isEnabled() and "mark something" in panel.outlook.text()


def test_weak_frames_and_overlaps_are_said_and_forbid_nothing(qtbot: Any) -> None:
    panel = panel_of(qtbot, session_on(PLAIN, weak=(1,), overlap=True))
    assert "1 frame is still weak (image 2)" in panel.outlook.text() and "Objects overlap" in panel.outlook.text()
    assert panel.button.isEnabled()


def test_the_file_is_written_elsewhere_and_told(qtbot: Any, clip: Clip, tmp_path: Path) -> None:
    session = session_on(clip)
    panel = panel_of(qtbot, session, ".dcm")
    with qtbot.waitSignal(panel.exported, timeout=20000) as told:
        panel.export_to(tmp_path / "m")
        assert not panel.button.isEnabled()
    assert told.args == [tmp_path / "m.dcm"] and panel.result.text() == str(tmp_path / "m.dcm")
    assert pydicom.dcmread(tmp_path / "m.dcm").ContentCreatorName == "Doe^Jane"
    assert panel.button.isEnabled() and panel.said.text().startswith("Written.")


def test_the_given_submit_runs_it(qtbot: Any, clip: Clip, tmp_path: Path) -> None:
    calls: list[Any] = []
    panel = panel_of(qtbot, session_on(clip), submit=lambda call, done, failed: calls.append((call, done)))
    panel.export_to(tmp_path / "m.nii.gz")
    panel.export_to(tmp_path / "n.nii.gz")  # while the first one runs
    ((call, done),) = calls
    done(call())
    assert np.asarray(nibabel.load(tmp_path / "m.nii.gz").dataobj).any() and not (tmp_path / "n.nii.gz").exists()


def test_the_button_asks_where_and_proposes_the_case(
    qtbot: Any, clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtWidgets import QFileDialog

    proposed: list[str] = []

    def answer(parent: Any, title: str, start: str, kinds: str) -> tuple[str, str]:
        proposed.append(start)
        return str(tmp_path / "mine.nrrd"), kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    panel = panel_of(qtbot, session_on(clip), ".nrrd")
    with qtbot.waitSignal(panel.exported, timeout=20000):
        panel.button.click()
    assert Path(proposed[0]).name == "case-007.nrrd" and (tmp_path / "mine.nrrd").exists()


def test_a_folder_of_pictures_can_be_written(qtbot: Any, clip: Clip, tmp_path: Path) -> None:
    panel = panel_of(qtbot, session_on(clip), "/")
    assert "no spacing" in panel.outlook.text()
    (tmp_path / "png").mkdir()
    with qtbot.waitSignal(panel.exported, timeout=20000):
        panel.export_to(tmp_path / "png")
    assert len(list((tmp_path / "png").glob("*.png"))) == 6


@pytest.mark.parametrize(("name", "said"), [("missing/m.nii.gz", "does not exist"), ("locked/m", "read-only")])
def test_a_place_that_cannot_be_written_is_one_sentence(
    qtbot: Any, clip: Clip, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    panel = panel_of(qtbot, session_on(clip))
    panel.export_to(tmp_path / name)
    qtbot.waitUntil(lambda: said in panel.said.text())
    assert "\n" not in panel.said.text() and panel.button.isEnabled() and not panel.result.isVisible()
    assert not list((tmp_path / "locked").iterdir())


def test_a_full_disk_leaves_nothing(qtbot: Any, clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    def full(*anything: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    panel = panel_of(qtbot, session_on(clip))
    monkeypatch.setattr("napari_vost.io.atomic.os.fsync", full)
    (tmp_path / "out").mkdir()
    panel.export_to(tmp_path / "out" / "m.nii.gz")
    qtbot.waitUntil(lambda: "disk is full" in panel.said.text())
    assert list((tmp_path / "out").iterdir()) == []


def test_uneven_slices_bring_their_choices(qtbot: Any, tmp_path: Path) -> None:
    origins = np.array([[0.0, 0.0, z] for z in (0, 1, 2, 4, 5, 6)])
    gaps = replace(PLAIN, geometry=Geometry(np.eye(4), frame_origins_lps=origins))
    panel = panel_of(qtbot, session_on(gaps))
    assert panel.fill_gap.isVisible()
    panel.export_to(tmp_path / "m.nii.gz")
    qtbot.waitUntil(lambda: "gap" in panel.said.text())
    assert "--" not in panel.said.text()
    panel.fill_gap.click()
    with qtbot.waitSignal(panel.exported, timeout=20000):
        panel.export_to(tmp_path / "m.nii.gz")
    assert nibabel.load(tmp_path / "m.nii.gz").shape == (9, 8, 7)
    panel.format.setCurrentIndex(panel.format.findData(".dcm"))
    qtbot.waitUntil(lambda: not panel.fill_gap.isVisible())


def test_dicom_seg_of_another_source_asks_for_its_series(
    qtbot: Any, clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtWidgets import QFileDialog

    from napari_vost.io.exporters import export

    export(session_on(clip), tmp_path / "scan.nii.gz")
    panel = panel_of(qtbot, session_on(open_clip(tmp_path / "scan.nii.gz")), ".dcm")
    assert panel.reference.isVisible() and "choose the series" in panel.outlook.text()
    panel.export_to(tmp_path / "m.dcm")
    qtbot.waitUntil(lambda: "DICOM series" in panel.said.text())
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "ct"))
    panel.reference.click()
    qtbot.waitUntil(lambda: "choose the series" not in panel.outlook.text())
    with qtbot.waitSignal(panel.exported, timeout=20000):
        panel.export_to(tmp_path / "m.dcm")
    assert (tmp_path / "m.dcm").exists()


def test_closing_during_an_export_lets_it_end_and_tells_nobody(qtbot: Any, clip: Clip, tmp_path: Path) -> None:
    from napari_vost.ui.export_panel import ExportPanel

    panel = ExportPanel()
    panel.show_session(session_on(clip))
    panel.format.setCurrentIndex(panel.format.findData(".nii.gz"))
    panel.export_to(tmp_path / "m.nii.gz")
    panel.deleteLater()
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not any(one.name == "napari-vost call" for one in threading.enumerate()), timeout=20000)
    qtbot.wait(50)
    assert (tmp_path / "m.nii.gz").exists()


def test_it_fits_into_300_pixels(qtbot: Any) -> None:
    panel = panel_of(qtbot, session_on(PLAIN, weak=(1, 3, 5), overlap=True))
    panel.export_to(Path("/a-folder-with-a-long-name/" * 12 + "m.nii.gz"))
    qtbot.waitUntil(lambda: "long-name" in panel.said.text())
    qtbot.wait(50)
    assert panel.minimumSizeHint().width() <= 300
