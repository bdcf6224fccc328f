"""Make everything in sample_data/ from the phantoms: ``python benchmarks/make_samples.py [FOLDER]``.

The same code gives the same pixels, labels, identifiers and headers every time. (Of the mp4 only the frames that go in
are the same: what comes out belongs to the encoder.)
"""

from __future__ import annotations

import gzip
import json
import shutil
import struct
import sys
import uuid
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEGLSLossless
from scipy import ndimage

from napari_vost.geometry import ras_from_lps
from napari_vost.phantoms import Phantom, abdomen, ventricle
from napari_vost.phantoms.abdomen import STEP_HU

CT_IMAGE, US_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.3.1"
NAMESPACE = uuid.UUID("5b6c5a4e-7f0d-5d43-9a55-6f1d2f0a7c11")
INTERCEPT, SLOPE = -1024, STEP_HU
ANATOMY, ABNORMAL = ("123037004", "Anatomical Structure"), ("49755003", "Morphologically Abnormal Structure")
CODES = {  # SNOMED CT: value, meaning
    "Liver": ("10200004", "Liver"),
    "Spleen": ("78961009", "Spleen"),
    "Left kidney": ("18639004", "Left kidney"),
    "Right kidney": ("9846003", "Right kidney"),
    "Aorta": ("15825003", "Aorta"),
    "Stomach": ("69695003", "Stomach"),
    "Vertebral column": ("421060004", "Vertebral column"),
    "Liver lesion": ("52988006", "Lesion"),
    "Small liver lesion": ("52988006", "Lesion"),
    "Left ventricle": ("87878005", "Left ventricle"),
    "Myocardium of left ventricle": ("74281007", "Myocardium"),
    "Left atrium": ("82471001", "Left atrium"),
    "Right ventricle": ("53085002", "Right ventricle"),
}
README = """# Sample data

Two phantoms whose truth is known, drawn by this project's own generator. No patient, no scanner: nobody was imaged.
Licence: CC0-1.0 (public domain). Made by `python benchmarks/make_samples.py`; the same code gives the same pixels.

| path | what |
|---|---|
| `abdomen/dicom/` | CT-like upper abdomen, {abdomen}, DICOM series, JPEG-LS lossless |
| `abdomen/abdomen.nii.gz` | the same voxels as NIfTI |
| `abdomen/labels.nii.gz` | its truth: object ids as in `truth.json` |
| `ventricle/ventricle.dcm` | apical four-chamber echo, {ventricle}, multi-frame ultrasound, JPEG-LS lossless |
| `ventricle/ventricle.mp4` | the same frames as video (H.264, a little lossy) |
| `ventricle/labels.npz` | its truth: `labels` uint8 (frame, y, x), `frame_times_s` |
| `truth.json` | names, object ids, SNOMED CT codes, sizes, one recommended click and box per object |

Clicks are `[frame, y, x]` and boxes `[frame, y0, x0, y1, x1]` (both corners inside), in array pixels from 0.
Figures measured on phantoms say that the software works; they say nothing about patients.
"""


def uid(*words: object) -> str:
    """UID under 2.25, always the same for the same words (DICOM PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(NAMESPACE, '/'.join(map(str, words))).int}"


def affine_lps(phantom: Phantom) -> NDArray[np.float64]:
    """From (x, y, frame, 1) to LPS mm; the middle of the grid is the origin."""
    spacing = np.array(phantom.spacing_mm_zyx)[::-1]
    size = np.array(phantom.image.shape)[::-1]
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -spacing * (size - 1) / 2
    return affine


def write_gz(path: Path, data: bytes) -> None:
    """Write gzip without name and time, so that equal data give equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(data)


def write_nifti(path: Path, phantom: Phantom) -> None:
    """Write a volume and, beside it, its labels."""
    affine = ras_from_lps(affine_lps(phantom))
    stored = ((phantom.image.astype(np.int32) - INTERCEPT) // SLOPE).astype(np.int16)
    for name, frames, scale in ((path.name, stored, (SLOPE, INTERCEPT)), ("labels.nii.gz", phantom.labels, (1, 0))):
        image = nib.Nifti1Image(frames.transpose(2, 1, 0), affine)
        image.set_qform(affine, 1)
        image.set_sform(affine, 1)
        image.header.set_xyzt_units("mm")
        image.header["descrip"] = b"napari-vost phantom"
        data = bytearray(image.to_bytes())
        data[112:120] = struct.pack("<2f", *scale)  # scl_slope and scl_inter, which nibabel keeps for itself
        write_gz(path.with_name(name), bytes(data))


def common(kind: str, sop_class: str, instance: int, modality: str) -> Dataset:
    """Patient, study, series, equipment: what every object of a phantom says."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, uid(kind, "instance", instance)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid(kind, "study"), uid(kind, "series")
    dataset.PatientName, dataset.PatientID = f"Phantom^{kind.capitalize()}", f"PHANTOM-{kind.upper()}"
    dataset.PatientBirthDate = dataset.PatientSex = dataset.ReferringPhysicianName = dataset.AccessionNumber = ""
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = dataset.AcquisitionDate = "20260101"
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = dataset.AcquisitionTime = "120000"
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = "1", 1, instance
    dataset.AcquisitionNumber = 1
    dataset.Modality = modality
    dataset.Manufacturer = dataset.ManufacturerModelName = "napari-vost phantom"
    dataset.StudyDescription = f"Phantom {kind}"
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Drawn by a program, no patient"
    dataset.BurnedInAnnotation, dataset.LossyImageCompression = "NO", "00"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    return dataset


def save(dataset: Dataset, pixels: NDArray[np.generic], path: Path) -> None:
    """Compress without loss and write a file with its meta group."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = JPEGLSLossless
    meta.ImplementationClassUID, meta.ImplementationVersionName = uid("implementation"), "NAPARI_VOST"
    file = FileDataset(path, dataset, file_meta=meta, preamble=b"\0" * 128)
    file.compress(JPEGLSLossless, pixels, encoding_plugin="pyjpegls", generate_instance_uid=False)
    file.save_as(path, enforce_file_format=True)


def write_ct(folder: Path, phantom: Phantom) -> None:
    """Write a volume as a CT series, one file per slice."""
    folder.mkdir(parents=True)
    affine, (depth, row, column) = affine_lps(phantom), phantom.spacing_mm_zyx
    stored = ((phantom.image.astype(np.int32) - INTERCEPT) // SLOPE).astype(np.uint16)
    for index, frame in enumerate(stored):
        dataset = common("abdomen", CT_IMAGE, index + 1, "CT")
        dataset.SeriesDescription, dataset.BodyPartExamined = "Phantom, portal venous", "ABDOMEN"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = uid("abdomen", "frame of reference"), ""
        dataset.PatientPosition, dataset.KVP = "HFS", "120"
        position = affine[:3, 3] + index * affine[:3, 2]
        dataset.ImagePositionPatient = [f"{value:.9g}" for value in position]
        dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        dataset.PixelSpacing = [f"{row:.9g}", f"{column:.9g}"]
        dataset.SliceThickness, dataset.SliceLocation = f"{depth:.6g}", f"{position[2]:.6g}"
        dataset.Rows, dataset.Columns = frame.shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = str(INTERCEPT), str(SLOPE), "HU"
        dataset.WindowCenter = [f"{(window.low + window.high) / 2:g}" for window in phantom.windows]
        dataset.WindowWidth = [f"{window.high - window.low:g}" for window in phantom.windows]
        dataset.WindowCenterWidthExplanation = [window.name for window in phantom.windows]
        save(dataset, frame, folder / f"slice_{index + 1:03d}.dcm")


def write_us(path: Path, phantom: Phantom) -> None:
    """Write a cine as one multi-frame ultrasound object with a calibrated region."""
    frames, rows, columns = phantom.image.shape
    times = phantom.frame_times_s or (0.0,)
    dataset = common("ventricle", US_MULTIFRAME, 1, "US")
    dataset.SeriesDescription, dataset.ImageType = "Phantom, apical four chambers", ["ORIGINAL", "PRIMARY"]
    dataset.PatientOrientation, dataset.BodyPartExamined = "", "HEART"
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = rows, columns, frames
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.FrameTime = f"{1000 * (times[-1] - times[0]) / (frames - 1):.6f}"
    dataset.FrameIncrementPointer = 0x00181063  # frame time
    dataset.RecommendedDisplayFrameRate, dataset.CineRate = 30, 30
    dataset.HeartRate = round(60 / (phantom.period_s or 1.0))
    dataset.UltrasoundColorDataPresent = 0
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0  # 2D, tissue
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = columns - 1, rows - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3  # cm
    region.PhysicalDeltaX, region.PhysicalDeltaY = phantom.spacing_mm_zyx[2] / 10, phantom.spacing_mm_zyx[1] / 10
    dataset.SequenceOfUltrasoundRegions = Sequence([region])
    save(dataset, phantom.image, path)


def write_mp4(path: Path, phantom: Phantom) -> None:
    """Write a cine as H.264 in grey."""
    import av

    times = phantom.frame_times_s or (0.0, 1.0)
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(round(1 / (times[1] - times[0]))))
        stream.height, stream.width = phantom.image.shape[1:]
        stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
        stream.options = {"crf": "20", "preset": "slow"}
        for frame in phantom.image:
            grey = av.VideoFrame.from_ndarray(np.repeat(frame[..., None], 3, axis=2), format="rgb24")
            container.mux(stream.encode(grey))
        container.mux(stream.encode())


def prompt_frame(phantom: Phantom, object_id: int) -> int:
    """Frame that shows most of an object; of a cine the first one that shows it."""
    areas = (phantom.labels == object_id).sum(axis=(1, 2))
    return int(np.flatnonzero(areas)[0]) if phantom.order == "time" else int(np.argmax(areas))


def click(phantom: Phantom, object_id: int, frame_index: int) -> list[int]:
    """The pixel of typical grey that lies deepest inside: where a person would click."""
    mask = phantom.mask(object_id, frame_index)
    grey = ndimage.gaussian_filter(phantom.image[frame_index].astype(np.float64), 1.0)
    away = np.abs(grey - np.median(grey[mask]))
    typical = mask & (away <= np.percentile(away[mask], 75))
    depth = np.round(ndimage.distance_transform_edt(mask) * ndimage.distance_transform_edt(typical), 6)
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return [frame_index, int(y), int(x)]


def describe(phantom: Phantom, object_id: int, name: str) -> dict[str, Any]:
    """One object's entry in truth.json."""
    frame_index = prompt_frame(phantom, object_id)
    rows, columns = np.nonzero(phantom.mask(object_id, frame_index))
    category = ABNORMAL if "lesion" in name else ANATOMY
    value, meaning = CODES[name]
    areas = (phantom.labels == object_id).sum(axis=(1, 2))
    depth, row, column = phantom.spacing_mm_zyx
    entry: dict[str, Any] = {
        "object_id": object_id,
        "name": name,
        "code": {"value": value, "scheme": "SCT", "meaning": meaning},
        "category": {"value": category[0], "scheme": "SCT", "meaning": category[1]},
        "click": click(phantom, object_id, frame_index),
        "box": [frame_index, *map(int, (rows.min(), columns.min(), rows.max(), columns.max()))],
        "frames": [int(np.flatnonzero(areas)[0]), int(np.flatnonzero(areas)[-1])],
    }
    if phantom.order == "depth":
        entry["volume_ml"] = round(float(areas.sum()) * depth * row * column / 1000, 3)
    else:
        entry["area_mm2"] = [round(float(area) * row * column, 2) for area in areas]
    return entry


def truth(phantom: Phantom, files: Mapping[str, str]) -> dict[str, Any]:
    """One phantom's entry in truth.json."""
    entry: dict[str, Any] = {**files, "order": phantom.order, "shape": list(phantom.image.shape)}
    entry["spacing_mm_zyx"] = [round(step, 9) for step in phantom.spacing_mm_zyx]
    if phantom.frame_times_s:
        entry["frame_time_s"] = round(phantom.frame_times_s[1] - phantom.frame_times_s[0], 9)
        entry["period_s"] = phantom.period_s
    entry["objects"] = [describe(phantom, object_id, name) for object_id, name in phantom.names.items()]
    return entry


def make(folder: Path) -> None:
    """Fill an empty or missing folder with all samples."""
    scan, cine = abdomen(), ventricle()
    for name in ("abdomen", "ventricle"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    write_ct(folder / "abdomen" / "dicom", scan)
    write_nifti(folder / "abdomen" / "abdomen.nii.gz", scan)
    write_us(folder / "ventricle" / "ventricle.dcm", cine)
    write_mp4(folder / "ventricle" / "ventricle.mp4", cine)
    np.savez_compressed(folder / "ventricle" / "labels.npz", labels=cine.labels, frame_times_s=cine.frame_times_s)
    entries = {
        "abdomen": truth(
            scan,
            {"dicom": "abdomen/dicom", "nifti": "abdomen/abdomen.nii.gz", "labels": "abdomen/labels.nii.gz"},
        ),
        "ventricle": truth(
            cine,
            {"dicom": "ventricle/ventricle.dcm", "video": "ventricle/ventricle.mp4", "labels": "ventricle/labels.npz"},
        ),
    }
    (folder / "truth.json").write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    sizes = {name: " x ".join(map(str, one.image.shape)) for name, one in (("abdomen", scan), ("ventricle", cine))}
    (folder / "README.md").write_text(README.format(**sizes), encoding="utf-8")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "sample_data"
    make(target)
    total = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    print(f"{target}: {total / 1e6:.2f} MB")
