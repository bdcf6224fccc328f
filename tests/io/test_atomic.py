"""Either the whole new file or what was there before."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_vost.errors import ExportError
from napari_vost.io.atomic import atomic_file, atomic_folder


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _listing(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_a_good_block_replaces_the_target_and_keeps_its_suffix_while_writing(tmp_path):
    target = tmp_path / "a.nii.gz"
    target.write_text("old")
    with atomic_file(target) as temporary:
        assert temporary.name.endswith(".nii.gz") and temporary.parent == tmp_path
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert _listing(tmp_path) == ["a.nii.gz"]


def test_a_full_disk_in_the_block_leaves_the_old_file_and_one_sentence(tmp_path):
    target = tmp_path / "a.nii"
    target.write_text("old")
    with pytest.raises(ExportError, match="disk is full"), atomic_file(target) as temporary:
        temporary.write_text("half")
        _full()
    assert target.read_text() == "old"
    assert _listing(tmp_path) == ["a.nii"]


def test_a_full_disk_at_the_last_step_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.nii"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(ExportError, match="disk is full"), atomic_file(target) as temporary:
        temporary.write_text("whole")
    assert target.read_text() == "old"
    assert _listing(tmp_path) == ["a.nii"]


def test_another_error_passes_and_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), atomic_file(tmp_path / "a.nii") as temporary:
        temporary.write_text("half")
        raise KeyError("x")
    assert _listing(tmp_path) == []


def test_a_missing_folder_a_folder_target_and_read_only_places_are_refused(tmp_path):
    with pytest.raises(ExportError, match="does not exist"), atomic_file(tmp_path / "no" / "a.nii"):
        pass
    with pytest.raises(ExportError, match="folder of that name"), atomic_file(tmp_path):
        pass
    locked = tmp_path / "locked.nii"
    locked.write_text("old")
    locked.chmod(0o444)
    with pytest.raises(ExportError, match="read-only"), atomic_file(locked) as temporary:
        temporary.write_text("new")
    assert locked.read_text() == "old"


@pytest.mark.skipif(os.name != "posix", reason="folders have no write bit elsewhere")
def test_a_read_only_folder_is_refused_even_to_an_administrator(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    try:
        with pytest.raises(ExportError, match="read-only"), atomic_file(folder / "a.nii"):
            pass
    finally:
        folder.chmod(0o755)


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.nii").write_text("old")
    try:
        (tmp_path / "link.nii").symlink_to("real.nii")
    except OSError:
        pytest.skip("no links here")
    with atomic_file(tmp_path / "link.nii") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "real.nii").read_text() == "new" and (tmp_path / "link.nii").is_symlink()


def test_a_folder_comes_whole_and_replaces_only_what_may_be_lost(tmp_path):
    target = tmp_path / "out"
    for text in ("one", "two"):
        with atomic_folder(target, lambda item: item.suffix == ".png") as temporary:
            (temporary / f"{text}.png").write_text(text)
    assert _listing(target) == ["two.png"]
    (target / "notes.txt").write_text("mine")
    with pytest.raises(ExportError, match="other files"), atomic_folder(target, lambda item: item.suffix == ".png"):
        pass
    with pytest.raises(ExportError, match="disk is full"), atomic_folder(target, lambda item: True) as temporary:
        (temporary / "three.png").write_text("half")
        _full()
    assert _listing(target) == ["notes.txt", "two.png"]
    assert _listing(tmp_path) == ["out"]


def test_the_old_folder_comes_back_if_the_swap_fails(tmp_path, monkeypatch):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old.png").write_text("old")
    rename, calls = os.rename, []

    def second_fails(old: Path, new: Path) -> None:
        calls.append(old)
        if len(calls) == 2:
            _full()
        rename(old, new)

    monkeypatch.setattr(os, "rename", second_fails)
    with pytest.raises(ExportError, match="disk is full"), atomic_folder(target, lambda item: True) as temporary:
        (temporary / "new.png").write_text("new")
    assert _listing(target) == ["old.png"]
    assert _listing(tmp_path) == ["out"]


_CHILD = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from napari_vost.errors import ExportError
from napari_vost.io.exporters import export
from napari_vost.geometry import Grid
from napari_vost.masks import PackedMask
from napari_vost.types import Label, Segmentation, Source
import nibabel, SimpleITK
noise = np.random.default_rng(0).random((8, 64, 64)) < 0.5
grid = Grid((64, 64, 8), (2, 1, 0), np.eye(4))
masks = {1: {index: PackedMask.pack(frame) for index, frame in enumerate(noise)}}
segmentation = Segmentation((8, 64, 64), masks, {1: Label("noise")}, "depth", grid.geometry(), Source("array", grid))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
for name in sys.argv[1:]:
    try:
        export(segmentation, name)
        raise SystemExit(f"{name} was written")
    except ExportError as error:
        assert "Cannot write" in str(error) and len(str(error).splitlines()) == 1, error
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file size")
def test_a_disk_that_really_refuses_leaves_the_old_files_in_every_format(tmp_path):
    names = [tmp_path / name for name in ("a.nii", "a.nii.gz", "a.nrrd", "a.mha")]
    for name in names:
        name.write_text("old")
    subprocess.run([sys.executable, "-c", _CHILD, *map(str, names)], check=True, timeout=120)
    assert [name.read_text() for name in names] == ["old"] * 4
    assert _listing(tmp_path) == sorted(name.name for name in names)
