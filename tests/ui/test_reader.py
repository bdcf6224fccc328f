"""Files and folders open in napari on their own grid; what cannot be opened is one sentence and no layer."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from napari_vost.errors import ReadError
from napari_vost.paths import shipped
from tests.io.dicom_factory import ramp_volume, stack_origins, write_cine, write_series
from tests.ui.test_opening import write_4d


@pytest.fixture()
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was told to the user."""
    from napari_vost.ui import say

    words: list[str] = []
    monkeypatch.setattr(say, "show_error", words.append)
    monkeypatch.setattr(say, "show_warning", words.append)
    return words


def answering(monkeypatch: pytest.MonkeyPatch, choices: Any) -> list[Any]:
    """Answer every question which clip is meant; the questions that came."""
    from napari_vost.ui import reader

    asked: list[Any] = []
    monkeypatch.setattr(reader, "ask", lambda description: (asked.append(description), choices)[1])
    return asked


def test_what_is_not_ours_is_left_to_others(tmp_path: Path) -> None:
    from napari_vost.ui.reader import get_reader

    (tmp_path / "notes.txt").write_text("no scan")
    assert get_reader(str(tmp_path)) is None
    assert get_reader(str(tmp_path / "notes.txt")) is None
    assert get_reader([str(tmp_path / "notes.txt")]) is None


def test_without_a_window_the_error_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_vost.ui import reader

    class NoApplication:
        instance = staticmethod(lambda: None)

    monkeypatch.setattr(reader, "QApplication", NoApplication)
    with pytest.raises(ReadError):
        reader.read(str(tmp_path / "nothing.nii"))


@pytest.mark.gui
def test_a_folder_opens_as_one_layer_on_its_own_grid(make_napari_viewer: Any, tmp_path: Path, said: list[str]) -> None:
    volume = ramp_volume(5)
    write_series(tmp_path, volume, stack_origins(5), PatientName="Doe^Jane")
    viewer = make_napari_viewer()
    (layer,) = viewer.open(tmp_path, plugin="napari-vost")
    assert layer.name == "CT volume"
    assert layer.scale == pytest.approx((2.5, 0.8, 0.7))
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3
    assert np.array_equal(np.asarray(layer.data), volume.astype(np.float32) - 1024)
    assert viewer.dims.nsteps[0] == 5 and said == []


@pytest.mark.gui
def test_a_scan_is_read_on_a_thread_of_its_own(
    make_napari_viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_vost.ui import reader

    load, readers = reader.load, []
    monkeypatch.setattr(
        reader, "load", lambda *given: (readers.append(threading.current_thread().name), load(*given))[1]
    )
    viewer = make_napari_viewer()
    (layer,) = viewer.open(shipped("sample_data/abdomen/abdomen.nii.gz"), plugin="napari-vost")
    assert readers == ["napari-vost call"] and layer in viewer.layers


@pytest.mark.gui
def test_each_kind_of_file_opens(make_napari_viewer: Any, tmp_path: Path, said: list[str]) -> None:
    from PIL import Image

    cine = write_cine(tmp_path / "cine.dcm", np.arange(4 * 8 * 8, dtype=np.uint8).reshape(4, 8, 8))
    nibabel.save(nibabel.Nifti1Image(np.zeros((5, 6, 7), np.int16), np.diag([1, 1, 3, 1.0])), tmp_path / "scan.nii.gz")
    (tmp_path / "film").mkdir()
    for number in range(3):
        Image.fromarray(np.full((6, 5, 3), number, np.uint8)).save(tmp_path / "film" / f"{number}.png")
    viewer = make_napari_viewer()
    names = {}
    for path in (cine, tmp_path / "scan.nii.gz", tmp_path / "film", shipped("sample_data/ventricle/ventricle.mp4")):
        (layer,) = viewer.open(path, plugin="napari-vost")
        names[path.name] = (layer.name, layer.data.shape)
        viewer.layers.clear()
    assert names == {
        "cine.dcm": ("US cine", (4, 8, 8)),
        "scan.nii.gz": ("Volume", (7, 6, 5)),
        "film": ("Pictures", (3, 6, 5, 3)),
        "ventricle.mp4": ("Video", (40, 256, 256, 3)),
    }
    assert "Pictures say no order: they are taken as a cine by name." in said


@pytest.mark.gui
def test_what_cannot_be_read_is_one_sentence_and_no_layer(
    make_napari_viewer: Any, tmp_path: Path, said: list[str]
) -> None:
    (tmp_path / "broken.nii.gz").write_bytes(b"not gzip")
    viewer = make_napari_viewer()
    assert viewer.open(tmp_path / "broken.nii.gz", plugin="napari-vost") == []
    assert len(viewer.layers) == 0
    assert len(said) == 1 and "not a readable NIfTI" in said[0] and "\n" not in said[0]


@pytest.mark.gui
def test_of_several_series_the_chosen_one_opens(
    make_napari_viewer: Any, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_series(tmp_path / "a", ramp_volume(3), stack_origins(3), SeriesNumber=1)
    write_series(tmp_path / "b", ramp_volume(5), stack_origins(5), SeriesNumber=2)
    asked = answering(monkeypatch, {"series": 2})
    (layer,) = make_napari_viewer().open(tmp_path, plugin="napari-vost")
    assert len(layer.data) == 5 and len(asked[0].series) == 2 and said == []


@pytest.mark.gui
def test_who_does_not_choose_opens_nothing_and_hears_nothing(
    make_napari_viewer: Any, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, None)
    viewer = make_napari_viewer()
    assert viewer.open(write_4d(tmp_path / "a.nii"), plugin="napari-vost") == []
    assert len(asked) == 1 and said == [] and len(viewer.layers) == 0


@pytest.mark.gui
def test_a_question_that_is_on_the_screen_is_answered(make_napari_viewer: Any, tmp_path: Path, qtbot: Any) -> None:
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    from napari_vost.ui.series_chooser import SeriesChooser

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, SeriesChooser):
            QTimer.singleShot(100, answer)
            return
        dialog.part.slice.setValue(2)
        dialog.accept()

    QTimer.singleShot(300, answer)
    (layer,) = make_napari_viewer().open(write_4d(tmp_path / "a.nii"), plugin="napari-vost")
    assert layer.data.shape == (3, 6, 5) and (np.asarray(layer.data)[1] // 100 == 11).all()


@pytest.mark.gui
def test_a_drop_of_all_files_of_a_series_opens_it_once(
    make_napari_viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_series(tmp_path, ramp_volume(5), stack_origins(5))
    viewer = make_napari_viewer()
    viewer.open(paths, plugin="napari-vost")
    assert [len(layer.data) for layer in viewer.layers] == [5]
    viewer.layers.clear()
    viewer.open(paths, plugin="napari-vost", stack=True)
    assert [len(layer.data) for layer in viewer.layers] == [5]


@pytest.mark.gui
def test_a_file_that_is_opened_again_opens_again(make_napari_viewer: Any, tmp_path: Path) -> None:
    paths = write_series(tmp_path, ramp_volume(5), stack_origins(5))
    viewer = make_napari_viewer()
    for _ in range(2):
        viewer.open(paths[2], plugin="napari-vost")
    assert len(viewer.layers) == 2


@pytest.mark.gui
def test_a_drop_of_files_is_asked_about_once(
    make_napari_viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write_4d(tmp_path / f"{number}.nii") for number in range(3)]
    asked = answering(monkeypatch, None)
    make_napari_viewer().open(paths, plugin="napari-vost")
    assert len(asked) == 1


@pytest.mark.gui
def test_both_samples_open_from_the_menu(make_napari_viewer: Any, said: list[str]) -> None:
    viewer = make_napari_viewer()
    (volume,) = viewer.open_sample("napari-vost", "volume")
    assert (volume.name, volume.data.shape) == ("Sample volume", (60, 256, 256))
    viewer.layers.clear()
    (cine,) = viewer.open_sample("napari-vost", "cine")
    assert (cine.name, cine.data.shape) == ("Sample cine", (40, 256, 256)) and said == []


@pytest.mark.gui
def test_real_scans_open(make_napari_viewer: Any, data: Path, said: list[str]) -> None:
    viewer = make_napari_viewer()
    for name in ("dicom_gantry_tilt", "dicom_oblique_T1_subset", "niivue_unlabelled/CT_AVM.nii.gz"):
        (layer,) = viewer.open(data / name, plugin="napari-vost")
        low, high = layer.contrast_limits
        assert layer.ndim == 3 and low < high
        assert np.allclose(layer.rotate, np.eye(3)) and not layer.shear.any()
        viewer.layers.clear()
    assert all(words.endswith(".") for words in said)
