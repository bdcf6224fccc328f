"""NRRD and MetaImage: axis order, directions, orientation that is said or not, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_vost.errors import ChoiceNeeded, ReadError
from napari_vost.geometry import points_lps
from napari_vost.io.readers import open_clip

SimpleITK = pytest.importorskip("SimpleITK")


def image(shape_zyx: tuple[int, ...] = (4, 5, 6)) -> object:
    made = SimpleITK.GetImageFromArray(np.arange(np.prod(shape_zyx), dtype=np.int16).reshape(shape_zyx))
    made.SetSpacing((0.7, 0.8, 2.5))
    made.SetOrigin((-10, 20, 30))
    made.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    return made


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".mhd", ".nhdr"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_voxel_lies_where_itk_puts_it(tmp_path: Path, suffix: str, axis: int) -> None:
    made = image()
    SimpleITK.WriteImage(made, str(tmp_path / f"a{suffix}"), suffix == ".nrrd")
    clip = open_clip(tmp_path / f"a{suffix}", axis=axis)
    seen = np.stack(list(clip))
    for frame, y, x in [(0, 0, 0), (1, 2, 3), (3, 1, 0)]:
        mm = points_lps(clip.geometry.affine_lps, np.array([[x, y, frame]], dtype=float))[0]
        stored = made.TransformPhysicalPointToIndex([float(value) for value in mm])
        assert seen[frame, y, x] == made.GetPixel(*stored)
    assert clip.order == "depth" and clip.geometry.oriented


def test_a_nrrd_without_a_space_has_no_orientation(tmp_path: Path) -> None:
    header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 3 4\nspacings: 1 2 3\nencoding: raw\n\n"
    (tmp_path / "a.nrrd").write_bytes(header.encode() + bytes(range(24)))
    clip = open_clip(tmp_path / "a.nrrd")
    assert clip.geometry.letters is None and clip.spacing_mm_zyx == pytest.approx((3, 2, 1))
    assert clip.frame(1)[2, 1] == 11


def test_a_4d_file_asks_for_a_choice(tmp_path: Path) -> None:
    made = SimpleITK.JoinSeries([image(), image() + 1000, image() + 2000])
    SimpleITK.WriteImage(made, str(tmp_path / "a.mha"))
    with pytest.raises(ChoiceNeeded, match="3 time points of 4 slices"):
        open_clip(tmp_path / "a.mha")
    cine = open_clip(tmp_path / "a.mha", order="time", at=1)
    assert [int(frame[0, 0]) for frame in cine] == [30, 1030, 2030]


def test_rgb_opens_in_colour_and_vectors_are_refused(tmp_path: Path) -> None:
    colour = np.zeros((3, 4, 5, 3), dtype=np.uint8)
    colour[1, 2, 3] = (1, 2, 3)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(colour, isVector=True), str(tmp_path / "a.mha"))
    assert open_clip(tmp_path / "a.mha").frame(1)[2, 3].tolist() == [1, 2, 3]
    vectors = SimpleITK.GetImageFromArray(np.zeros((3, 4, 5, 2), np.float32), isVector=True)
    SimpleITK.WriteImage(vectors, str(tmp_path / "b.mha"))
    with pytest.raises(ReadError, match="2 values per voxel"):
        open_clip(tmp_path / "b.mha")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    SimpleITK.WriteImage(image(), str(tmp_path / "a.nrrd"), True)
    (tmp_path / "cut.nrrd").write_bytes((tmp_path / "a.nrrd").read_bytes()[:-30])
    (tmp_path / "text.mha").write_text("no image at all")
    with pytest.raises(ReadError, match=r"cut\.nrrd"):
        open_clip(tmp_path / "cut.nrrd").frame(0)
    with pytest.raises(ReadError, match=r"text\.mha"):
        open_clip(tmp_path / "text.mha")
