"""A glance says yes to what a reader reads, no to the rest, and never crawls."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_vost.io.readers import glance
from napari_vost.io.readers.glance import may_open, suffixes
from tests.io.dicom_factory import ramp_volume, stack_origins, write_series


@pytest.mark.parametrize("name", ["a.nii.gz", "B.NRRD", "c.mp4", "d.tif", "e.dcm"])
def test_a_file_is_known_by_its_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert may_open(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.nii.gz.md5", "b.gz", "README", "c.vost"])
def test_a_file_of_others_is_not_ours(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"some text, long enough to look into " * 10)
    assert not may_open(tmp_path / name)


def test_a_file_without_a_suffix_is_ours_where_it_is_dicom(tmp_path: Path) -> None:
    (path,) = write_series(tmp_path, ramp_volume(1), stack_origins(1), names=["IM000001"])
    assert may_open(path)


def test_a_folder_is_ours_where_something_below_it_is(tmp_path: Path) -> None:
    deep = tmp_path / "study" / "series"
    write_series(deep, ramp_volume(2), stack_origins(2), names=["I1", "I2"])
    assert may_open(tmp_path) and may_open(deep)


def test_a_folder_of_other_things_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no scan")
    (tmp_path / "sub").mkdir()
    assert not may_open(tmp_path)
    assert not may_open(tmp_path / "sub")


def test_a_zarr_is_left_to_others_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "image.zarr").mkdir()
    (tmp_path / "image.zarr" / "0.png").write_bytes(b"x")
    assert not may_open(tmp_path / "image.zarr")
    assert not may_open(tmp_path)


def test_a_large_folder_is_not_crawled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1000):
        folder = tmp_path / f"{number // 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.unknown").write_bytes(b"nothing")
    looked: list[Path] = []

    def look(path: Path) -> bool:
        looked.append(path)
        return False

    monkeypatch.setattr(glance, "looks_like_dicom", look)
    assert not may_open(tmp_path)
    assert len(looked) == glance._MOST_LOOKS
    assert len(glance._names(tmp_path)) <= glance._MOST_NAMES


def test_every_built_in_reader_has_its_suffixes_here() -> None:
    assert {".dcm", ".nii.gz", ".nrrd", ".mp4", ".png"} <= set(suffixes())
