"""Masks that are saved from napari lie where the scan lies, whoever drew them; what cannot is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK

from napari_vost.clip import Clip
from napari_vost.errors import ExportError, InputError
from napari_vost.io.readers import open_clip
from napari_vost.paths import shipped
from napari_vost.ui import say, writer
from napari_vost.ui.layers import CLIP, SESSION, grid_options, image_layer
from napari_vost.ui.opening import load
from napari_vost.ui.writer import write_dicom_seg, write_nifti, write_nrrd
from tests.io.dicom_factory import ramp_volume, stack_origins, write_series
from tests.ui.made import session_on


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was told to the user; nobody's name is known on this computer."""
    words: list[str] = []
    monkeypatch.setattr(say, "show_warning", words.append)
    monkeypatch.setattr(writer, "show_info", lambda told: None)
    monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path / "state"))
    return words


@pytest.fixture()
def clip(tmp_path: Path) -> Clip:
    write_series(tmp_path / "ct", ramp_volume(6, 8, 9), stack_origins(6))
    return open_clip(tmp_path / "ct")


def test_our_layer_leaves_as_its_session_with_geometry_and_names(clip: Clip, tmp_path: Path) -> None:
    session = session_on(clip)
    meta = {"metadata": {SESSION: session}}
    empty = np.zeros(clip.shape, np.uint8)  # what the layer shows does not matter: the session is the truth
    (nifti,) = write_nifti(str(tmp_path / "m.nii.gz"), empty, meta)
    (nrrd,) = write_nrrd(str(tmp_path / "m.nrrd"), empty, meta)
    (seg,) = write_dicom_seg(str(tmp_path / "m.dcm"), empty, meta)
    expected = session.segmentation().label_map()
    image = nibabel.load(nifti)
    assert np.array_equal(np.asarray(image.dataobj).T, expected)
    assert image.affine[:3, 3] == pytest.approx((10.0, 20.0, 30.0))
    itk = SimpleITK.ReadImage(nrrd)
    assert np.array_equal(SimpleITK.GetArrayFromImage(itk), expected)
    assert itk.GetOrigin() == pytest.approx((-10.0, -20.0, 30.0)) and itk.GetSpacing() == pytest.approx((0.7, 0.8, 2.5))
    found = pydicom.dcmread(seg)
    assert [one.SegmentLabel for one in found.SegmentSequence] == ["Liver", "Spleen"]
    assert found.ContentCreatorName == "Doe^Jane"


def test_weak_frames_and_overlaps_are_said_and_written(clip: Clip, tmp_path: Path, said: list[str]) -> None:
    session = session_on(clip, weak=(2, 3), overlap=True)
    write_nifti(str(tmp_path / "m.nii.gz"), None, {"metadata": {SESSION: session}})
    assert "Objects overlap" in said[0] and "2 frames are still weak (images 3–4)" in said[0]


@pytest.mark.parametrize(
    ("write", "name"), [(write_nifti, "m.nii.gz"), (write_dicom_seg, "m.dcm"), (write_nrrd, "m.nrrd")]
)
def test_a_name_without_suffix_gets_that_of_the_chosen_format(
    clip: Clip, tmp_path: Path, write: Any, name: str
) -> None:
    meta = {"metadata": {SESSION: session_on(clip)}}
    assert write(str(tmp_path / "m"), None, meta) == [str(tmp_path / name)]
    assert (tmp_path / name).exists()
    with pytest.raises(ExportError, match="exists"):
        write(str(tmp_path / "m"), None, meta)


def test_labels_that_know_their_clip_are_written_on_it(clip: Clip, tmp_path: Path) -> None:
    ids = np.random.default_rng(0).integers(0, 3, clip.shape)
    write_nifti(str(tmp_path / "m.nii.gz"), ids, {"metadata": {CLIP: clip}})
    assert np.array_equal(np.asarray(nibabel.load(tmp_path / "m.nii.gz").dataobj).T, ids)


def test_labels_of_another_shape_are_refused(clip: Clip, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="6 × 8 × 8"):
        write_nifti(str(tmp_path / "m.nii.gz"), np.zeros((6, 8, 8), int), {"metadata": {CLIP: clip}})
    assert not (tmp_path / "m.nii.gz").exists()


def test_labels_without_a_scan_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer.napari, "current_viewer", lambda: None)
    with pytest.raises(ExportError, match="No image of the shape"):
        write_nifti(str(tmp_path / "m.nii.gz"), np.zeros((6, 8, 8), int), {})


@pytest.mark.gui
def test_save_of_a_layer_of_somebody_else_takes_the_geometry_of_the_scan_below(
    make_napari_viewer: Any, clip: Clip, tmp_path: Path
) -> None:
    viewer = make_napari_viewer()
    data, options = image_layer(clip, "CT volume")
    viewer.add_image(data, **options)
    ids = np.random.default_rng(0).integers(0, 3, clip.shape)
    labels = viewer.add_labels(ids, **grid_options(clip))
    viewer.layers.selection = {labels}
    assert viewer.layers.save(str(tmp_path / "m.nii.gz"), selected=True) == [str(tmp_path / "m.nii.gz")]
    image = nibabel.load(tmp_path / "m.nii.gz")
    assert np.array_equal(np.asarray(image.dataobj).T, ids)
    assert image.affine[:3, 3] == pytest.approx((10.0, 20.0, 30.0))
    labels.translate = (50, 0, 0)
    with pytest.raises(ExportError, match="lie elsewhere"):
        viewer.layers.save(str(tmp_path / "n.nii.gz"), selected=True)
    labels.translate = grid_options(clip)["translate"]
    again = load(tmp_path / "ct")
    viewer.add_image(again.data, **again.options)
    viewer.layers.selection = {labels}
    with pytest.raises(ExportError, match="Several images"):
        viewer.layers.save(str(tmp_path / "n.nii.gz"), selected=True)
    assert not (tmp_path / "n.nii.gz").exists()


@pytest.mark.gui
@pytest.mark.parametrize(("name", "chosen"), [("m.nii.gz", "NIfTI"), ("m", "DICOM-SEG"), ("m", "NRRD")])
def test_save_selected_layers_with_our_format_chosen_writes_the_session(
    make_napari_viewer: Any, clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, chosen: str
) -> None:
    from qtpy.QtWidgets import QFileDialog

    def answer(dialog: Any, parent: Any, title: str, start: str, filter: str, **options: Any) -> tuple[str, str]:  # noqa: A002
        return str(tmp_path / name), next(one for one in filter.split(";;") if f"VOST {chosen}" in one)

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    viewer = make_napari_viewer()
    masks = viewer.add_labels(
        np.zeros(clip.shape, np.uint8), metadata={SESSION: session_on(clip)}, **grid_options(clip)
    )
    viewer.layers.selection = {masks}
    action = next(one for one in viewer.window.file_menu.actions() if "Save Selected" in one.text())
    action.trigger()
    suffix = {"NIfTI": ".nii.gz", "DICOM-SEG": ".dcm", "NRRD": ".nrrd"}[chosen]
    assert (tmp_path / f"m{suffix}").exists()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    clip = open_clip(shipped("sample_data/abdomen/abdomen.nii.gz"))

    def full(*anything: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("napari_vost.io.atomic.os.fsync", full)
    with pytest.raises(ExportError, match="disk is full"):
        write_nifti(str(tmp_path / "m.nii.gz"), None, {"metadata": {SESSION: session_on(clip)}})
    assert [one.name for one in tmp_path.iterdir()] == []
