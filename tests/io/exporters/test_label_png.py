"""A folder of PNG labels, one per frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from napari_vost.errors import ExportError
from napari_vost.io.exporters import export
from napari_vost.io.exporters.label_png import davis_palette
from napari_vost.types import Label

from .builders import blobs, segmentation_of


def test_as_many_files_as_frames_with_the_ids_as_values(tmp_path):
    volumes = blobs((6, 5, 4), np.random.default_rng(0))
    for volume in volumes.values():
        volume[[0, 5]] = False
    segmentation = segmentation_of(volumes)
    assert export(segmentation, f"{tmp_path}/out/") == ()
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == [f"{index:05d}.png" for index in range(6)]
    for file, truth in zip(files, segmentation.label_frames(), strict=True):
        image = Image.open(file)
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), truth)


def test_colours_are_those_of_davis_or_of_the_label(tmp_path):
    assert davis_palette()[:4].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert davis_palette()[255].tolist() == [224, 224, 192]
    segmentation = segmentation_of(blobs((1, 5, 4), np.random.default_rng(1)))
    segmentation = replace(segmentation, labels={1: Label("a"), 2: Label("b", colour_rgb=(9, 8, 7))})
    export(segmentation, f"{tmp_path}/out/")
    palette = Image.open(tmp_path / "out" / "00000.png").getpalette()
    assert palette[:9] == [0, 0, 0, 128, 0, 0, 9, 8, 7]


def test_large_ids_make_16_bit_files(tmp_path):
    volume = np.ones((1, 2, 3), dtype=bool)
    export(segmentation_of({1000: volume}), f"{tmp_path}/out/")
    assert (np.asarray(Image.open(tmp_path / "out" / "00000.png")) == 1000).all()


def test_an_existing_folder_is_replaced_only_if_its_files_are_ours(tmp_path):
    segmentation = segmentation_of(blobs((4, 5, 4), np.random.default_rng(2)))
    out = tmp_path / "out"
    out.mkdir()
    export(segmentation, out)
    export(segmentation_of(blobs((2, 5, 4), np.random.default_rng(3))), out)
    assert sorted(file.name for file in out.iterdir()) == ["00000.png", "00001.png"]
    Image.new("L", (3, 3)).save(out / "00007.png")  # a frame of somebody's video
    with pytest.raises(ExportError, match="other files"):
        export(segmentation, out)
    assert len(list(out.iterdir())) == 3


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    segmentation = segmentation_of(blobs((1, 5, 4), np.random.default_rng(4)))
    with pytest.raises(ExportError, match=r"\.dcm, \.mha, \.nii, \.nii\.gz, \.nrrd"):
        export(segmentation, tmp_path / "out.jpg")


def test_a_session_is_asked_for_its_segmentation(tmp_path):
    class Session:
        def segmentation(self):
            return segmentation_of(blobs((1, 5, 4), np.random.default_rng(4)))

    export(Session(), f"{tmp_path}/out/")
    assert len(list((tmp_path / "out").iterdir())) == 1
