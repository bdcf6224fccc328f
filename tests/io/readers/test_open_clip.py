"""The doors: what is refused before any reader looks, mixed folders, readers of other packages, lazy imports."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.errors import ChoiceNeeded, ReadError
from napari_vost.io.readers import describe, open_clip, registry
from napari_vost.io.readers.candidates import Candidate, Found, Options
from tests.io.dicom_factory import ramp_volume, stack_origins, write_series


def nifti(path: Path, frames: int = 3, value: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.full((4, 5, frames), value, np.float32), np.eye(4)), path)
    return path


def test_missing_empty_and_foreign_paths_are_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("words")
    (tmp_path / "b.bin").write_bytes(bytes(500))
    said = {
        tmp_path / "missing": "does not exist",
        tmp_path / "empty": "is an empty folder",
        tmp_path / "texts": "holds no images",
        tmp_path / "b.bin": "none of the known formats",
        tmp_path / "texts" / "a.txt": "none of the known formats",
    }
    for path, words in said.items():
        for door in (open_clip, describe):
            with pytest.raises(ReadError, match=words) as caught:
                door(path)
            assert "\n" not in str(caught.value)


def test_a_file_named_dcm_that_is_no_dicom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"hello" * 100)
    with pytest.raises(ReadError, match="none of the known formats"):
        open_clip(tmp_path / "a.dcm")
    (tmp_path / "zero.dcm").write_bytes(b"")
    with pytest.raises(ReadError):
        open_clip(tmp_path / "zero.dcm")


def test_a_folder_of_many_kinds_lists_them_in_a_fixed_order(tmp_path: Path) -> None:
    nifti(tmp_path / "b.nii.gz", 7)
    write_series(tmp_path / "series", ramp_volume(4), stack_origins(4))
    with pytest.raises(ChoiceNeeded) as caught:
        open_clip(tmp_path)
    assert len(caught.value.choices) == 2
    found = describe(tmp_path)
    assert found.kind == "mixed" and [one.kind for one in found.series] == ["dicom-series", "nifti"]
    assert [len(open_clip(tmp_path, series=number)) for number in (1, 2)] == [4, 7]


def test_one_damaged_file_does_not_hide_the_others(tmp_path: Path) -> None:
    nifti(tmp_path / "a.nii.gz")
    (tmp_path / "b.nii.gz").write_bytes(b"broken")
    found = describe(tmp_path)
    assert [bool(one.problem) for one in found.series] == [False, True]
    assert len(open_clip(tmp_path, series=1)) == 3


def test_nan_and_infinite_voxels_are_replaced_with_a_warning(tmp_path: Path) -> None:
    clip = open_clip(nifti(tmp_path / "a.nii", value=np.nan))
    from napari_vost.errors import VostWarning

    with pytest.warns(VostWarning, match="NaN"):
        assert np.isfinite(clip.frame(0)).all()


def test_a_description_becomes_json(tmp_path: Path) -> None:
    import json

    text = json.dumps(describe(nifti(tmp_path / "a.nii")).as_dict())
    assert json.loads(text)["series"][0]["spacing_mm_zyx"] == [1.0, 1.0, 1.0]


def test_a_reader_of_another_package_is_used_for_its_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Toy:
        name = "toy"
        suffixes = (".toy",)

        def find(self, files: tuple[Path, ...]) -> Found:
            def opening(options: Options) -> Clip:
                return Clip.from_array(np.zeros((2, 3, 4)))

            return Found(tuple(Candidate("toy", path, (path,), opening) for path in files))

    class Entry(EntryPoint):
        def load(self) -> Toy:
            return Toy()

    entry = Entry("toy", "toy:READER", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: (entry,) if group == registry.GROUP else ())
    (tmp_path / "a.toy").write_bytes(b"toy")
    assert open_clip(tmp_path / "a.toy").shape == (2, 3, 4) and "toy" in registry.reader_names()


def test_importing_the_readers_loads_no_heavy_library() -> None:
    code = (
        "import sys, napari_vost.io.readers; "
        "print([m for m in ('pydicom', 'nibabel', 'SimpleITK', 'av', 'tifffile', 'PIL', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
