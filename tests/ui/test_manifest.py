"""The manifest names what is there: commands that can be called, and every file that our readers read."""

from __future__ import annotations

import importlib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from npe2 import PluginManifest

from napari_vost.io.exporters import suffixes as exported
from napari_vost.io.readers.registry import BUILT_IN

MANIFEST = PluginManifest.from_file(Path(__file__).resolve().parents[2] / "napari_vost" / "napari.yaml")


def test_every_command_can_be_called() -> None:
    for command in MANIFEST.contributions.commands or ():
        module, _, name = str(command.python_name).partition(":")
        assert callable(getattr(importlib.import_module(module), name)), command.id


def test_the_reader_takes_every_suffix_that_is_read_and_folders() -> None:
    (reader,) = MANIFEST.contributions.readers or ()
    assert {f"*{suffix}" for _, own in BUILT_IN for suffix in own} <= set(reader.filename_patterns)
    assert reader.accepts_directories


@pytest.mark.parametrize("name", ["IM000001", "7", "1.3.12.2.1107.5.2", "CT.1.2.840.113", "MR.2.16.1"])
def test_dicom_without_a_suffix_is_tried(name: str) -> None:
    (reader,) = MANIFEST.contributions.readers or ()
    assert any(fnmatch(name, pattern) for pattern in reader.filename_patterns)


@pytest.mark.parametrize("name", ["notes.txt", "a.csv", "model.zarr", "requirements"])
def test_files_of_others_are_left_alone(name: str) -> None:
    (reader,) = MANIFEST.contributions.readers or ()
    assert not any(fnmatch(name, pattern) for pattern in reader.filename_patterns)


def test_writers_take_labels_in_formats_that_exporters_write() -> None:
    writers = MANIFEST.contributions.writers or ()
    assert {".nii.gz", ".dcm", ".nrrd"} <= {one for writer in writers for one in writer.filename_extensions}
    assert all(one in exported() for writer in writers for one in writer.filename_extensions)
    assert all(writer.layer_types == ["labels"] for writer in writers)


def test_both_samples_are_in_the_menu() -> None:
    assert [one.key for one in MANIFEST.contributions.sample_data or ()] == ["volume", "cine"]


def test_the_entry_of_the_plugins_menu_says_what_it_is_for() -> None:
    (widget,) = MANIFEST.contributions.widgets or ()
    assert widget.display_name not in (MANIFEST.display_name, MANIFEST.name)
