"""Which reader a file belongs to. One line per reader; other packages add theirs through entry points."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

from napari_vost.errors import ReadError
from napari_vost.io.readers.candidates import Found, Reader

GROUP = "napari_vost.readers"
BUILT_IN = (  # module, suffixes; the order is that of lists shown to users
    ("dicom_series", (".dcm", ".dicom", ".ima")),
    ("nifti", (".nii", ".nii.gz", ".hdr")),
    ("itk", (".nrrd", ".nhdr", ".mha", ".mhd")),
    ("video", (".mp4", ".m4v", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv")),
    ("image_stack", (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")),
)
OTHER = frozenset(  # never images: not worth a look inside
    ".txt .md .json .csv .tsv .xml .html .htm .pdf .py .ipynb .yaml .yml .toml .log .zip .gz .tar .npz .npy .raw .img "
    ".zraw .bval .bvec .mat .h5 .hdf5 .ini .cfg .vost .docx .xlsx .ds_store".split()
)
MOST_FILES = 100_000


def reader_names() -> tuple[str, ...]:
    """Names of all readers."""
    return (*(name for name, _ in BUILT_IN), *(entry.name for entry in entry_points(group=GROUP)))


def find(path: Path) -> Found:
    """Everything in a path that opens as a clip.

    A folder is searched with its subfolders; a file is looked at alone, or as part of its series if it is DICOM.

    Raises
    ------
    ReadError
        The path does not exist, is empty, or holds nothing that any reader knows.
    """
    if not path.exists():
        raise ReadError(f"{path} does not exist: give the path of a scan, a cine, or a folder of one.")
    files = _files_below(path) if path.is_dir() else (path,)
    if not files:
        raise ReadError(f"{path} is an empty folder: give one that holds a scan or a cine.")
    found = Found()
    for reader, own in _shares(files):
        found = found + reader.find(own)
    if not found.candidates and not found.without_pixels:
        if path.is_dir():
            raise ReadError(
                f"{path} holds no images that can be read: expected DICOM, NIfTI, NRRD, MHA, video or pictures."
            )
        raise ReadError(
            f"{path.name} is none of the known formats: expected DICOM, NIfTI, NRRD, MHA, video or a picture."
        )
    return found


def suffix_of(path: Path, suffixes: Iterable[str]) -> bool:
    """Whether a file name ends in one of the suffixes, whatever the case."""
    return path.name.lower().endswith(tuple(suffixes))


def looks_like_dicom(path: Path) -> bool:
    """Whether a file starts as DICOM does: ``DICM`` after 128 bytes, or a group 2 or 8 element without preamble."""
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError:
        return False
    bare = head[:2] in (b"\x02\x00", b"\x08\x00") and head[2:4] in (b"\x00\x00", b"\x01\x00", b"\x05\x00", b"\x08\x00")
    return head[128:132] == b"DICM" or (bare and len(head) == 132)


def _files_below(folder: Path) -> tuple[Path, ...]:
    files: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [Path(root) / name for name in sorted(names) if not name.startswith(".")]
        if len(files) > MOST_FILES:
            raise ReadError(f"{folder} holds more than {MOST_FILES} files: give the folder of one study.")
    return tuple(files)


def _shares(files: tuple[Path, ...]) -> list[tuple[Reader, tuple[Path, ...]]]:
    """Readers with the files that are theirs; modules without files are not imported."""
    shares: list[tuple[Reader, tuple[Path, ...]]] = []
    left = set(files)
    for entry in entry_points(group=GROUP):
        reader: Reader = entry.load()
        own = tuple(path for path in files if path in left and suffix_of(path, reader.suffixes))
        left -= set(own)
        if own:
            shares.append((reader, own))
    plain = {path for path in left if any(suffix_of(path, suffixes) for _, suffixes in BUILT_IN[1:])}
    for name, suffixes in BUILT_IN:
        if name == "dicom_series":
            known = OTHER if len(files) > 1 else frozenset()
            own = tuple(
                path
                for path in files
                if path in left - plain and path.suffix.lower() not in known and looks_like_dicom(path)
            )
        else:
            own = tuple(path for path in files if path in plain and suffix_of(path, suffixes))
        if own:
            module = importlib.import_module(f"napari_vost.io.readers.{name}")
            shares.append((module.READER, own))
    return shares
