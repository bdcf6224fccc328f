"""Writers of small folders in the published layouts."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def block(shape: tuple[int, int, int], frames: slice, y: slice, x: slice) -> NDArray[np.uint8]:
    """A box of ones, uint8 (T, H, W)."""
    volume = np.zeros(shape, dtype=np.uint8)
    volume[frames, y, x] = 1
    return volume


def acdc(root: Path) -> Path:
    """Two volumes 7 x 40 x 36; the left ventricle lies on slices 1 to 5, half as large from slice 4 on."""
    folder = root / "acdc" / "dev"
    folder.mkdir(parents=True)
    for name in ("patient001_frame01", "patient002_frame01"):
        label = 3 * block((7, 40, 36), slice(1, 6), slice(10, 20), slice(8, 18))
        label[4:6, 15:20] = 0
        label[2, 30:35, 30:34] = 1
        image = (label.astype(np.uint16) * 9000) + 2000
        np.savez_compressed(folder / f"{name}.npz", image=image, label=label)
    facts = {"patient001_frame01": {"inplane_mm": 1.5, "slice_mm": 10.0}, "patient002_frame01": {"inplane_mm": None}}
    (folder.parent / "index.json").write_text(json.dumps(facts))
    return folder


def acdc_cine(root: Path) -> Path:
    """One patient, 4D 24 x 20 x 3 x 6 (x, y, z, t), labelled at frames 0 and 4; slice 2 holds nothing at frame 0.

    The left ventricle moves one pixel to larger x on slice 0 and has gone at frame 4 on slice 1.
    """
    folder = root / "cine" / "dev"
    folder.mkdir(parents=True)
    label = np.zeros((24, 20, 3, 6), dtype=np.uint8)
    label[6:12, 5:11, 0, 0] = 3
    label[7:13, 5:11, 0, 4] = 3
    label[6:10, 5:9, 1, 0] = 3
    label[14:18, 5:9, :2, 0] = 1
    label[14:18, 5:9, :2, 4] = 1
    affine = np.diag([1.5, 1.5, 10.0, 1.0])
    image = label.astype(np.int16) * 100 + 50
    nib.save(nib.Nifti1Image(image, affine), folder / "patient009_4d.nii.gz")
    nib.save(nib.Nifti1Image(label, affine), folder / "patient009_4d_labels_ED_ES.nii.gz")
    (folder.parent / "index.json").write_text(json.dumps({"patient009": {"labelled_frames_0based": [0, 4]}}))
    return folder


def hippocampus(root: Path) -> Path:
    """One pair 20 x 9 x 16 (x, y, z): anterior at y 2 to 4, posterior at y 5 to 6 and wider."""
    folder = root / "hippo"
    label = np.zeros((20, 9, 16), dtype=np.uint8)
    label[5:9, 2:5, 4:8] = 1
    label[5:15, 5:7, 4:8] = 2
    for part, array in (("images", label * 50 + 20), ("labels", label)):
        (folder / part).mkdir(parents=True)
        nib.save(nib.Nifti1Image(array.astype(np.uint8), np.eye(4)), folder / part / "hippocampus_001.nii.gz")
    return folder


def ct_lesion(root: Path) -> Path:
    """One lesion on slices 1 to 3 of 5 x 32 x 32, largest on slice 2."""
    folder = root / "lesion"
    folder.mkdir()
    gts = block((5, 32, 32), slice(1, 4), slice(10, 16), slice(10, 16))
    gts[2, 8:18, 8:18] = 1
    arrays = {"imgs": (gts * 90 + 60).astype(np.uint8), "gts": gts, "spacing": np.array([0.5, 0.7, 5.0])}
    np.savez_compressed(folder / "CT_Lesion_1.npz", **arrays)
    return folder


def davis16(root: Path) -> Path:
    """One sequence of four frames 24 x 32; the object moves two pixels to the right in each."""
    sequence = root / "davis" / "goose"
    for part in ("frames", "masks"):
        (sequence / part).mkdir(parents=True)
    for frame in range(4):
        mask = np.zeros((24, 32), dtype=np.uint8)
        mask[8:16, 4 + 2 * frame : 12 + 2 * frame] = 255
        Image.fromarray(mask).save(sequence / "masks" / f"{frame:05d}.png")
        picture = np.repeat(mask[..., None] // 2 + 40, 3, axis=2).astype(np.uint8)
        Image.fromarray(picture).save(sequence / "frames" / f"{frame:05d}.jpg")
    return sequence.parent
