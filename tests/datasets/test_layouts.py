"""Readers of labelled folders, on generated ones."""

from pathlib import Path

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.datasets import Case, find_layout, layout_names
from napari_vost.errors import ReadError, UnknownName


def cases(name: str, folder: Path) -> list[Case]:
    return list(find_layout(name).cases(folder))


def test_acdc_prompts_the_middle_slice_that_holds_the_structure(acdc: Path) -> None:
    first, second = cases("acdc", acdc)
    assert first.name == "patient001_frame01"
    assert first.clip.shape == (7, 40, 36)
    assert first.clip.order == "depth"
    assert first.prompted_frame("LV") == 3
    assert first.prompted_frame("RV") == 2
    assert first.prompted_frame("MYO") is None
    assert second.known_frames == tuple(range(7))


def test_the_later_of_two_middle_slices_is_prompted() -> None:
    labels = np.zeros((6, 4, 4), dtype=np.uint8)
    labels[1:5] = 1
    case = Case("a", Clip.from_array(labels), labels, {"x": (1,)}, "middle")
    assert case.prompted_frame("x") == 3


def test_acdc_takes_spacing_from_the_index_and_says_where_there_is_none(acdc: Path) -> None:
    first, second = cases("acdc", acdc)
    assert first.clip.spacing_mm_zyx == (10.0, 1.5, 1.5)
    assert first.clip.geometry.spaced
    assert not second.clip.geometry.spaced


def test_a_cine_gives_one_case_per_slice_that_is_labelled_at_the_first_known_frame(acdc_cine: Path) -> None:
    found = cases("acdc_cine", acdc_cine)
    assert [case.name for case in found] == ["patient009 slice 0", "patient009 slice 1"]
    assert {case.unit for case in found} == {"patient009"}
    assert all(case.clip.order == "time" and len(case.clip) == 6 for case in found)
    assert all(case.known_frames == (0, 4) for case in found)
    assert set(found[0].structures) == {"LV", "RV"}


def test_labels_of_a_cine_lie_on_its_images(acdc_cine: Path) -> None:
    for case in cases("acdc_cine", acdc_cine):
        for frame in case.known_frames:
            np.testing.assert_array_equal(case.clip.frame(frame), case.labels[frame].astype(int) * 100 + 50)


def test_hippocampus_runs_coronally_and_merges_its_labels(hippocampus: Path) -> None:
    (case,) = cases("hippocampus", hippocampus)
    assert len(case.clip) == 9
    assert [int(area) for area in case.truth("hippocampus").sum((1, 2))] == [0, 0, 16, 16, 16, 40, 40, 0, 0]
    assert case.prompted_frame("hippocampus") == 6
    assert case.prompted_frame("anterior") == 4
    np.testing.assert_array_equal(case.clip.frame(5), case.labels[5] * 50 + 20)


def test_a_lesion_is_prompted_where_it_is_largest_and_keeps_its_spacing(ct_lesion: Path) -> None:
    (case,) = cases("ct_lesion", ct_lesion)
    assert case.prompted_frame("lesion") == 2
    assert case.clip.spacing_mm_zyx == (5.0, 0.7, 0.5)
    assert case.clip.modality == ""


def test_davis_is_prompted_on_its_first_frame(davis16: Path) -> None:
    (case,) = cases("davis16", davis16)
    assert case.name == "goose"
    assert case.clip.colour
    assert case.prompted_frame("object") == 0
    assert [int(area) for area in case.truth("object").sum((1, 2))] == [64] * 4


def test_an_object_that_the_first_frame_does_not_hold_has_no_prompted_frame() -> None:
    labels = np.zeros((3, 4, 4), dtype=np.uint8)
    labels[1] = 1
    assert Case("a", Clip.from_array(labels), labels, {"x": (1,)}, "first").prompted_frame("x") is None


@pytest.mark.parametrize("name", layout_names())
def test_a_folder_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="is not a folder: give one that holds"):
        cases(name, tmp_path / "missing")


@pytest.mark.parametrize("name", layout_names())
def test_an_empty_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="give another folder or layout"):
        cases(name, tmp_path)


def test_the_folder_above_names_its_parts(acdc: Path) -> None:
    with pytest.raises(ReadError, match="give one of its folders dev"):
        cases("acdc", acdc.parent)


def test_an_npz_of_another_layout_is_refused(acdc: Path) -> None:
    with pytest.raises(ReadError, match="no array 'imgs'"):
        cases("ct_lesion", acdc)


def test_a_damaged_npz_is_refused(acdc: Path) -> None:
    path = acdc / "patient001_frame01.npz"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ReadError, match=r"cannot be read as \.npz"):
        cases("acdc", acdc)


def test_labels_of_another_shape_are_refused(acdc: Path) -> None:
    np.savez(acdc / "patient001_frame01.npz", image=np.zeros((3, 8, 8)), label=np.zeros((3, 8, 9), dtype=np.uint8))
    with pytest.raises(ReadError, match=r"labels have shape \(3, 8, 9\) and the images \(3, 8, 8\)"):
        cases("acdc", acdc)


def test_labels_that_are_no_whole_numbers_are_refused(acdc: Path) -> None:
    np.savez(acdc / "patient001_frame01.npz", image=np.zeros((3, 8, 8)), label=np.full((3, 8, 8), 0.5))
    with pytest.raises(ReadError, match="no labels, expected whole numbers"):
        cases("acdc", acdc)


def test_a_cine_without_its_labelled_frames_is_refused(acdc_cine: Path) -> None:
    (acdc_cine.parent / "index.json").write_text("{}")
    with pytest.raises(ReadError, match="two labelled frames of patient009"):
        cases("acdc_cine", acdc_cine)


def test_a_damaged_index_is_refused(acdc_cine: Path) -> None:
    (acdc_cine.parent / "index.json").write_text("{")
    with pytest.raises(ReadError, match="cannot be read as JSON"):
        cases("acdc_cine", acdc_cine)


def test_labelled_frames_outside_the_cine_are_refused(acdc_cine: Path) -> None:
    (acdc_cine.parent / "index.json").write_text('{"patient009": {"labelled_frames_0based": [0, 6]}}')
    with pytest.raises(ReadError, match="has 6 frames"):
        cases("acdc_cine", acdc_cine)


def test_an_image_without_labels_is_refused(hippocampus: Path) -> None:
    (hippocampus / "labels" / "hippocampus_001.nii.gz").unlink()
    with pytest.raises(ReadError, match="expected a pair"):
        cases("hippocampus", hippocampus)


def test_a_frame_without_its_mask_is_refused(davis16: Path) -> None:
    (davis16 / "goose" / "masks" / "00002.png").unlink()
    with pytest.raises(ReadError, match="4 frames and 3 masks"):
        cases("davis16", davis16)


def test_a_damaged_mask_is_refused(davis16: Path) -> None:
    (davis16 / "goose" / "masks" / "00002.png").write_bytes(b"no picture")
    with pytest.raises(ReadError, match="cannot be read as PNG"):
        cases("davis16", davis16)


def test_an_unknown_layout_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'davis16'"):
        find_layout("davis17")
