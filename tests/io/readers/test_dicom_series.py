"""DICOM slices: ordered by place, tilted, with gaps, repeated in time, mixed up, copied, broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest

from napari_vost.errors import ChoiceNeeded, ReadError
from napari_vost.geometry import tilt_deg
from napari_vost.io.readers import describe, dicom_pixels, open_clip
from tests.io.dicom_factory import blank, ramp_volume, stack_origins, tilted, write, write_series


def first_values(clip: object) -> list[int]:
    return [int(frame[0, 0]) for frame in clip]  # type: ignore[attr-defined]


def test_slices_are_ordered_by_position_not_by_name_or_number(tmp_path: Path) -> None:
    volume = ramp_volume(7)
    shuffled = [3, 0, 6, 1, 5, 2, 4]
    origins = [stack_origins(7)[index] for index in shuffled]
    write_series(tmp_path, volume[shuffled], origins)
    clip = open_clip(tmp_path)
    assert clip.order == "depth" and clip.modality == "CT"
    np.testing.assert_array_equal(np.stack(list(clip)), volume.astype(int) - 1024)
    assert clip.spacing_mm_zyx == pytest.approx((2.5, 0.8, 0.7))
    assert clip.geometry.letters == ("S", "P", "L")
    np.testing.assert_allclose(clip.geometry.frame_origin(4), stack_origins(7)[4])
    for index, (path, uid) in enumerate(zip(clip.source.files, clip.source.instance_uids, strict=True)):
        data = pydicom.dcmread(path)
        assert data.SOPInstanceUID == uid and data.pixel_array[0, 0] == volume[index, 0, 0]


def test_depth_rises_along_the_normal_for_a_flipped_orientation(tmp_path: Path) -> None:
    write_series(tmp_path, ramp_volume(4), stack_origins(4), orientation=(-1, 0, 0, 0, 1, 0))
    clip = open_clip(tmp_path)
    assert first_values(clip) == [1976, 976, -24, -1024]
    assert np.linalg.det(clip.geometry.affine_lps[:3, :3]) > 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_frames_across_the_slices_hold_the_same_voxels(tmp_path: Path, axis: int) -> None:
    volume = ramp_volume(5)
    write_series(tmp_path, volume, stack_origins(5))
    clip = open_clip(tmp_path, axis=axis)
    placed = clip.source.grid.place(np.stack(list(clip)))
    np.testing.assert_array_equal(placed, np.transpose(volume.astype(int) - 1024, (2, 1, 0)))
    assert len(clip.source.files) == 5


def test_coronal_frames_run_from_front_to_back(tmp_path: Path) -> None:
    write_series(tmp_path, ramp_volume(5), stack_origins(5))
    clip = open_clip(tmp_path, axis="coronal")
    assert clip.geometry.letters is not None and clip.geometry.letters[0] == "P" and clip.shape == (6, 5, 5)


def test_any_file_opens_its_whole_series_and_no_other(tmp_path: Path) -> None:
    one = write_series(tmp_path, ramp_volume(4), stack_origins(4), names=[f"a{i}" for i in range(4)])
    write_series(tmp_path, ramp_volume(6), stack_origins(6), names=[f"b{i}" for i in range(6)])
    assert len(open_clip(one[2])) == 4


def test_several_series_need_a_choice_by_number_or_uid(tmp_path: Path) -> None:
    for number, frames in ((7, 4), (3, 6)):
        write_series(tmp_path / str(number), ramp_volume(frames), stack_origins(frames), SeriesNumber=number)
    with pytest.raises(ChoiceNeeded, match="2 series") as caught:
        open_clip(tmp_path)
    assert "1: CT 6 frames, 6 x 5 px" in caught.value.choices[0] and "4 frames" in caught.value.choices[1]
    described = describe(tmp_path)
    assert [one.frames for one in described.series] == [6, 4]
    assert len(open_clip(tmp_path, series=2)) == 4
    assert len(open_clip(tmp_path, series=described.series[0].uid)) == 6
    with pytest.raises(ReadError, match="1 to 2"):
        open_clip(tmp_path, series=9)


def test_a_tilted_gantry_gives_a_sheared_affine_with_the_true_step(tmp_path: Path) -> None:
    write_series(tmp_path, ramp_volume(5), stack_origins(5), orientation=tilted(18.5))
    clip = open_clip(tmp_path)
    assert clip.geometry.sheared and tilt_deg(clip.geometry.affine_lps) == pytest.approx(18.5, abs=0.01)
    np.testing.assert_allclose(clip.geometry.affine_lps[:3, 2], [0, 0, 2.5], atol=1e-6)
    assert describe(tmp_path).series[0].tilt_deg == pytest.approx(18.5, abs=0.01)


def test_a_missing_slice_gives_one_notice_and_exact_positions(tmp_path: Path) -> None:
    origins = [origin for index, origin in enumerate(stack_origins(8)) if index != 3]
    write_series(tmp_path, ramp_volume(7), origins)
    clip = open_clip(tmp_path)
    notices = [notice for notice in clip.notices if "missing" in notice]
    assert len(notices) == 1 and "5 mm" in notices[0] and "frames 2 and 3" in notices[0]
    assert clip.geometry.gaps() == ((2, 5.0),) and clip.spacing_mm_zyx[0] == pytest.approx(2.5)
    assert clip.geometry.frame_origins_lps is not None
    np.testing.assert_allclose(clip.geometry.frame_origins_lps, origins)


def test_rounded_positions_are_even(tmp_path: Path) -> None:
    origins = [(-10, -20, round(30 + index * 10 / 3, 2)) for index in range(9)]
    write_series(tmp_path, ramp_volume(9), origins)
    clip = open_clip(tmp_path)
    assert clip.geometry.frame_origins_lps is None and not clip.notices


def test_uneven_slices_that_are_no_gap_are_said_to_be_uneven(tmp_path: Path) -> None:
    heights = [0, 4, 8, 12, 19, 26, 33, 40]
    write_series(tmp_path, ramp_volume(8), [(0, 0, z) for z in heights])
    clip = open_clip(tmp_path)
    assert any("unevenly spaced, 4 to 7 mm" in notice for notice in clip.notices)


def test_duplicate_positions_are_refused(tmp_path: Path) -> None:
    origins = stack_origins(5)
    origins[3] = origins[2]
    write_series(tmp_path, ramp_volume(5), origins)
    with pytest.raises(ReadError, match="1 position with several images"):
        open_clip(tmp_path)
    (described,) = describe(tmp_path).series
    assert "several images" in described.problem and (described.frames, described.height, described.width) == (5, 6, 5)


def test_copies_of_one_object_are_skipped_with_a_notice(tmp_path: Path) -> None:
    paths = write_series(tmp_path, ramp_volume(3), stack_origins(3))
    shutil.copy(paths[0], tmp_path / "again.dcm")
    clip = open_clip(tmp_path)
    assert len(clip) == 3 and any("copies" in notice for notice in clip.notices)


def test_mixed_sizes_are_refused(tmp_path: Path) -> None:
    common = {"SeriesInstanceUID": "1.2.3", "FrameOfReferenceUID": "1.2.4"}
    write_series(tmp_path, ramp_volume(3), stack_origins(3), names=["a", "b", "c"], **common)
    write_series(tmp_path, ramp_volume(2, 9, 9), stack_origins(6)[4:], names=["d", "e"], **common)
    with pytest.raises(ReadError, match="different sizes"):
        open_clip(tmp_path)


def test_localizers_of_three_orientations_are_choices(tmp_path: Path) -> None:
    common = {"SeriesInstanceUID": "1.2.3", "FrameOfReferenceUID": "1.2.4"}
    for name, orientation in (("a", (1, 0, 0, 0, 1, 0)), ("b", (1, 0, 0, 0, 0, -1)), ("c", (0, 1, 0, 0, 0, -1))):
        origins = [tuple(np.cross(orientation[:3], orientation[3:]) * 10.0 * index) for index in range(3)]
        write_series(tmp_path, ramp_volume(3), origins, orientation, names=[f"{name}{i}" for i in range(3)], **common)
    assert [one.orientation[0] for one in describe(tmp_path).series] == ["S", "P", "R"]
    with pytest.raises(ChoiceNeeded):
        open_clip(tmp_path, series="1.2.3")
    assert len(open_clip(tmp_path / "b1")) == 3


def repeated(tmp_path: Path, **attributes: object) -> np.ndarray:
    """Write 3 slices at 4 time points, mixed; the value says slice and time."""
    volume = np.stack([np.full((6, 5), 100 * k + t, dtype=np.int16) for t in range(4) for k in range(3)])
    origins = [stack_origins(3)[k] for _ in range(4) for k in range(3)]
    write_series(tmp_path, volume, origins, modality="MR", **attributes)  # type: ignore[arg-type]
    return volume


def test_time_points_of_a_series_make_it_4d(tmp_path: Path) -> None:
    trigger = [t * 40 + k for t in range(4) for k in range(3)]  # the phases of the slices differ a little
    repeated(tmp_path, TriggerTime=trigger)
    with pytest.raises(ChoiceNeeded, match="4 time points of 3 slices"):
        open_clip(tmp_path)
    volume = open_clip(tmp_path, order="depth", at=2)
    assert first_values(volume) == [2, 102, 202]
    cine = open_clip(tmp_path, order="time", at=1)
    assert first_values(cine) == [100, 101, 102, 103] and len(cine.source.files) == 4
    assert cine.frame_time_s == pytest.approx(0.04)
    assert first_values(open_clip(tmp_path, order="time", at=1, axis=1)) == [0, 1, 2, 3]


@pytest.mark.parametrize("keyword", ["EchoTime", "AcquisitionNumber", "TemporalPositionIdentifier"])
def test_echoes_and_acquisitions_are_chosen_with_at(tmp_path: Path, keyword: str) -> None:
    repeated(tmp_path, **{keyword: [t + 1 for t in range(4) for k in range(3)]})
    assert first_values(open_clip(tmp_path, order="depth", at=3)) == [3, 103, 203]


def test_image_types_at_one_position_are_choices(tmp_path: Path) -> None:
    types = [["ORIGINAL", "PRIMARY", kind] for kind in "MP" for _ in range(3)]
    volume, origins = ramp_volume(6), [*stack_origins(3), *stack_origins(3)]
    write_series(tmp_path, volume, origins, modality="MR", ImageType=types)
    described = describe(tmp_path)
    assert [one.label for one in described.series] == ["ORIGINAL PRIMARY M", "ORIGINAL PRIMARY P"]
    assert first_values(open_clip(tmp_path, series=2)) == [3000, 4000, 5000]


def test_one_position_over_time_is_a_cine_without_a_choice(tmp_path: Path) -> None:
    trigger = [90.0, 30.0, 60.0, 0.0]
    write_series(tmp_path, ramp_volume(4), [(0, 0, 0)] * 4, modality="MR", TriggerTime=trigger, HeartRate=75)
    clip = open_clip(tmp_path)
    assert clip.order == "time" and first_values(clip) == [3000, 1000, 2000, 0]
    assert clip.frame_times_s == pytest.approx((0, 0.03, 0.06, 0.09)) and clip.heart_rate_hz == pytest.approx(1.25)


def test_values_windows_and_inverted_greys(tmp_path: Path) -> None:
    window = {"WindowCenter": [40, -600], "WindowWidth": [400, 1500], "WindowCenterWidthExplanation": ["A", "B"]}
    write_series(tmp_path / "a", ramp_volume(3), stack_origins(3), **window)
    clip = open_clip(tmp_path / "a")
    assert [(one.low, one.high, one.name) for one in clip.windows] == [(-160, 240, "A"), (-1350, 150, "B")]
    for path in write_series(tmp_path / "b", ramp_volume(3), stack_origins(3), WindowCenter=40, WindowWidth=400):
        data = pydicom.dcmread(path)
        data.PhotometricInterpretation = "MONOCHROME1"
        data.save_as(path)
    inverted = open_clip(tmp_path / "b")
    np.testing.assert_array_equal(inverted.frame(1), -clip.frame(1))
    assert (inverted.windows[0].low, inverted.windows[0].high) == (-240, 160)
    assert sum("MONOCHROME1" in notice for notice in inverted.notices) == 1


def test_a_fractional_slope_per_slice_gives_floats(tmp_path: Path) -> None:
    write_series(tmp_path, ramp_volume(3), stack_origins(3), RescaleSlope=[0.5, 0.25, 2.0], RescaleIntercept=1)
    clip = open_clip(tmp_path)
    assert clip.frame(0).dtype == clip.frame(2).dtype == np.float32
    np.testing.assert_allclose(clip.frame(1), ramp_volume(3)[1] * 0.25 + 1)


def test_opening_reads_no_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, frame_number: int) -> None:
        raise AssertionError("pixels were read")

    write_series(tmp_path, ramp_volume(20), stack_origins(20))
    monkeypatch.setattr(dicom_pixels.PixelSource, "read", refuse)
    clip = open_clip(tmp_path)
    describe(tmp_path)
    assert len(clip) == 20
    with pytest.raises(AssertionError):
        clip.frame(0)


def test_a_cut_off_file_is_refused_from_the_folder_and_from_any_of_its_files(tmp_path: Path) -> None:
    paths = write_series(tmp_path, ramp_volume(4), stack_origins(4))
    paths[1].write_bytes(paths[1].read_bytes()[:-20])
    for path in (tmp_path, paths[0], paths[1]):
        with pytest.raises(ReadError, match=f"{paths[1].name} is cut off"):
            open_clip(path)


def test_a_damaged_series_does_not_hide_the_others(tmp_path: Path) -> None:
    bad = write_series(tmp_path / "bad", ramp_volume(4), stack_origins(4))
    write_series(tmp_path / "good", ramp_volume(5), stack_origins(5), SeriesNumber=2)
    bad[1].write_bytes(bad[1].read_bytes()[:-20])
    (tmp_path / "good" / "part.dcm").write_bytes(bad[0].read_bytes()[:200])
    described = describe(tmp_path).series
    assert ["cut off" in one.problem for one in described] == [True, False, True]
    assert len(open_clip(tmp_path, series=2)) == 5
    with pytest.raises(ReadError, match=f"{bad[1].name} is cut off"):
        open_clip(tmp_path, series=1)


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    paths = write_series(tmp_path, ramp_volume(3), stack_origins(3))
    for path in paths:
        path.write_bytes(path.read_bytes()[132:])
    clip = open_clip(tmp_path)
    assert len(clip) == 3 and first_values(clip) == [-1024, -24, 976]


def test_changing_a_frame_does_not_change_the_clip(tmp_path: Path) -> None:
    write_series(tmp_path, ramp_volume(3), stack_origins(3))
    for axis in (0, 1, 2):
        clip = open_clip(tmp_path, axis=axis)
        before = clip.frame(1).copy()
        clip.frame(1)[:] = 0
        np.testing.assert_array_equal(clip.frame(1), before)


def test_a_file_cut_off_inside_its_header_is_refused(tmp_path: Path) -> None:
    paths = write_series(tmp_path, ramp_volume(2), stack_origins(2))
    paths[0].write_bytes(paths[0].read_bytes()[:700])
    with pytest.raises(ReadError, match="cut off"):
        open_clip(paths[0])


def test_an_encoding_nobody_decodes_is_named(tmp_path: Path) -> None:
    for path in write_series(tmp_path, ramp_volume(2), stack_origins(2)):
        data = pydicom.dcmread(path)
        data.PixelData = pydicom.encaps.encapsulate([b"\0" * 64])
        data["PixelData"].VR = "OB"
        data["PixelData"].is_undefined_length = True
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.94"
        data.save_as(path)
    with pytest.raises(ReadError, match=r"JPIP Referenced.*1\.2\.840\.10008\.1\.2\.4\.94"):
        open_clip(tmp_path)


def test_objects_without_pixels_are_skipped_with_a_notice_and_refused_alone(tmp_path: Path) -> None:
    write_series(tmp_path / "scan", ramp_volume(3), stack_origins(3))
    objects = {"SR": "1.2.840.10008.5.1.4.1.1.88.11", "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3"}
    for modality, sop_class in objects.items():
        write(blank(sop_class, modality), tmp_path / "scan" / f"{modality}.dcm")
        write(blank(sop_class, modality), tmp_path / "only" / f"{modality}.dcm")
    clip = open_clip(tmp_path / "scan")
    assert len(clip) == 3
    assert [notice for notice in clip.notices if "skipped" in notice] == [
        "2 objects without an image skipped (RTSTRUCT, SR)."
    ]
    assert {one.what for one in describe(tmp_path / "scan").without_pixels} == {"SR", "RTSTRUCT"}
    for path in (tmp_path / "only", tmp_path / "only" / "SR.dcm"):
        with pytest.raises(ReadError, match=r"report \(SR\)"):
            open_clip(path)


def test_single_pictures_without_positions_follow_by_instance_number(tmp_path: Path) -> None:
    for path in write_series(tmp_path, ramp_volume(3), stack_origins(3)):
        data = pydicom.dcmread(path)
        del data.ImagePositionPatient
        data.save_as(path)
    clip = open_clip(tmp_path)
    assert clip.order == "time" and first_values(clip) == [976, -24, -1024] and not clip.geometry.oriented
    assert any("no positions" in notice for notice in clip.notices)


def test_a_description_holds_nothing_of_the_patient(tmp_path: Path) -> None:
    secret = {"PatientName": "Secret^Name", "PatientID": "SECRET-1", "StudyDate": "19991231", "PatientSex": "F"}
    write_series(tmp_path, ramp_volume(3), stack_origins(3), SeriesDescription="SECRET text", **secret)
    words = str(describe(tmp_path).as_dict()) + str(open_clip(tmp_path).source)
    assert "secret" not in words.lower() and "19991231" not in words
