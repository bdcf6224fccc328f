"""Pack the training part of the real rows into one file, so that training needs nothing else.

``python -m napari_vost.training.pack --data FOLDER --out pack.npz``. Only rows whose licence allows shipped weights
are read (marked T in the data folder's README); of folders with a split, only ``train``. A tenth, by subject or
sequence, is marked as validation.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import InputError
from napari_vost.training.pseudo import pseudo_labels

Bytes = NDArray[np.uint8]
_HELD_OUT = frozenset({"davis16/cows", "pyradiomics_lesions/brain2", "totalseg_ref/mr", "labelmaps_synthseg/08"})


@dataclass(frozen=True)
class Facts:
    """What is known of one packed volume.

    Attributes
    ----------
    name, group
        ``group/subject``, and the row of the data table.
    spacing
        Size of a voxel along the three axes (relative numbers for video).
    axes
        Array axes that its frames may run along.
    part
        ``train`` or ``valid``.
    drawn
        Whether there is an image; label maps alone get a synthetic one.
    """

    name: str
    group: str
    spacing: tuple[float, float, float]
    axes: tuple[int, ...]
    part: str
    drawn: bool = True


@dataclass(frozen=True, eq=False)
class Volume:
    """A packed volume: image (D, H, W) or (D, H, W, 3) uint8 or None, labels (D, H, W) uint8."""

    facts: Facts
    image: Bytes | None
    labels: Bytes


def to_bytes(image: NDArray[np.generic]) -> Bytes:
    """Scale an image to uint8 between its .5 and 99.5 percentiles."""
    values = image.astype(np.float32)
    low, high = np.percentile(values, (0.5, 99.5))
    scaled = (values - low) / max(float(high - low), 1e-6)
    return np.asarray(np.clip(scaled, 0, 1) * 255, np.uint8)


def _largest(labels: NDArray[np.generic], most: int = 120) -> Bytes:
    """Keep the ``most`` largest structures, renumbered from 1 by falling size."""
    names, where, counts = np.unique(labels.astype(np.int64), return_inverse=True, return_counts=True)
    order = [int(i) for i in np.argsort(-counts) if names[i] != 0][:most]
    table = np.zeros(len(names), np.uint8)
    table[order] = np.arange(1, len(order) + 1)
    return np.asarray(table[where].reshape(labels.shape), np.uint8)


def _part(name: str) -> str:
    return "valid" if name in _HELD_OUT else "train"


def _nifti(path: Path) -> tuple[NDArray[np.generic], tuple[float, float, float]]:
    import nibabel

    image = nibabel.load(path)
    zooms = [float(zoom) for zoom in image.header.get_zooms()[:3]]
    return np.asarray(image.dataobj), (zooms[0], zooms[1], zooms[2])


def _itk(path: Path) -> tuple[NDArray[np.generic], tuple[float, float, float]]:
    import SimpleITK

    image = SimpleITK.ReadImage(str(path))
    x, y, z = image.GetSpacing()
    return SimpleITK.GetArrayFromImage(image), (z, y, x)


def _pair(group: str, name: str, image: Path, labels: Path, axes: tuple[int, ...]) -> Volume:
    """A volume from an image file and a label file on one grid."""
    read = _nifti if image.name.endswith(".nii.gz") else _itk
    grey, spacing = read(image)
    marks, _ = read(labels)
    full = f"{group}/{name}"
    return Volume(Facts(full, group, spacing, axes, _part(full)), to_bytes(grey), _largest(marks))


def _hippocampus(data: Path) -> Iterator[Volume]:
    for index, path in enumerate(sorted((data / "msd_hippocampus/train/images").glob("*.nii.gz"))):
        label = data / "msd_hippocampus/train/labels" / path.name
        one = _pair("msd_hippocampus", path.name.split(".")[0], path, label, (0, 1, 2))
        part = "valid" if index % 10 == 0 else "train"
        yield Volume(Facts(**{**asdict(one.facts), "part": part}), one.image, one.labels)


def _video(data: Path) -> Iterator[Volume]:
    from PIL import Image

    for folder in sorted((data / "davis16/train").iterdir()):
        frames, masks = [], []
        for path in sorted((folder / "frames").glob("*.jpg"))[::2]:
            picture = Image.open(path).convert("RGB")
            scale = 224 / max(picture.size)
            size = (round(picture.width * scale), round(picture.height * scale))
            frames.append(np.asarray(picture.resize(size, Image.Resampling.BOX)))
            mask = Image.open(folder / "masks" / (path.stem + ".png")).convert("L")
            masks.append(np.asarray(mask.resize(size, Image.Resampling.BOX)) > 127)
        name = f"davis16/{folder.name}"
        facts = Facts(name, "davis16", (1.0, 1.0, 1.0), (0,), _part(name))
        yield Volume(facts, np.stack(frames), np.stack(masks).astype(np.uint8))


def _scans(data: Path) -> Iterator[Volume]:
    cord, lesions, organs = data / "sct_cord", data / "pyradiomics_lesions", data / "totalseg_ref"
    for name in ("t1w", "t2"):
        yield _pair("sct_cord", name, cord / f"{name}.nii.gz", cord / f"{name}_seg-manual.nii.gz", (0, 1, 2))
    grey = cord / "t2s_uncropped_gmseg_manual.nii.gz"
    yield _pair("sct_cord", "t2s", cord / "t2s_uncropped.nii.gz", grey, (2,))
    lung = data / "elastix_lung"
    yield _pair("elastix_lung", "ct", lung / "3DCT_lung.mha", lung / "3DCT_lung_baseline_mask.mha", (0, 1, 2))
    for name in ("brain1", "brain2", "breast1"):
        yield _pair("pyradiomics_lesions", name, lesions / f"{name}_image.nrrd", lesions / f"{name}_label.nrrd", (0,))
    marks = organs / "example_seg_fast_force_split.nii.gz"
    yield _pair("totalseg_ref", "ct", organs / "example_ct.nii.gz", marks, (0, 1, 2))
    yield _pair("totalseg_ref", "mr", organs / "example_mr_sm.nii.gz", organs / "example_seg_mr.nii.gz", (2,))
    vessel = organs / "aorta_cropped"
    yield _pair("totalseg_ref", "aorta", vessel / "ct_cropped.nii.gz", vessel / "organ_aorta_T264.nii.gz", (0, 1, 2))
    atlas = data / "macaque_inia19"
    image, marks = atlas / "inia19-t1-brain.nii.gz", atlas / "inia19-NeuroMaps.nii.gz"
    yield _pair("macaque_inia19", "t1", image, marks, (0, 1, 2))


def _label_maps(data: Path) -> Iterator[Volume]:
    for path in sorted((data / "labelmaps_synthseg").glob("*.nii.gz")):
        labels, spacing = _nifti(path)
        half = _largest(labels[::2, ::2, ::2])
        inside = np.nonzero(half)
        box = tuple(slice(int(where.min()), int(where.max()) + 1) for where in inside)
        name = f"labelmaps_synthseg/{path.name.split('.')[0][-2:]}"
        facts = Facts(name, "labelmaps_synthseg", spacing, (0, 1, 2), _part(name), drawn=False)
        yield Volume(facts, None, half[box])


def _pseudo(data: Path) -> Iterator[Volume]:
    """Scans whose own or missing labels are replaced by regions with real edges."""
    from napari_vost.io.readers import open_clip

    clip = open_clip(data / "dicom_oblique_T1_subset")
    head = to_bytes(np.stack([np.asarray(clip.frame(index)) for index in range(len(clip))])[:, ::2, ::2])
    z, y, x = clip.spacing_mm_zyx
    scans = [("head", head, (z, 2 * y, 2 * x))]
    for name, path in (("lung", "elastix_lung/3DCT_lung.mha"), ("breast", "pyradiomics_lesions/breast1_image.nrrd")):
        grey, spacing = _itk(data / path)
        scans.append((name, to_bytes(grey), spacing))
    grey, spacing = _nifti(data / "totalseg_ref/aorta_cropped/ct_cropped.nii.gz")
    scans.append(("chest", to_bytes(grey), spacing))
    for name, image, spacing in scans:
        yield Volume(Facts(f"pseudo/{name}", "pseudo", spacing, (0, 1, 2), "train"), image, pseudo_labels(image))


def pack(data: Path, out: Path) -> list[Facts]:
    """Pack the rows under ``data`` into the file ``out``; returns what went in.

    Raises
    ------
    InputError
        A row is missing.
    """
    volumes: list[Volume] = []
    for source in (_hippocampus, _video, _scans, _label_maps, _pseudo):
        found = list(source(data)) if data.is_dir() else []
        if not found:
            raise InputError(f"{data} holds nothing for {source.__name__[1:]}; give the folder with the real images.")
        volumes += found
    write_pack(volumes, out)
    return [volume.facts for volume in volumes]


def write_pack(volumes: Sequence[Volume], out: Path) -> None:
    """Write volumes to one compressed file."""
    arrays: dict[str, Bytes] = {}
    for index, volume in enumerate(volumes):
        arrays[f"labels{index}"] = volume.labels
        if volume.image is not None:
            arrays[f"image{index}"] = volume.image
    facts = [volume.facts for volume in volumes]
    table = json.dumps([asdict(one) for one in facts]).encode()
    arrays["facts"] = np.frombuffer(table, np.uint8)
    np.savez_compressed(out, allow_pickle=False, **arrays)


def read_pack(path: Path, part: str | None = None) -> list[Volume]:
    """Read the volumes of one part (``train``, ``valid``; None for both).

    Raises
    ------
    InputError
        The file is missing or no pack.
    """
    try:
        with np.load(path) as file:
            facts = [Facts(**{**one, "spacing": tuple(one["spacing"]), "axes": tuple(one["axes"])})
                     for one in json.loads(file["facts"].tobytes())]  # fmt: skip
            chosen = [(i, one) for i, one in enumerate(facts) if part in (None, one.part)]
            return [Volume(one, file[f"image{i}"] if one.drawn else None, file[f"labels{i}"]) for i, one in chosen]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a training pack ({error}); make one with `python -m napari_vost.training.pack`."
        ) from error


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Pack real training images into one file.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the real images")
    parser.add_argument("--out", type=Path, default=Path("pack.npz"))
    given = parser.parse_args()
    pack(given.data, given.out)


if __name__ == "__main__":
    main()
