"""DICOM pixels: one frame at a time, decoded, in real-world values or RGB.

Decoders: pydicom with gdcm, pyjpegls, pylibjpeg-openjpeg and its RLE; imagecodecs for 12-bit and progressive JPEG,
which none of those reads.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import ReadError
from napari_vost.io.readers.dicom_frames import DicomFrame
from napari_vost.io.readers.dicom_header import DEFLATED, UNDEFINED, Instance, cut_off, frame_bytes, number
from napari_vost.types import Image

_JPEG = frozenset(  # processes 1, 2 and 4, and the retired 6, 8, 10, 12, that libjpeg-turbo reads at 8 and 12 bit
    f"1.2.840.10008.1.2.4.{last}" for last in (50, 51, 52, 53, 54, 55, 56)
)
_DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
_SHAPE_TAGS = (
    "Rows Columns SamplesPerPixel PhotometricInterpretation PlanarConfiguration BitsAllocated BitsStored HighBit "
    "PixelRepresentation"
).split()
Fragments = tuple[tuple[tuple[int, int], ...], ...]  # per frame: (offset in the file, length) of every fragment


@lru_cache(maxsize=64)
def decodable(transfer_syntax: str) -> bool:
    """Whether frames in this encoding can be decoded here."""
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    if transfer_syntax in _JPEG or transfer_syntax == _DEFLATED_FRAMES:
        return True
    try:
        return bool(get_decoder(UID(transfer_syntax)).is_available)
    except NotImplementedError:
        return False


def check_decodable(instance: Instance) -> None:
    """Raise `ReadError` that names the encoding where no decoder reads it."""
    if not decodable(instance.transfer_syntax):
        raise ReadError(
            f"{instance.path.name} is encoded as {instance.transfer_syntax_name} ({instance.transfer_syntax}), which "
            "no decoder here reads: convert it to an uncompressed or JPEG 2000 file first."
        )


@dataclass(frozen=True)
class _Pieces:
    """Fragments of an encapsulated element: ``(offset in the file, length)``, their first bytes, the offset table."""

    places: tuple[tuple[int, int], ...]
    starts: tuple[bytes, ...]
    table: tuple[int, ...]


def pieces(instance: Instance) -> _Pieces:
    """Walk over the items of an encapsulated element (PS3.5 A.4) without reading them.

    Raises
    ------
    ReadError
        The file ends before its pixels do.
    """
    order = ">" if instance.transfer_syntax == "1.2.840.10008.1.2.2" else "<"
    places: list[tuple[int, int]] = []
    starts: list[bytes] = []
    table: tuple[int, ...] = ()
    size = instance.path.stat().st_size
    with instance.path.open("rb") as file:
        position, first = instance.pixel_offset, True
        while True:
            file.seek(position)
            head = file.read(8)
            if len(head) < 8:
                raise cut_off(instance.path)
            group, element, length = struct.unpack(f"{order}HHL", head)
            if (group, element) == (0xFFFE, 0xE0DD):
                return _Pieces(tuple(places), tuple(starts), table)
            if (group, element) != (0xFFFE, 0xE000) or position + 8 + length > size:
                raise cut_off(instance.path)
            if first:
                table = struct.unpack(f"{order}{length // 4}L", file.read(length - length % 4))
            else:
                places.append((position + 8, length))
                starts.append(file.read(4))
            position, first = position + 8 + length, False


def fragments(instance: Instance) -> Fragments:
    """Where the fragments of every encapsulated frame lie: one each, or by the offset table, or by image starts.

    Raises
    ------
    ReadError
        The file is cut off, or holds another number of frames than it says.
    """
    found, frames = pieces(instance), instance.frames
    places = found.places
    if len(places) == frames:
        return tuple((place,) for place in places)
    if frames == 1:
        return (places,)
    if len(found.table) == frames and places:
        base = places[0][0]
        begins = [next((i for i, place in enumerate(places) if place[0] - base == one), -1) for one in found.table]
    else:
        begins = [i for i, four in enumerate(found.starts) if four[:2] == b"\xff\xd8" or four == b"\xff\x4f\xff\x51"]
    if len(begins) != frames or -1 in begins:
        raise ReadError(
            f"{instance.path.name} says {frames} frames but its encoded pixels show {len(begins)}: fetch it again."
        )
    ends = [*begins[1:], len(places)]
    return tuple(places[begin:end] for begin, end in zip(begins, ends, strict=True))


class PixelSource:
    """Decoded frames of one DICOM object; the file is opened for each frame and never held."""

    def __init__(self, instance: Instance) -> None:
        check_decodable(instance)
        self._instance = instance
        self._fragments: Fragments | None = None
        self._inflated: bytes | None = None

    def read(self, frame_number: int) -> Image:
        """Return frame ``frame_number`` (from 1): stored values (H, W), or RGB (H, W, 3) uint8.

        Raises
        ------
        ReadError
            The file is cut off or damaged, or no decoder reads it.
        """
        instance = self._instance
        try:
            raw = self._raw(frame_number - 1)
        except OSError as problem:
            raise ReadError(
                f"{instance.path} cannot be read any more ({problem.strerror}): bring it back."
            ) from problem
        stored = _decode(instance, raw)
        if not instance.colour:
            return np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("="), copy=False)
        return _rgb(instance, stored)

    def _raw(self, index: int) -> bytes:
        """Encoded bytes of one frame."""
        instance = self._instance
        if instance.transfer_syntax == DEFLATED:
            if self._inflated is None:
                import pydicom

                self._inflated = bytes(pydicom.dcmread(instance.path).PixelData)
            size = frame_bytes(instance)
            raw = self._inflated[index * size : (index + 1) * size]
        else:
            with instance.path.open("rb") as file:
                if instance.pixel_length != UNDEFINED:
                    size = frame_bytes(instance)
                    file.seek(instance.pixel_offset + index * size)
                    raw = file.read(size)
                else:
                    if self._fragments is None:
                        self._fragments = fragments(instance)
                    raw, size = b"", 1
                    for offset, length in self._fragments[index]:
                        file.seek(offset)
                        raw += file.read(length)
        if len(raw) < size:
            raise cut_off(instance.path)
        return raw


def _decode(instance: Instance, raw: bytes) -> NDArray[Any]:
    from pydicom.pixels import pixel_array

    try:
        if instance.pixel_keyword != "PixelData":
            kind = "f4" if instance.pixel_keyword == "FloatPixelData" else "f8"
            order = ">" if instance.transfer_syntax == "1.2.840.10008.1.2.2" else "<"
            return np.frombuffer(raw, dtype=f"{order}{kind}").reshape(instance.size)
        if instance.transfer_syntax in _JPEG and (
            int(number(instance.data, "BitsStored") or 8) > 8 or instance.transfer_syntax[-2:] not in ("50", "51")
        ):
            return _decode_jpeg(instance, raw)
        if instance.transfer_syntax == _DEFLATED_FRAMES:
            import zlib

            return np.asarray(pixel_array(_one_frame(instance, zlib.decompress(raw, -15), plain=True)))
        return np.asarray(pixel_array(_one_frame(instance, raw)))
    except Exception as problem:  # every decoder has its own errors; all of them mean damaged pixels
        raise ReadError(
            f"{instance.path.name} has damaged pixels ({instance.transfer_syntax_name}, {instance.transfer_syntax}), "
            "no decoder reads them: fetch it again."
        ) from problem


def _decode_jpeg(instance: Instance, raw: bytes) -> NDArray[Any]:
    import imagecodecs

    return np.asarray(imagecodecs.jpeg8_decode(raw)).reshape(*instance.size, *((3,) if instance.colour else ()))


def _one_frame(instance: Instance, raw: bytes, plain: bool = False) -> Any:
    """A data set that holds a single frame, for the decoders."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate

    one = Dataset()
    for keyword in _SHAPE_TAGS:
        if keyword in instance.data:
            setattr(one, keyword, instance.data[keyword].value)
    one.file_meta = FileMetaDataset()
    encapsulated = instance.pixel_length == UNDEFINED and not plain
    explicit = "1.2.840.10008.1.2.1"
    syntax = explicit if plain or instance.transfer_syntax == DEFLATED else instance.transfer_syntax
    one.file_meta.TransferSyntaxUID = syntax
    one.PixelData = encapsulate([raw]) if encapsulated else raw
    one["PixelData"].VR = "OB" if encapsulated else instance.pixel_vr
    return one


def _rgb(instance: Instance, stored: NDArray[Any]) -> Image:
    """RGB uint8 of what a decoder gave; palettes are looked up, deeper colours lose their low bits."""
    values = stored
    bits = int(number(instance.data, "BitsStored") or 8)
    if instance.photometric == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        values = np.asarray(apply_color_lut(stored, instance.data))
        bits = 16 if values.dtype.itemsize > 1 and values.max(initial=0) > 255 else 8
    if values.shape[-1] != 3:
        raise ReadError(f"{instance.path.name} decodes to shape {values.shape}, expected RGB: convert it first.")
    if bits > 8:
        values = values >> (bits - 8)
    return np.ascontiguousarray(values, dtype=np.uint8)


def real_world(instance: Instance, slope: float, intercept: float, dtype: np.dtype[Any]) -> Callable[[Image], Image]:
    """Function from stored to real-world values (PS3.3 C.11.1): modality LUT, or slope and intercept.

    MONOCHROME1 is negated, so that brighter always means more.
    """
    sign = -1.0 if instance.photometric == "MONOCHROME1" else 1.0

    def convert(stored: Image) -> Image:
        if "ModalityLUTSequence" in instance.data:
            from pydicom.pixels import apply_modality_lut

            return np.asarray(sign * np.asarray(apply_modality_lut(stored, instance.data)), dtype=dtype)
        if dtype.kind == "f":
            return np.asarray(sign * (stored.astype(np.float64) * slope + intercept), dtype=dtype)
        whole = stored.astype(np.int64) * int(slope) + int(intercept)
        return np.asarray(int(sign) * whole, dtype=dtype)

    return convert


def common_type(frames: Iterable[DicomFrame]) -> np.dtype[Any]:
    """Smallest type that holds the real-world values of all frames: uint8, int16, int32, else float32 or float64."""
    kinds = {_value_type(frame.instance, frame.scale) for frame in frames}
    if np.dtype(np.float64) in kinds or all(kind.kind != "f" for kind in kinds):
        return np.result_type(*kinds)
    return np.dtype(np.float32)


def _value_type(instance: Instance, scale: tuple[float, float]) -> np.dtype[Any]:
    if instance.pixel_keyword != "PixelData":
        return np.dtype(np.float32)
    slope, intercept = scale
    if slope != int(slope) or intercept != int(intercept) or "ModalityLUTSequence" in instance.data:
        return np.dtype(np.float32)
    bits = int(number(instance.data, "BitsStored") or 16)
    signed = bool(number(instance.data, "PixelRepresentation"))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    sign = -1 if instance.photometric == "MONOCHROME1" else 1
    ends = [sign * (slope * end + intercept) for end in (low, high)]
    if min(ends) >= 0 and max(ends) <= 255:
        return np.dtype(np.uint8)
    for kind in (np.int16, np.int32):
        if np.iinfo(kind).min <= min(ends) and max(ends) <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.float64)
