"""Names of cases and of readers: what may be typed, where a case lies, and who reads on this computer."""

from __future__ import annotations

import json
import re
import unicodedata
from hashlib import sha256
from pathlib import Path

from napari_vost.errors import ExportError, InputError
from napari_vost.geometry import Part
from napari_vost.io.atomic import atomic_file
from napari_vost.paths import cases_folder, state_folder

SUFFIX = ".vost"
LONGEST = 64  # characters of an alias, and of a reader's name: DICOM takes no longer ones


def check_alias(alias: str) -> str:
    """Give an alias back, without blanks around it.

    Raises
    ------
    InputError
        Something else than 1 to 64 letters, digits, ``-`` and ``_``, the first a letter or a digit.
    """
    alias = alias.strip()
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{LONGEST - 1}}}", alias):
        raise InputError(
            f"A case is named by 1 to {LONGEST} letters (A to Z) and digits, with '-' and '_' between, got {alias!r}: "
            "choose another name, such as case-001, and no patient's."
        )
    return alias


def check_reader(reader: str) -> str:
    r"""Give a reader's name back, without blanks around it; ``Family^Given`` is what DICOM calls people.

    Raises
    ------
    InputError
        An empty name, one over 64 characters, or one with control characters, ``\`` or ``=``.
    """
    reader = " ".join(reader.split())
    if not reader or len(reader) > LONGEST or not reader.isprintable() or set(reader) & set("\\="):
        raise InputError(
            f"A reader's name has 1 to {LONGEST} characters and neither '\\' nor '=', got {reader!r}: type your name."
        )
    return reader


def same_reader(one: str, other: str) -> bool:
    """Whether two names mean the same reader: upper case and blanks do not matter."""
    first, second = (" ".join(unicodedata.normalize("NFC", name).casefold().split()) for name in (one, other))
    return first == second


def reader_name() -> str:
    """Name of the reader on this computer, "" as long as nobody has said it."""
    try:
        found = json.loads((state_folder() / "reader.json").read_text(encoding="utf-8"))["name"]
        return check_reader(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""  # an unreadable name is none: the user is asked again


def set_reader_name(reader: str) -> str:
    """Remember the reader's name on this computer; gives it back as it is kept.

    Raises
    ------
    InputError
        As `check_reader`.
    ExportError
        It cannot be written.
    """
    reader = check_reader(reader)
    path = state_folder() / "reader.json"
    make_folder(path.parent)
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps({"name": reader}), encoding="utf-8")
    return reader


def case_path(alias: str, reader: str, folder: Path | None = None) -> Path:
    """Where a reader's case lies: ``<alias>_<reader>.vost``, the reader in plain letters."""
    name = f"{check_alias(alias)}_{_plain(check_reader(reader))}{SUFFIX}"
    return (cases_folder() if folder is None else folder) / name


def part_alias(alias: str, part: Part | None) -> str:
    """Alias of the case of a part of a scan, such as ``case-001-slice04``, counted from 1; a whole scan's own alias."""
    if part is None:
        return alias
    return f"{alias}-{part.kind}{part.index + 1:0{max(2, len(str(part.count)))}d}"


def scan_alias(alias: str, part: Part) -> str:
    """Alias that the cases of all parts of a scan begin with, from that of one part."""
    return alias.removesuffix(part_alias("", part)) or alias


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it.

    Raises
    ------
    ExportError
        The system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"The folder {folder} cannot be made ({error.strerror}): choose another one.") from error


def _plain(reader: str) -> str:
    """A reader's name in letters that every disk takes; what has none of them becomes a short number."""
    spelt = unicodedata.normalize("NFKD", reader).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9]+", "-", spelt).strip("-").lower()
    lost = sum(letter.isalpha() for letter in reader) > sum(letter.isalpha() for letter in spelt)
    mark = sha256(unicodedata.normalize("NFC", reader.casefold()).encode()).hexdigest()[:6] if lost or not plain else ""
    return "-".join(part for part in (plain, mark) if part)
