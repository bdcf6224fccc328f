"""Multi-frame DICOM: cines without positions, enhanced objects with them, one frame decoded at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import RLELossless

from napari_vost.errors import ChoiceNeeded, ReadError
from napari_vost.io.readers import describe, open_clip
from napari_vost.io.readers.dicom_header import read_instance
from napari_vost.io.readers.dicom_pixels import fragments
from tests.io.dicom_factory import ramp_volume, stack_origins, write_cine, write_enhanced_mr


def moving(frames: int = 6) -> np.ndarray:
    cine = np.zeros((frames, 8, 10, 3), dtype=np.uint8)
    for index in range(frames):
        cine[index, 2:5, index : index + 3] = (200, 100, 10 * index)
    return cine


def test_an_ultrasound_cine_has_times_scale_and_colour(tmp_path: Path) -> None:
    cine = moving()
    clip = open_clip(write_cine(tmp_path / "a.dcm", cine, frame_time_ms=40, HeartRate=90))
    assert clip.order == "time" and clip.modality == "US" and clip.colour
    np.testing.assert_array_equal(np.stack(list(clip)), cine)
    assert clip.frame_times_s == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2])
    assert clip.spacing_mm_zyx[1:] == pytest.approx((1.0, 0.5)) and clip.geometry.spaced
    assert clip.geometry.letters is None and clip.heart_rate_hz == pytest.approx(1.5)
    assert clip.source.kind == "dicom-multiframe" and clip.source.frame_numbers == (1, 2, 3, 4, 5, 6)
    assert len(clip.source.files) == len(clip.source.instance_uids) == 1


def test_without_regions_a_cine_has_no_millimetres(tmp_path: Path) -> None:
    clip = open_clip(write_cine(tmp_path / "a.dcm", moving(), delta_cm=None))
    assert not clip.geometry.spaced and describe(tmp_path).series[0].spacing_mm_zyx is None


def test_frame_times_come_from_the_vector_or_the_rate(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a.dcm", moving(4))
    data = pydicom.dcmread(path)
    data.FrameTimeVector, data.FrameIncrementPointer = [0, 30, 50, 20], 0x00181065
    data.save_as(path)
    assert open_clip(path).frame_times_s == pytest.approx((0, 0.03, 0.08, 0.1))
    del data.FrameTime, data.FrameTimeVector
    data.CineRate = 25
    data.save_as(path)
    assert open_clip(path).frame_time_s == pytest.approx(0.04)
    del data.CineRate
    data.save_as(path)
    assert open_clip(path).frame_times_s is None


def test_two_cines_of_one_series_are_two_choices(tmp_path: Path) -> None:
    for name in "ab":
        write_cine(tmp_path / f"{name}.dcm", moving(), SeriesInstanceUID="1.2.3")
    with pytest.raises(ChoiceNeeded, match="2 series"):
        open_clip(tmp_path)
    assert len(open_clip(tmp_path / "a.dcm")) == 6 and len(open_clip(tmp_path, series=2)) == 6


def test_a_cine_has_no_other_axis_but_may_be_called_a_volume(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a.dcm", moving())
    with pytest.raises(ReadError, match="does not fit a cine"):
        open_clip(path, axis=1)
    assert open_clip(path, order="depth").order == "depth"


def test_the_detector_spacing_is_divided_by_the_magnification(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a.dcm", moving()[..., 0], delta_cm=None)
    data = pydicom.dcmread(path)
    data.ImagerPixelSpacing = [0.4, 0.4]
    data.save_as(path)
    plain = open_clip(path)
    assert plain.spacing_mm_zyx[1:] == pytest.approx((0.4, 0.4)) and any("detector" in one for one in plain.notices)
    data.EstimatedRadiographicMagnificationFactor = 2
    data.save_as(path)
    assert open_clip(path).spacing_mm_zyx[1:] == pytest.approx((0.2, 0.2))


def test_an_enhanced_object_is_a_volume_by_its_positions(tmp_path: Path) -> None:
    volume = ramp_volume(5).astype(np.uint16)
    order = [4, 2, 0, 3, 1]
    path = write_enhanced_mr(tmp_path / "a.dcm", volume[order], [stack_origins(5)[i] for i in order], slopes=[2.0] * 5)
    clip = open_clip(path)
    assert clip.order == "depth" and clip.geometry.letters == ("S", "P", "L")
    np.testing.assert_array_equal(np.stack(list(clip)), volume * 2)
    assert clip.source.frame_numbers == (3, 5, 2, 4, 1) and len(clip.source.instance_uids) == 1


def test_a_slope_per_frame_is_used_per_frame(tmp_path: Path) -> None:
    volume = np.full((3, 4, 4), 10, dtype=np.uint16)
    path = write_enhanced_mr(tmp_path / "a.dcm", volume, stack_origins(3), slopes=[1.0, 1.5, 2.0])
    assert [float(frame[0, 0]) for frame in open_clip(path)] == [10, 15, 20]


def test_temporal_positions_of_an_enhanced_object_make_it_4d(tmp_path: Path) -> None:
    volume = ramp_volume(6).astype(np.uint16)
    path = write_enhanced_mr(tmp_path / "a.dcm", volume, stack_origins(2) * 3, time_points=[1, 1, 2, 2, 3, 3])
    with pytest.raises(ChoiceNeeded, match="3 time points of 2 slices"):
        open_clip(path)
    cine = open_clip(path, order="time", at=1)
    assert [int(frame[0, 0]) for frame in cine] == [1000, 3000, 5000] and cine.source.frame_numbers == (2, 4, 6)


def test_stacks_of_an_enhanced_object_are_choices(tmp_path: Path) -> None:
    path = write_enhanced_mr(tmp_path / "a.dcm", ramp_volume(4).astype(np.uint16), stack_origins(2) * 2)
    data = pydicom.dcmread(path)
    for index, group in enumerate(data.PerFrameFunctionalGroupsSequence):
        group.FrameContentSequence[0].StackID = str(1 + index // 2)
    data.save_as(path)
    with pytest.raises(ChoiceNeeded, match="2 series"):
        open_clip(path)
    assert [int(frame[0, 0]) for frame in open_clip(path, series=2)] == [2000, 3000]


def test_time_points_in_several_objects_of_a_series_are_joined(tmp_path: Path) -> None:
    for point in (1, 2, 3):
        common = {"SeriesInstanceUID": "1.2.3"}
        path = tmp_path / f"{4 - point}.dcm"
        write_enhanced_mr(path, np.full((2, 4, 4), point, np.uint16), stack_origins(2), [point] * 2, **common)
        data = pydicom.dcmread(path)
        data.FrameOfReferenceUID = "1.2.4"
        data.save_as(path)
    cine = open_clip(tmp_path, order="time", at=0)
    assert [int(frame[0, 0]) for frame in cine] == [1, 2, 3]
    assert len(cine.source.files) == len(cine.source.instance_uids) == len(cine.source.frame_numbers) == 3


def compressed(path: Path, pieces: int, table: bool) -> np.ndarray:
    """An RLE cine whose frames are cut into several fragments."""
    from pydicom.pixels.encoders import RLELosslessEncoder

    cine = moving()[..., 0]
    write_cine(path, cine)
    data = pydicom.dcmread(path)
    options = {"rows": 8, "columns": 10, "samples_per_pixel": 1, "bits_allocated": 8, "bits_stored": 8}
    options |= {"pixel_representation": 0, "photometric_interpretation": "MONOCHROME2", "number_of_frames": 1}
    encoded = [RLELosslessEncoder.encode(frame.tobytes(), **options) for frame in cine]
    data.PixelData = encapsulate(encoded, fragments_per_frame=pieces, has_bot=table)
    data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
    data.file_meta.TransferSyntaxUID = RLELossless
    data.save_as(path)
    return cine


@pytest.mark.parametrize(("pieces", "table"), [(1, True), (1, False), (3, True)])
def test_encapsulated_frames_are_found_one_by_one(tmp_path: Path, pieces: int, table: bool) -> None:
    cine = compressed(tmp_path / "a.dcm", pieces, table)
    instance = read_instance(tmp_path / "a.dcm")
    assert instance is not None and {len(frame) for frame in fragments(instance)} == {pieces}
    clip = open_clip(tmp_path / "a.dcm")
    np.testing.assert_array_equal(clip.frame(4), cine[4])
    np.testing.assert_array_equal(np.stack(list(clip)), cine)


def test_a_cut_off_encapsulated_cine_is_refused_on_opening(tmp_path: Path) -> None:
    compressed(tmp_path / "a.dcm", 1, True)
    (tmp_path / "a.dcm").write_bytes((tmp_path / "a.dcm").read_bytes()[:-60])
    with pytest.raises(ReadError, match=r"a\.dcm is cut off"):
        open_clip(tmp_path / "a.dcm")


def test_damaged_frames_are_refused_by_name_of_the_encoding(tmp_path: Path) -> None:
    compressed(tmp_path / "a.dcm", 1, True)
    instance = read_instance(tmp_path / "a.dcm")
    assert instance is not None
    offset, length = fragments(instance)[2][0]
    raw = bytearray((tmp_path / "a.dcm").read_bytes())
    raw[offset : offset + length] = b"\xff" * length
    (tmp_path / "a.dcm").write_bytes(raw)
    clip = open_clip(tmp_path / "a.dcm")
    assert clip.frame(1).shape == (8, 10)
    with pytest.raises(ReadError, match="RLE Lossless"):
        clip.frame(2)


def test_a_number_of_frames_that_the_pixels_do_not_hold_is_refused(tmp_path: Path) -> None:
    compressed(tmp_path / "a.dcm", 1, False)
    data = pydicom.dcmread(tmp_path / "a.dcm")
    data.NumberOfFrames = 9
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(ReadError, match="says 9 frames"):
        open_clip(tmp_path / "a.dcm").frame(0)


def test_elements_behind_the_pixels_do_no_harm(tmp_path: Path) -> None:
    cine = compressed(tmp_path / "a.dcm", 1, True)
    data = pydicom.dcmread(tmp_path / "a.dcm")
    data.DataSetTrailingPadding = bytes(64)
    data.save_as(tmp_path / "a.dcm")
    np.testing.assert_array_equal(open_clip(tmp_path / "a.dcm").frame(3), cine[3])


def test_a_cut_off_plain_cine_is_refused_on_opening(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a.dcm", moving())
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ReadError, match="cut off"):
        open_clip(path)


def test_regions_of_different_scale_give_one_notice(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a.dcm", moving())
    data = pydicom.dcmread(path)
    small = Dataset()
    small.update(data.SequenceOfUltrasoundRegions[0])
    small.RegionLocationMaxX1 = small.RegionLocationMaxY1 = 2
    small.PhysicalDeltaX = 0.3
    data.SequenceOfUltrasoundRegions = Items([small, data.SequenceOfUltrasoundRegions[0]])
    data.save_as(path)
    clip = open_clip(path)
    assert clip.spacing_mm_zyx[2] == pytest.approx(0.5) and sum("regions" in one for one in clip.notices) == 1


def test_an_endoscopy_video_inside_dicom_opens_as_a_cine(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    frames = np.zeros((9, 48, 64, 3), dtype=np.uint8)
    for index in range(9):
        frames[index, :, index * 6 : index * 6 + 8] = 220
    with av.open(str(tmp_path / "a.mpg"), "w", format="mpeg") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    raw = (tmp_path / "a.mpg").read_bytes()
    path = write_cine(tmp_path / "a.dcm", frames, delta_cm=None, Modality="ES")
    data = pydicom.dcmread(path)
    data.PixelData = encapsulate([raw + b"\0" * (len(raw) % 2)])
    data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
    data.PhotometricInterpretation = "YBR_PARTIAL_420"
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    data.save_as(path)
    clip = open_clip(path)
    assert clip.shape == (9, 48, 64) and clip.modality == "ES" and clip.source.kind == "dicom-multiframe"
    assert np.abs(clip.frame(5).astype(int) - frames[5]).mean() < 12
