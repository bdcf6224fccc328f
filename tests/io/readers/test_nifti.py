"""NIfTI: every voxel in its place, whatever the axis order, units, codes and dimensions."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_vost.errors import ChoiceNeeded, ReadError
from napari_vost.geometry import points_lps
from napari_vost.io.readers import describe, nifti, open_clip

OBLIQUE = nibabel.affines.from_matvec(
    nibabel.eulerangles.euler2mat(0.2, -0.1, 0.3) @ np.diag([0.9, 1.1, 2.5]), [12, -7, 5]
)


def save(path: Path, array: np.ndarray, affine: np.ndarray | None = OBLIQUE, **header: float) -> Path:
    image = nibabel.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm", "sec")
    for name, value in header.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def numbered(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_voxel_lies_where_nibabel_puts_it(tmp_path: Path, suffix: str, axis: int) -> None:
    array = numbered(5, 6, 7)
    clip = open_clip(save(tmp_path / f"a{suffix}", array), axis=axis)
    assert clip.order == "depth" and len(clip) == array.shape[2 - axis]
    seen = np.stack(list(clip))
    for frame, y, x in [(0, 0, 0), (1, 2, 3), (4, 4, 4), (len(clip) - 1, clip.shape[1] - 1, clip.shape[2] - 1)]:
        lps = points_lps(clip.geometry.affine_lps, np.array([[x, y, frame]], dtype=float))[0]
        i, j, k = np.rint(np.linalg.inv(OBLIQUE) @ [-lps[0], -lps[1], lps[2], 1])[:3].astype(int)
        assert seen[frame, y, x] == array[i, j, k]
    np.testing.assert_array_equal(clip.source.grid.place(seen), array)


@pytest.mark.parametrize(("word", "letter"), [("axial", "IS"), ("coronal", "AP"), ("sagittal", "LR")])
def test_a_named_plane_runs_along_its_own_axis_of_the_patient(tmp_path: Path, word: str, letter: str) -> None:
    rolled = np.zeros((4, 4))
    rolled[[0, 1, 2, 3], [1, 2, 0, 3]] = 1  # stored axes run to A, S, R... not in the usual order
    clip = open_clip(save(tmp_path / "a.nii.gz", numbered(4, 5, 6), rolled), axis=word)
    assert clip.geometry.letters is not None and clip.geometry.letters[0] in letter


def test_4d_asks_for_a_choice_and_says_how_many_there_are(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", numbered(4, 5, 6, 7))
    with pytest.raises(ChoiceNeeded, match="7 time points of 6 slices") as caught:
        open_clip(path)
    assert len(caught.value.choices) == 2
    with pytest.raises(ChoiceNeeded):
        open_clip(path, order="time")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_4d_gives_a_volume_per_time_point_and_a_cine_per_slice(tmp_path: Path, axis: int) -> None:
    array = numbered(4, 5, 6, 7)
    path = save(tmp_path / "a.nii", array)
    volume = open_clip(path, order="depth", at=3, axis=axis)
    np.testing.assert_array_equal(volume.source.grid.place(np.stack(list(volume))), array[..., 3])
    cine = open_clip(path, order="time", at=2, axis=axis)
    assert len(cine) == 7 and cine.order == "time"
    placed = cine.source.grid.place(np.stack(list(cine)))
    key = [slice(None)] * 4
    key[2 - axis] = 2
    np.testing.assert_array_equal(placed[tuple(key)], array[tuple(key)])
    assert np.count_nonzero(placed) <= np.count_nonzero(array[tuple(key)])


def test_parts_of_a_packed_4d_file_share_what_was_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array, unpacked = numbered(4, 5, 6, 7), []
    path, really = save(tmp_path / "a.nii.gz", array), nifti._unscaled
    monkeypatch.setattr(nifti, "_unscaled", lambda *given: unpacked.append(1) or really(*given))
    first, second = (open_clip(path, order="time", at=at) for at in (2, 3))
    assert (first.frame(1) != second.frame(1)).all() and len(unpacked) == 1
    save(path, array + 1)
    changed = open_clip(path, order="time", at=2)
    assert (changed.frame(1) == first.frame(1) + 1).all() and len(unpacked) == 2
    del first, second, changed
    assert (open_clip(path, order="time", at=2).frame(0) == array[:, :, 2, 0].T + 1).all() and len(unpacked) == 3


def test_time_is_read_with_its_unit_and_left_unknown_without_one(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(numbered(3, 3, 2, 4), np.eye(4))
    image.header.set_zooms((1, 1, 1, 40))
    image.header.set_xyzt_units("mm", "msec")
    nibabel.save(image, tmp_path / "a.nii")
    assert open_clip(tmp_path / "a.nii", order="time", at=0).frame_time_s == pytest.approx(0.04)
    image.header.set_xyzt_units("mm", "unknown")
    nibabel.save(image, tmp_path / "b.nii")
    assert open_clip(tmp_path / "b.nii", order="time", at=0).frame_times_s is None


def test_micrometres_become_millimetres(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(numbered(3, 3, 2), np.diag([500, 600, 700, 1.0]))
    image.header.set_xyzt_units("micron")
    nibabel.save(image, tmp_path / "a.nii")
    assert open_clip(tmp_path / "a.nii").spacing_mm_zyx == pytest.approx((0.7, 0.6, 0.5))


def test_sform_wins_over_qform_and_without_codes_there_is_no_orientation(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(numbered(3, 3, 2), None)
    image.set_qform(np.diag([2, 2, 2, 1.0]), code=1)
    image.set_sform(np.diag([3, 3, 3, 1.0]), code=1)
    nibabel.save(image, tmp_path / "both.nii")
    image.set_sform(None, code=0)
    nibabel.save(image, tmp_path / "q.nii")
    image.set_qform(None, code=0)
    nibabel.save(image, tmp_path / "none.nii")
    assert open_clip(tmp_path / "both.nii").spacing_mm_zyx == pytest.approx((3, 3, 3))
    assert open_clip(tmp_path / "q.nii").spacing_mm_zyx == pytest.approx((2, 2, 2))
    bare = open_clip(tmp_path / "none.nii")
    assert bare.geometry.letters is None and bare.geometry.spaced
    with pytest.raises(ReadError, match="axis 0, 1 or 2"):
        open_clip(tmp_path / "none.nii", axis="axial")


def test_a_sheared_sform_is_kept(tmp_path: Path) -> None:
    sheared = np.array([[1, 0, 0, 0], [0, 1, 0.5, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]])
    image = nibabel.Nifti1Image(numbered(3, 3, 4), None)
    image.set_sform(sheared, code=1)
    nibabel.save(image, tmp_path / "a.nii")
    clip = open_clip(tmp_path / "a.nii")
    assert clip.geometry.sheared
    np.testing.assert_allclose(clip.geometry.affine_lps[:3, 2], [0, -0.5, 2])


def test_slope_and_intercept_give_real_world_values(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(numbered(3, 4, 2), np.eye(4))
    image.header.set_slope_inter(0.5, -10)
    image.to_filename(tmp_path / "a.nii.gz")
    expected = nibabel.load(tmp_path / "a.nii.gz").get_fdata()
    clip = open_clip(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(clip.frame(1), expected[..., 1].T, atol=1e-4)


def test_one_slice_is_a_clip_of_one_frame_with_a_notice(tmp_path: Path) -> None:
    clip = open_clip(save(tmp_path / "a.nii", numbered(4, 5)))
    assert clip.shape == (1, 5, 4) and any("nothing to follow" in notice for notice in clip.notices)


def test_one_slice_over_time_needs_no_choice(tmp_path: Path) -> None:
    clip = open_clip(save(tmp_path / "a.nii", numbered(4, 5, 1, 6)))
    assert clip.order == "time" and len(clip) == 6


def test_a_compressed_file_is_unpacked_once_and_not_on_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_vost.io.readers import nifti

    calls: list[Path] = []
    real = nifti._unscaled

    def counted(path: Path, *rest: object) -> object:
        calls.append(path)
        return real(path, *rest)

    monkeypatch.setattr(nifti, "_unscaled", counted)
    clip = open_clip(save(tmp_path / "a.nii.gz", numbered(5, 6, 7)))
    assert not calls
    for frame in range(7):
        clip.frame(frame)
    assert len(calls) == 1


def test_rgb_voxels_are_a_colour_clip(tmp_path: Path) -> None:
    colours = np.zeros((3, 4, 2), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["G"][1, 2, 1] = 200
    nibabel.save(nibabel.Nifti1Image(colours, np.eye(4)), tmp_path / "a.nii.gz")
    clip = open_clip(tmp_path / "a.nii.gz")
    assert clip.colour and clip.frame(1)[2, 1].tolist() == [0, 200, 0]


def test_damaged_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 999, (20, 20, 9)).astype(np.int16))
    (tmp_path / "cut.nii.gz").write_bytes(whole.read_bytes()[:2000])
    (tmp_path / "text.nii").write_bytes(b"this is no image" * 40)
    plain = save(tmp_path / "b.nii", numbered(9, 9, 9))
    (tmp_path / "short.nii").write_bytes(plain.read_bytes()[:-100])
    for name in ("cut.nii.gz", "text.nii", "short.nii"):
        with pytest.raises(ReadError) as caught:
            open_clip(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)


def test_damaged_voxels_inside_a_whole_gzip_are_refused_at_the_first_frame(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 999, (20, 20, 9)).astype(np.int16))
    raw = bytearray(whole.read_bytes())
    raw[-600:-500] = bytes(100)
    (tmp_path / "bad.nii.gz").write_bytes(raw)
    with pytest.raises(ReadError, match=r"bad\.nii\.gz"):
        open_clip(tmp_path / "bad.nii.gz").frame(8)


def test_choices_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    path, plain = save(tmp_path / "a.nii", numbered(4, 5, 6, 7)), save(tmp_path / "b.nii", numbered(4, 5, 6))
    with pytest.raises(ReadError, match="0 to 6"):
        open_clip(path, order="depth", at=7)
    with pytest.raises(ReadError, match="at=1"):
        open_clip(plain, at=1)
    with pytest.raises(ReadError, match="axis must be"):
        open_clip(plain, axis="oblique")
    with pytest.raises(ReadError, match="order must be"):
        open_clip(plain, order="sideways")  # type: ignore[arg-type]


def test_describe_tells_a_4d_file_with_its_frame_time(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(numbered(3, 4, 5, 6), np.diag([-1, -1, 2, 1.0]))
    image.header.set_zooms((1, 1, 2, 0.05))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / "a.nii.gz")
    (one,) = describe(tmp_path / "a.nii.gz").series
    assert (one.time_points, one.slices, one.height, one.width, one.order) == (6, 5, 4, 3, None)
    assert one.frame_time_s == pytest.approx(0.05) and one.orientation == "SPL" and len(one.choices) == 2
