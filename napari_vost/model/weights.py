"""Weights on disk: fetched on consent, checked before every use.

What is known of a file's hash comes from the registry (two independent parties publish it) or, where nobody else
confirms it, from the host at the first fetch. The latter is recorded next to the file, said to be unverified, and
compared with from then on.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from napari_vost import paths
from napari_vost.errors import InputError, VostWarning, WeightsError
from napari_vost.model.download import Progress, Published, Unreachable, download, published
from napari_vost.model.registry import ModelEntry, Source

Consent = Callable[[str], bool]
"""Shown the licence text; says whether the user accepts."""

_ORIGINS = {"host": "as published by the host", "first seen": "of the file first seen"}
HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Record:
    """What is known of a file whose hash no second source confirms.

    Attributes
    ----------
    sha256, size_bytes
        Of the file.
    origin
        Who said so: the host, or nobody (``"first seen"``: it is the hash of what arrived).
    url
        Where it came from, empty for a file put there by hand.
    commit
        Commit of the hub that it was pinned to.
    date
        Day of the record, ISO 8601.
    """

    sha256: str
    size_bytes: int
    origin: Literal["host", "first seen"]
    url: str = ""
    commit: str | None = None
    date: str = ""


def fetch(
    entry: ModelEntry,
    *,
    consent: Consent,
    progress: Progress | None = None,
    cache: Path | None = None,
    base_urls: Mapping[str, str] | None = None,
) -> Path:
    """Path of an entry's weights, fetched if they are not there.

    Parameters
    ----------
    entry
        From the registry.
    consent
        Asked once per licence text, before anything is fetched or used; the answer is kept in the state folder.
    progress
        Told bytes done and in all; what it raises stops the download, and the next call goes on from there.
    cache
        Folder to use in place of the user's.
    base_urls
        Beginnings of addresses to replace, ``{"https://huggingface.co": "https://mirror.example"}``; the variable
        ``HF_ENDPOINT`` does the same for the hub.

    Returns
    -------
    Path
        The checked file, or the folder of a shipped model.

    Raises
    ------
    WeightsError
        The licence was declined, the file cannot be had, or it is not the one that was expected.
    """
    if entry.local:
        return _local(entry)
    _consent(entry, consent)
    present = installed(entry, cache)
    if present is not None:
        verify(entry, present)
        return present
    reasons = []
    for source in entry.sources:
        target = _folder(entry, cache) / source.file_name
        if _offline():
            reasons.append("HF_HUB_OFFLINE is set")
            break
        try:
            return _fetch(entry, source, target, progress, base_urls or {})
        except Unreachable as error:
            reasons.append(str(error))
    raise WeightsError(_by_hand(entry, cache, "; ".join(reasons)))


def installed(entry: ModelEntry, cache: Path | None = None) -> Path | None:
    """Path of an entry's weights if they are on this machine, not checked; None if they are not."""
    if entry.local:
        try:
            return _local(entry)
        except WeightsError:
            return None
    for source in entry.sources:
        path = _folder(entry, cache) / source.file_name
        if path.is_file():
            return path
    return None


def verify(entry: ModelEntry, path: Path) -> str:
    """Compare a file with what is known of it; returns its SHA-256.

    A file of which nothing is known (put there by hand, no hash in the registry) is recorded as first seen, with a
    warning. A file or folder of the user's own or of the package needs no record.

    Raises
    ------
    WeightsError
        The file cannot be read, or differs; in the cache it is left as it is, since it may be the user's only copy.
    """
    if path.is_dir():
        return ""
    digest = _hash(path)
    known, origin = expected_hash(entry, path)
    if known is None:
        if not entry.local:
            record = Record(digest, path.stat().st_size, "first seen", date=_today())
            with contextlib.suppress(OSError):  # a read-only folder: said again next time
                _write(_record_path(path), asdict(record))
            _warn_unverified(path, record)
        return digest
    if digest != known:
        raise WeightsError(
            f"{path} is not the file of {entry.name}: expected sha256 {known} ({origin}), got {digest}; remove it and "
            f"fetch again (napari-vost models get {entry.name})."
        )
    return digest


def expected_hash(entry: ModelEntry, path: Path) -> tuple[str | None, str]:
    """The hash that a file must have, and who says so; ``(None, "")`` where nobody does."""
    for source in entry.sources:
        if source.file_name == path.name and source.sha256:
            return source.sha256, "registry"
    record = read_record(path)
    return (record.sha256, f"recorded {record.date}, {_ORIGINS[record.origin]}") if record else (None, "")


def read_record(path: Path) -> Record | None:
    """The record beside a file, None where there is none.

    Raises
    ------
    WeightsError
        The record is damaged.
    """
    try:
        return Record(**json.loads(_record_path(path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(
            f"{_record_path(path)} cannot be read ({error}): remove it together with {path.name} and fetch again."
        ) from error


def accepted(licence_text: str) -> bool:
    """Whether the user has accepted this text before."""
    return _digest(licence_text) in _consents()


def _consent(entry: ModelEntry, consent: Consent) -> None:
    """Ask once per licence text."""
    text = entry.licence_text
    if accepted(text):
        return
    if not consent(text):
        raise WeightsError(
            f"The licence of {entry.name} was not accepted, so its weights are not used: accept it with 'napari-vost "
            f"models get {entry.name}', or take vost-nano, which ships with napari-vost."
        )
    table = {**_consents(), _digest(text): {"licence": entry.licence, "model": entry.name, "date": _today()}}
    path = paths.state_folder() / "consents.json"
    try:
        _write(path, table)
    except OSError as error:
        warnings.warn(
            f"The consent could not be kept in {path} ({error.strerror or error}); it will be asked for again.",
            VostWarning,
            stacklevel=3,
        )


def _consents() -> dict[str, object]:
    try:
        table = json.loads((paths.state_folder() / "consents.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # unreadable consents are no consents: the user is asked again
    return table if isinstance(table, dict) else {}


def _fetch(
    entry: ModelEntry, source: Source, target: Path, progress: Progress | None, base_urls: Mapping[str, str]
) -> Path:
    """Fetch one source, check it and move it to its name."""
    earlier = None if source.sha256 else read_record(target)
    url, said = _address(source, earlier, base_urls)
    sayings = ((source.sha256, "registry"), (earlier and earlier.sha256, "recorded earlier"), (said.sha256, "host"))
    expected, origin = next(((sha256, who) for sha256, who in sayings if sha256), (None, ""))
    part = download(url, target, size_bytes=source.size_bytes or said.size_bytes, progress=progress)
    digest, size = _hash(part), part.stat().st_size
    if expected is not None and digest != expected:
        part.unlink()
        raise WeightsError(
            f"{url} is not the file of {entry.name}: expected sha256 {expected} ({origin}), got {digest}; it was "
            "removed, fetch it again, and if that fails too do not use this source."
        )
    record = None
    if source.sha256 is None and earlier is None:
        record = Record(digest, size, "host" if said.sha256 else "first seen", url, said.commit, _today())
    try:
        if record is not None:
            _write(_record_path(target), asdict(record))
        os.replace(part, target)
    except OSError as error:
        raise WeightsError(
            f"{target} cannot be written ({error.strerror or error}): set NAPARI_VOST_CACHE to a folder that can be."
        ) from error
    if record is not None:
        _warn_unverified(target, record)
    return target


def _address(source: Source, earlier: Record | None, base_urls: Mapping[str, str]) -> tuple[str, Published]:
    """Where to fetch a source, pinned to a commit where there is one, and what its host says of it."""
    if source.kind == "url":
        return _rebased(source.url or "", base_urls), Published()
    bases = {HUB: os.environ.get("HF_ENDPOINT", HUB).rstrip("/"), **base_urls}
    root = _rebased(f"{HUB}/{source.repository}/resolve", bases)
    revision = (earlier.commit if earlier else None) or source.revision
    said = published(f"{root}/{revision}/{source.file}")
    if re.fullmatch(r"[0-9a-f]{40}", revision) and said.commit not in (None, revision):
        raise WeightsError(
            f"{source.repository} answered with commit {said.commit} where {revision} was asked for: the repository "
            "was rewritten, do not use it before its owner explains."
        )
    return f"{root}/{said.commit or revision}/{source.file}", said


def _rebased(url: str, bases: Mapping[str, str]) -> str:
    for old, new in bases.items():
        if url.startswith(old):
            return new + url[len(old) :]
    return url


def _local(entry: ModelEntry) -> Path:
    """A shipped folder, or the user's own file, checked."""
    source = entry.sources[0]
    for source in entry.sources:
        path = Path(source.file)
        if source.kind == "shipped":
            try:
                path = paths.shipped(f"models/{source.file}")
            except InputError:
                continue
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            verify(entry, path)
            return path
    advice = "reinstall napari-vost" if source.kind == "shipped" else "correct its registry entry"
    raise WeightsError(f"The weights of {entry.name} are not there ({source.file}): {advice}.")


def _by_hand(entry: ModelEntry, cache: Path | None, reason: str) -> str:
    """One sentence: what failed, and how to do without the network."""
    source = entry.sources[0]
    origin = source.url or f"{HUB}/{source.repository}/resolve/{source.revision}/{source.file}"
    check = f"sha256 {source.sha256}" if source.sha256 else "its sha256 is not known in advance"
    return (
        f"The weights of {entry.name} could not be fetched ({reason}): check the network and try again, or fetch "
        f"{origin} elsewhere and put it at {_folder(entry, cache) / source.file_name} ({check})."
    )


def _folder(entry: ModelEntry, cache: Path | None) -> Path:
    return (cache if cache is not None else paths.cache_folder()) / "models" / entry.name


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").strip().lower() in ("1", "true", "yes", "on")


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror or error}): check its permissions.") from error


def _warn_unverified(path: Path, record: Record) -> None:
    """Say that no second source confirms a hash."""
    said = "its host publishes" if record.origin == "host" else "it had when first seen"
    warnings.warn(
        f"{path.name}: the sha256 that {said} ({record.sha256}) was recorded; it is not verified by a second source.",
        VostWarning,
        stacklevel=4,
    )


def _record_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _write(path: Path, table: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(table, indent=1), encoding="utf-8")
    os.replace(draft, path)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _today() -> str:
    return datetime.date.today().isoformat()
