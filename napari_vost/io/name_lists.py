"""Lists of object names with their colours: JSON, and colour tables of 3D Slicer (``.ctbl``).

A colour table holds one line per name, ``number name red green blue alpha`` with colours from 0 to 255; lines that
begin with ``#`` are remarks, and an underscore stands for a blank in a name (Slicer's documentation, "Color table file
formats"). In JSON a list may be ``["Liver", …]``, ``[{"name": "Liver", "color": [221, 130, 101]}, …]`` with the colour
as three numbers or as ``"#dd8265"``, or numbers and names in either order, ``{"Liver": 1}`` or ``{"1": "Liver"}``, all
of these bare or below ``"labels"`` or ``"names"``. The background is no object and is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_vost.errors import ReadError
from napari_vost.types import Label

SUFFIXES = (".json", ".ctbl")
MOST_BYTES = 4 << 20
LONGEST = 64  # characters of a name: DICOM takes no longer ones
_BACKGROUND = ("background", "none", "unlabeled", "unlabelled")
_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})(?:[0-9a-fA-F]{2})?")

Colour = tuple[int, int, int]


def read_names(path: str | Path) -> tuple[Label, ...]:
    """Read the names of a list, with colours where it gives them; each name once, in the order of the list.

    Parameters
    ----------
    path
        A file that ends in ``.json`` or ``.ctbl``.

    Raises
    ------
    ReadError
        No such file, another kind of file, or one without names.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ReadError(f"{path.name} is no list of names: expected a file that ends in {' or '.join(SUFFIXES)}.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ReadError(f"{path.name} is larger than {MOST_BYTES >> 20} MB, which no list of names is.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(f"{path.name} is no text: save the list of names as UTF-8.") from error
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read ({error.strerror or error}): choose another file.") from error
    found = _table(text, path.name) if path.suffix.lower() == ".ctbl" else _json(text, path.name)
    once = {label.name: label for label in reversed(found) if label.name.casefold() not in _BACKGROUND}
    labels = tuple(once[name] for name in dict.fromkeys(label.name for label in found) if name in once)
    if not labels:
        raise ReadError(f"{path.name} holds no names: expected a list of names, each with or without a colour.")
    return labels


def _table(text: str, file: str) -> list[Label]:
    """The lines of a colour table; number 0 is the background."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = line.split()
        numbers = [words[0], *words[-4:]]
        if len(words) < 6 or not all(re.fullmatch(r"-?\d+", word) for word in numbers):
            raise ReadError(
                f"Line {number} of {file} is {_short(line)!r}: expected a number, a name and four numbers from 0 to "
                "255 (red, green, blue, alpha)."
            )
        if int(words[0]) > 0:
            name = " ".join(words[1:-4]).strip("\"'").replace("_", " ")
            found.append(_label(name, [int(word) for word in words[-4:-1]], file))
    return found


def _json(text: str, file: str) -> list[Label]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{file} is not JSON ({error}): correct it, or choose another file.") from error
    for key in ("labels", "names"):
        if isinstance(content, Mapping) and isinstance(content.get(key), list | Mapping):
            content = content[key]
    if isinstance(content, Mapping):
        return [_pair(key, value, file) for key, value in content.items() if not _zero(key, value)]
    if not isinstance(content, list):
        raise ReadError(f'{file} holds no list: expected names such as ["Liver", "Spleen"].')
    return [_entry(one, file) for one in content]


def _entry(given: Any, file: str) -> Label:
    """A name, or a table with a name and perhaps a colour."""
    if isinstance(given, str):
        return _label(given, None, file)
    if isinstance(given, Mapping):
        name = given.get("name", given.get("label"))
        if isinstance(name, str):
            colour = next((given[key] for key in ("color", "colour", "rgb") if given.get(key) is not None), None)
            return _label(name, colour, file)
    raise ReadError(f'{file} holds {_short(given)!r} where a name or {{"name": …, "color": …}} was expected.')


def _pair(key: str, value: Any, file: str) -> Label:
    """``"Liver": 1``, ``"1": "Liver"``, ``"1": {"name": "Liver"}``, ``"Liver": [221, 130, 101]``, ``"Liver": {…}``."""
    if isinstance(value, str) and not _HEX.fullmatch(value):
        return _label(value, None, file)
    if isinstance(value, Mapping):
        return _entry({"name": key, **value}, file)
    if isinstance(value, bool) or not isinstance(value, int | float | str | list | None):
        raise ReadError(f"{file} holds {_short(value)!r} for {key!r}: expected a number, a name or a colour.")
    single = not isinstance(value, list) or len(value) not in (3, 4)  # nnU-Net gives a list of numbers to a region
    return _label(key, value if isinstance(value, str) or not single else None, file)


def _zero(key: str, value: Any) -> bool:
    """Whether a pair is about the number 0, which is the background."""
    return (isinstance(value, int) and value == 0) or key.strip() == "0"


def _label(name: str, colour: Any, file: str) -> Label:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST or not name.isprintable():
        raise ReadError(f"{file} holds the name {_short(name)!r}: a name has 1 to {LONGEST} letters.")
    return Label(name, colour_rgb=None if colour is None else _colour(colour, file))


def _colour(given: Any, file: str) -> Colour:
    if isinstance(given, str) and (match := _HEX.fullmatch(given.strip())):
        red, green, blue = (int(part, 16) for part in match.groups())
        return red, green, blue
    if isinstance(given, list) and len(given) in (3, 4) and all(type(one) in (int, float) for one in given):
        values = [float(one) for one in given[:3]]
        if any(type(one) is float for one in given[:3]) and max(values) <= 1.0:
            values = [one * 255 for one in values]  # shares, as matplotlib writes colours
        if min(values) >= 0 and max(values) <= 255:
            return round(values[0]), round(values[1]), round(values[2])
    raise ReadError(f"{file} holds the colour {_short(given)!r}: expected three numbers from 0 to 255, or '#rrggbb'.")


def _short(given: Any) -> str:
    text = str(given).strip()
    return text if len(text) <= 40 else text[:39] + "…"
