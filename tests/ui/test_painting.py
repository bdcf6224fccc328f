"""What is painted or drawn elsewhere becomes masks on the engine's thread, in its turn."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari.layers import Labels
from qtpy.QtWidgets import QFileDialog

from napari_vost.clip import Clip
from napari_vost.io.exporters import export
from napari_vost.io.label_files import names_in
from napari_vost.io.readers import open_clip
from napari_vost.session import Session
from napari_vost.types import Label
from napari_vost.ui import painting
from napari_vost.ui.painting import RESAMPLED, LabelMasks, of_labels
from tests.io.dicom_factory import ramp_volume, stack_origins, write_series
from tests.ui.test_correcting import Lay, held, session_of, shown

pytestmark = pytest.mark.gui


def two_boxes(clip: Clip) -> np.ndarray[Any, Any]:
    labels = np.zeros(clip.shape, np.int32)
    labels[3:9, 10:20, 10:30] = 2
    labels[5:14, 30:50, 40:60] = 7
    return labels


def choose(hands: Any, words: str) -> None:
    """Choose a line of the menu."""
    menu = hands.desk.start.menu
    menu.aboutToShow.emit()
    next(one for one in menu.actions() if words in one.text()).trigger()
    hands.settle()


def start_from(hands: Any, layer: Labels) -> None:
    """Add a layer of labels and choose it."""
    hands.viewer.add_layer(layer)
    choose(hands, layer.name)


def test_the_masks_of_a_label_map_are_its_objects_frame_by_frame(volume: Clip) -> None:
    labels = two_boxes(volume)
    masks, said = of_labels(Session(volume), labels)
    assert said == "" and isinstance(masks, LabelMasks)
    assert set(masks) == {(2, frame) for frame in range(3, 9)} | {(7, frame) for frame in range(5, 14)}
    assert all(np.array_equal(mask, labels[frame] == object_id) for (object_id, frame), mask in masks.items())


def test_a_session_starts_from_a_labels_layer_as_one_step(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume)
    labels = two_boxes(volume)
    start_from(hands, Labels(labels, scale=hands.desk.scene.image.scale))
    assert np.array_equal(held(hands), labels) and np.array_equal(shown(hands), labels)
    assert hands.desk.studio.object_ids == (1, 2, 7) and len(session_of(hands).locks) == 15
    hands.desk.studio.undo()
    hands.settle()
    assert not held(hands).any() and not shown(hands).any()


def test_labels_are_read_on_the_engines_thread(lay_desk: Lay, volume: Clip) -> None:
    hands, readers = lay_desk(volume), []

    class Lazy:
        """An array that notes who reads it."""

        shape = volume.shape

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
            readers.append(threading.current_thread().name)
            return two_boxes(volume)

    hands.desk.studio.start_from(Lazy())
    hands.settle()
    assert held(hands).any() and set(readers) == {"napari-vost engine"}


@pytest.mark.parametrize(
    ("shape", "value", "said"), [((24, 64, 70), 1, "24 × 64 × 70"), ((24, 64, 72), 0, "labels are empty")]
)
def test_labels_that_do_not_fit_are_said_and_change_nothing(
    lay_desk: Lay, volume: Clip, shape: tuple[int, ...], value: int, said: str
) -> None:
    hands = lay_desk(volume)
    start_from(hands, Labels(np.full(shape, value)))
    assert said in hands.said[-1] and not held(hands).any() and not session_of(hands).ledger.done


def test_layers_of_ours_are_nothing_to_start_from(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume)
    hands.viewer.add_layer(Labels(two_boxes(volume), name="theirs"))
    menu = hands.desk.start.menu
    menu.aboutToShow.emit()
    assert [one.text() for one in menu.actions()] == ["Layer “theirs”", "A file …"]


@pytest.mark.parametrize("step", [1, 2])
def test_a_session_starts_from_a_file_on_its_own_grid_or_on_another_one(
    lay_desk: Lay, volume: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    placed = replace(volume, geometry=replace(volume.geometry, oriented=True))
    hands, labels = lay_desk(placed), two_boxes(volume)
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])  # that of the clip, as NIfTI has it
    affine[:3, :3] *= step
    stored = labels[::step, ::step, ::step].transpose(2, 1, 0).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(stored, affine), tmp_path / "labels.nii.gz")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "labels.nii.gz"), ""))
    choose(hands, "A file")
    assert ((held(hands) != labels).sum() / (labels > 0).sum()) < (0.001 if step == 1 else 0.3)
    assert (hands.said[-1:] == [RESAMPLED]) == (step == 2) and hands.desk.studio.object_ids == (1, 2, 7)


def test_a_file_that_is_no_label_map_is_said_and_changes_nothing(
    lay_desk: Lay, volume: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = lay_desk(volume)
    noise = np.random.default_rng(0).normal(size=(72, 64, 24)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(noise, np.eye(4)), tmp_path / "scan.nii.gz")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "scan.nii.gz"), ""))
    choose(hands, "A file")
    assert "not object ids" in hands.said[-1] and not session_of(hands).ledger.done


def test_masks_of_a_dicom_seg_come_with_their_names_and_with_undo(
    lay_desk: Lay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_series(tmp_path / "ct", ramp_volume(5, 40, 44), stack_origins(5))
    clip = open_clip(tmp_path / "ct")
    labels = np.zeros(clip.shape, np.uint8)
    labels[1:4, 10:20, 8:30], labels[2:5, 25:35, 20:40] = 1, 2
    session = Session(clip)
    for name, object_id in (("Liver", 1), ("Spleen", 2)):
        session.name_object(object_id, Label(name, colour_rgb=(200, 30, 30)))
    session.paint(of_labels(session, labels)[0])
    export(session.segmentation(), tmp_path / "masks.dcm")
    hands = lay_desk(clip)
    hands.desk.studio.rename(2, Label("Mine"))
    monkeypatch.setattr(painting, "names_in", lambda path: {**names_in(path), 9: Label("on another series")})
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "masks.dcm"), ""))
    choose(hands, "A file")
    assert np.array_equal(held(hands), labels)
    assert [hands.desk.studio.label(one).name for one in (1, 2)] == ["Liver", "Mine"]
    assert hands.desk.studio.label(1).colour_rgb == (200, 30, 30)
    assert hands.desk.studio.object_ids == (1, 2), "a segment without a pixel here is no object"
    hands.desk.studio.undo()
    hands.settle()
    assert not held(hands).any()
