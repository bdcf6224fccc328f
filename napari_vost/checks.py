"""Checks of arguments, with messages that say what came and what was expected."""

from __future__ import annotations

from typing import Protocol

from napari_vost.errors import InputError


class _Shaped(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...


def check_shape(array: _Shaped, pattern: str, name: str = "array") -> dict[str, int]:
    """Check an array's shape against a pattern such as ``"N 3 H W"``.

    Parameters
    ----------
    array
        Anything with a ``shape``.
    pattern
        One word per axis: a number must match exactly, a letter binds a size, and the same letter must bind the same
        size everywhere.
    name
        How the message calls the array.

    Returns
    -------
    dict
        Size bound by each letter.

    Raises
    ------
    InputError
        The shape does not fit.
    """
    words = pattern.split()
    shape = tuple(int(size) for size in array.shape)
    sizes: dict[str, int] = {}
    fits = len(words) == len(shape)
    for word, size in zip(words, shape, strict=False):
        wanted = int(word) if word.isdigit() else sizes.setdefault(word, size)
        fits = fits and wanted == size
    if not fits:
        raise InputError(f"{name}: expected shape ({', '.join(words)}), got {shape}.")
    return sizes


def check_range(value: float, low: float, high: float, name: str) -> float:
    """Return ``value`` if ``low <= value <= high``, else raise `InputError`."""
    if not low <= value <= high:
        raise InputError(f"{name}: expected a value from {low:g} to {high:g}, got {value:g}.")
    return value
