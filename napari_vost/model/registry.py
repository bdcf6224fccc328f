"""Which models there are: the shipped registry, the user's own, and those of other packages.

A registry is a TOML file; `models/registry.toml` explains its words. Three places are read, in this order: the file
that ships, ``models.toml`` in the user's state folder, and the entry points of the group ``napari_vost.models`` (each
names a path to a TOML file, or a function that returns one).
"""

from __future__ import annotations

import re
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, TypeVar

from napari_vost import paths
from napari_vost.errors import InputError, UnknownName, VostError, VostWarning

Family = Literal["sam2", "nano"]
SourceKind = Literal["url", "hub", "file", "shipped"]
GROUP = "napari_vost.models"

_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Source:
    """One place that a model's file comes from.

    Attributes
    ----------
    kind
        ``"url"`` an address, ``"hub"`` a repository of a model hub, ``"file"`` a local path, ``"shipped"`` a folder
        under ``models/``.
    file
        File name (url), path in the repository (hub), absolute path (file) or folder name (shipped).
    url
        Address, for ``"url"``.
    repository, revision
        Repository and branch or commit, for ``"hub"``.
    size_bytes
        Exact size where it is known.
    about_bytes
        Rough size, to tell the user; never checked.
    sha256
        64 lower-case hexadecimal digits, where a second source confirms it.
    """

    kind: SourceKind
    file: str
    url: str | None = None
    repository: str | None = None
    revision: str = "main"
    size_bytes: int | None = None
    about_bytes: int | None = None
    sha256: str | None = None

    @property
    def file_name(self) -> str:
        """Name of the file in the cache."""
        return Path(self.file).name


@dataclass(frozen=True)
class Architecture:
    """Numbers of a SAM 2.1 network; the rest is common to the family (Ravi et al., arXiv:2408.00714).

    Attributes
    ----------
    input_size
        Side of the square input in pixels, a multiple of 32.
    embed_dim, heads
        Width and heads of the first stage; both double from stage to stage.
    stages
        Blocks per stage.
    global_blocks
        Blocks that attend to the whole map.
    windows
        Window side per stage.
    background
        Height and width of the background position map.
    neck_channels
        Channels that enter the neck, deepest first.
    """

    input_size: int
    embed_dim: int
    heads: int
    stages: tuple[int, ...]
    global_blocks: tuple[int, ...]
    windows: tuple[int, ...]
    background: tuple[int, ...]
    neck_channels: tuple[int, ...]


@dataclass(frozen=True)
class ModelEntry:
    """One model of the registry.

    Attributes
    ----------
    name
        What the user types.
    family
        Which loader and which network class it wants.
    title, intended_use
        Lines for the user.
    licence, licence_note
        Name of the terms, and what has to be said about them.
    sources
        Where its file comes from, in the order to try.
    architecture
        Numbers to build the network from; None for a family that keeps them with its weights.
    parameters_million
        Size of the network, for the table.
    """

    name: str
    family: Family
    title: str
    licence: str
    licence_note: str
    intended_use: str
    sources: tuple[Source, ...]
    architecture: Architecture | None = None
    parameters_million: float | None = None

    @property
    def licence_text(self) -> str:
        """What the user consents to; equal texts are asked for once."""
        return f"{self.licence}\n{self.licence_note.strip()}"

    @property
    def local(self) -> bool:
        """Whether nothing has to be fetched."""
        return all(source.kind in ("shipped", "file") for source in self.sources)


def load(extra: Iterable[Path] = ()) -> dict[str, ModelEntry]:
    """Read all registries.

    Parameters
    ----------
    extra
        More TOML files, read last.

    Returns
    -------
    dict
        Entries by name, in the order of the files.

    Raises
    ------
    InputError
        A file of the user's cannot be read, or names a model twice. A broken entry point only warns.
    """
    architectures: dict[str, dict[str, Any]] = {}
    entries: dict[str, ModelEntry] = {}
    own = paths.state_folder() / "models.toml"
    for path in [paths.shipped("models/registry.toml"), *([own] if own.exists() else []), *extra]:
        _add(path, architectures, entries)
    for point in entry_points(group=GROUP):
        # another package's mistake must not take the user's models away
        try:
            given = point.load()
            _add(Path(given() if callable(given) else given), architectures, entries)
        except Exception as error:
            warnings.warn(f"Models of {point.value!r} were skipped: {error}", VostWarning, stacklevel=2)
    return entries


def find(name: str, extra: Iterable[Path] = ()) -> ModelEntry:
    """The entry of a name.

    Raises
    ------
    UnknownName
        No registry has it; the message names the nearest one that does.
    """
    entries = load(extra)
    if name not in entries:
        raise UnknownName("model", name, entries)
    return entries[name]


def _add(path: Path, architectures: dict[str, dict[str, Any]], entries: dict[str, ModelEntry]) -> None:
    """Read one TOML file into both tables."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The model registry {path} cannot be read ({error}): correct or remove it.") from error
    try:
        _known(table, ("architectures", "models"), "the file")
        found = {**architectures, **_tables(table.get("architectures", {}), "architectures")}
        models = table.get("models", [])
        if not isinstance(models, list):
            raise InputError("expected a list [[models]]")
        new = [_entry(model, found, path.parent) for model in models]
        taken = [*entries]
        for entry in new:
            if entry.name in taken:
                raise InputError(f"the name {entry.name!r} is already taken")
            taken.append(entry.name)
    except VostError as error:
        reason = str(error).rstrip(".")
        raise InputError(f"The model registry {path} is not usable: {reason}; correct or remove it.") from error
    architectures.update(found)
    entries.update({entry.name: entry for entry in new})


def _entry(given: object, architectures: Mapping[str, dict[str, Any]], folder: Path) -> ModelEntry:
    """One ``[[models]]`` table."""
    if not isinstance(given, dict):
        raise InputError("each of [[models]] must be a table")
    table = dict(given)
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(f"a model's name must be lower-case letters, digits and . _ + -, got {name!r}")
    where = f"model {name!r}"
    sources = table.pop("sources", None)
    if not isinstance(sources, list) or not sources:
        raise InputError(f"{where} needs at least one [[models.sources]]")
    table["sources"] = tuple(_source(source, folder, where) for source in sources)
    table["architecture"] = _architecture(table.pop("architecture", None), table.pop("input_size", None), architectures)
    entry = _build(ModelEntry, table, where)
    if entry.family == "sam2" and entry.architecture is None:
        raise InputError(f"{where}: the family 'sam2' needs an architecture and an input_size")
    return entry


def _source(given: object, folder: Path, where: str) -> Source:
    """One ``[[models.sources]]`` table."""
    if not isinstance(given, dict):
        raise InputError(f"{where}: each of [[models.sources]] must be a table")
    source = _build(Source, given, f"a source of {where}")
    if source.kind == "file":
        source = replace(source, file=str(folder / Path(source.file).expanduser()))
    elif not source.file_name or ".." in Path(source.file).parts or Path(source.file).is_absolute():
        raise InputError(f"{where}: {source.file!r} must be a plain relative path")
    if source.sha256 is not None and not _SHA256.fullmatch(source.sha256):
        raise InputError(f"{where}: sha256 must be 64 lower-case hexadecimal digits, got {source.sha256!r}")
    if source.kind == "hub" and not source.repository:
        raise InputError(f"{where}: a source of kind 'hub' needs a repository")
    if source.kind == "url":
        secure = source.url is not None and source.url.startswith("https://")
        plain = source.url is not None and source.url.startswith("http://") and source.sha256 is not None
        if not (secure or plain):
            raise InputError(f"{where}: a url must begin with https://, or with http:// and come with its sha256")
    return source


def _architecture(name: object, input_size: object, architectures: Mapping[str, dict[str, Any]]) -> Architecture | None:
    """The named architecture at an input size."""
    if name is None:
        return None
    if not isinstance(name, str) or name not in architectures:
        raise UnknownName("architecture", str(name), architectures)
    if not isinstance(input_size, int) or input_size <= 0 or input_size % 32:
        raise InputError(f"input_size must be a positive multiple of 32, got {input_size!r}")
    table = {key: tuple(value) if isinstance(value, list) else value for key, value in architectures[name].items()}
    result = _build(Architecture, {**table, "input_size": input_size}, f"architecture {name!r}")
    four = (len(result.stages), len(result.windows), len(result.neck_channels))
    if four != (4, 4, 4) or len(result.background) != 2:
        raise InputError(f"architecture {name!r} must have 4 stages, windows and neck_channels, and 2 of background")
    return result


_TYPES: dict[str, Callable[[object], bool]] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "Family": lambda value: value in ("sam2", "nano"),
    "SourceKind": lambda value: value in ("url", "hub", "file", "shipped"),
    "Architecture": lambda value: isinstance(value, Architecture),
    "tuple[Source, ...]": lambda value: isinstance(value, tuple),
    "None": lambda value: value is None,
    "tuple[int, ...]": lambda value: isinstance(value, tuple) and all(isinstance(item, int) for item in value),
}


def _build(kind: type[_T], table: Mapping[str, Any], where: str) -> _T:
    """A frozen dataclass from a TOML table, refusing unknown keys, missing keys and wrong types."""
    wanted = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]  # callers give dataclasses
    _known(table, wanted, where)
    missing = [name for name, item in wanted.items() if item.default is MISSING and name not in table]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}")
    for key, value in table.items():
        types = str(wanted[key].type).split(" | ")
        if not any(_TYPES[name](value) for name in types):
            words = " or ".join(_WORDS.get(name, name) for name in types if name != "None")
            raise InputError(f"{where}: {key} must be {words}, got {value!r}")
    return kind(**table)


_WORDS = {"Family": "'sam2' or 'nano'", "SourceKind": "'url', 'hub', 'file' or 'shipped'", "str": "a text"}


def _known(table: Mapping[str, object], names: Iterable[str], where: str) -> None:
    """Refuse a key that nobody reads: a misspelt sha256 must not pass for none."""
    for key in table:
        if key not in set(names):
            raise UnknownName(f"key in {where}", key, names)


def _tables(given: object, name: str) -> dict[str, dict[str, Any]]:
    """A table of tables."""
    if not isinstance(given, dict) or not all(isinstance(value, dict) for value in given.values()):
        raise InputError(f"[{name}] must hold tables")
    return given
