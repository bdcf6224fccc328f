"""One file over HTTP: resumed where it was cut, retried a few times, never half there under its own name."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_vost.errors import WeightsError

Progress = Callable[[int, int | None], None]
"""Called with bytes done and bytes in all (None where the server does not say); it may raise to stop."""

ATTEMPTS = 4
FIRST_WAIT_S = 0.5
TIMEOUT_S = (10.0, 60.0)
"""To connect, and between two pieces."""
MARGIN_BYTES = 64 << 20
"""Disk space to leave free."""
_PIECE = 1 << 16  # what a cut connection may lose
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class Unreachable(WeightsError):
    """A server that does not answer, or does not have the file: another source may."""


@dataclass(frozen=True)
class Published:
    """What a host says of a file before it is fetched; None where it says nothing."""

    sha256: str | None = None
    size_bytes: int | None = None
    commit: str | None = None


def published(url: str) -> Published:
    """Ask a model hub for the hash, size and commit of a file.

    The hub answers with a redirect to its storage and says so in the redirect's own headers: ``X-Linked-ETag`` (the
    SHA-256 of a large file), ``X-Linked-Size`` and ``X-Repo-Commit``. A storage address need not answer HEAD, so only
    redirects within the same host are followed.

    Raises
    ------
    Unreachable
        The host does not answer or does not have the file.
    """
    import requests
    from requests.compat import urljoin, urlparse

    host = urlparse(url).netloc
    headers: dict[str, str] = {}

    def ask() -> None:
        address = url
        for _ in range(5):
            answer = requests.head(
                address, timeout=TIMEOUT_S, allow_redirects=False, headers={"Accept-Encoding": "identity"}
            )
            _refuse_status(answer, url)
            for key, value in answer.headers.items():
                headers.setdefault(key.lower(), value)
            target = urljoin(address, answer.headers.get("Location", ""))
            if not answer.is_redirect or urlparse(target).netloc != host or "x-linked-etag" in headers:
                return
            address = target

    _retry(ask, url)
    tag = headers.get("x-linked-etag", headers.get("etag", "")).removeprefix("W/").strip('"')
    size = headers.get("x-linked-size", "")
    commit = headers.get("x-repo-commit", "")
    return Published(
        sha256=tag if re.fullmatch(r"[0-9a-f]{64}", tag) else None,
        size_bytes=int(size) if size.isdigit() else None,
        commit=commit if re.fullmatch(r"[0-9a-f]{40}", commit) else None,
    )


def download(url: str, target: Path, *, size_bytes: int | None = None, progress: Progress | None = None) -> Path:
    """Fetch a file into ``<target>.part``, going on from what an earlier call left there.

    Parameters
    ----------
    url
        Where from.
    target
        Where the caller means to put it, once checked.
    size_bytes
        Size that it must have, where known.
    progress
        Told after each piece.

    Returns
    -------
    Path
        The complete ``.part`` file. Renaming it is the caller's, after the check of its hash.

    Raises
    ------
    Unreachable
        The server does not answer, or does not have the file; what arrived stays for the next call.
    WeightsError
        The file has another size, or the disk is full or read-only.
    """
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _retry(lambda: _attempt(url, part, size_bytes, progress), url)
    except OSError as error:
        raise WeightsError(
            f"{part} cannot be written ({error.strerror or error}): free disk space, or set NAPARI_VOST_CACHE to a "
            "folder that can be written."
        ) from error
    forget_validator(part)
    return part


def forget_validator(part: Path) -> None:
    """Remove the note on which version of the file a ``.part`` belongs to."""
    _note(part).unlink(missing_ok=True)


class _Cut(Exception):
    """The connection ended before the file did."""


def _retry(action: Callable[[], None], url: str) -> None:
    """Run an action, again after passing trouble, with growing pauses."""
    import requests

    wait = FIRST_WAIT_S
    for attempt in range(1, ATTEMPTS + 1):
        try:
            action()
            return
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, _Cut) as error:
            if attempt == ATTEMPTS:
                raise Unreachable(f"{url}: {_reason(error)}, {ATTEMPTS} attempts") from error
        except requests.RequestException as error:
            raise Unreachable(f"{url}: {error}") from error
        time.sleep(wait)
        wait *= 2


def _reason(error: Exception) -> str:
    """Passing trouble in words."""
    import requests

    if isinstance(error, _Cut | requests.exceptions.ChunkedEncodingError):
        return str(error) if isinstance(error, _Cut) and error.args else "the connection was cut"
    return "no answer in time" if isinstance(error, requests.Timeout) else "no connection"


def _refuse_status(answer: Any, url: str) -> None:
    """Tell passing trouble from a plain no."""
    if answer.status_code in _PASSING:
        raise _Cut(f"the server answered {answer.status_code} {answer.reason}")
    if answer.status_code >= 400:
        raise Unreachable(f"{url}: the server answered {answer.status_code} {answer.reason}")


def _attempt(url: str, part: Path, size_bytes: int | None, progress: Progress | None) -> None:
    """One request: from where the part ends if the server agrees that it is the same file, else from the start."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    if size_bytes is not None and have == size_bytes:
        return
    validator = _read_validator(part, url)
    headers = {"Accept-Encoding": "identity"}
    if have and validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    with requests.get(url, headers=headers, timeout=TIMEOUT_S, stream=True) as answer:
        if answer.status_code == 416:  # nothing left to send, or not our version any more
            if answer.headers.get("Content-Range", "") == f"bytes */{have}" and size_bytes in (None, have):
                return
            part.unlink(missing_ok=True)
            raise _Cut
        _refuse_status(answer, url)
        start, total = _placed(answer.status_code, answer.headers, have)
        if size_bytes is not None and total is not None and total != size_bytes:
            raise WeightsError(f"{url} has {total} bytes, expected {size_bytes}: it is another file, nothing was kept.")
        total = total if total is not None else size_bytes
        _check_space(part.parent, total, start)
        _write_validator(part, url, answer.headers)
        done = _receive(answer, part, start, total, progress)
    if total is not None and done < total:
        raise _Cut
    if total is not None and done > total:
        part.unlink(missing_ok=True)
        raise WeightsError(f"{url} sent {done} bytes, expected {total}: it is another file, nothing was kept.")


def _placed(status: int, headers: Mapping[str, str], have: int) -> tuple[int, int | None]:
    """Where the answer begins in the file, and how long the file is."""
    if status == 206:
        match = _CONTENT_RANGE.match(headers.get("Content-Range", ""))
        if match is None or match[1] is None or int(match[1]) != have:
            raise _Cut
        return have, None if match[2] == "*" else int(match[2])
    length = headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _receive(answer: Any, part: Path, start: int, total: int | None, progress: Progress | None) -> int:
    """Write the body; return how long the part is then."""
    done = start
    with part.open("r+b" if start else "wb") as stream:
        stream.seek(start)
        for piece in answer.iter_content(_PIECE):
            stream.write(piece)
            done += len(piece)
            if progress is not None:
                progress(done, total)
        stream.flush()
        os.fsync(stream.fileno())
    return done


def _check_space(folder: Path, total: int | None, have: int) -> None:
    """Refuse before the disk is full rather than after."""
    free = shutil.disk_usage(folder).free
    if total is not None and free < total - have + MARGIN_BYTES:
        raise WeightsError(
            f"{folder} has {free / 1e6:.0f} MB free, {(total - have + MARGIN_BYTES) / 1e6:.0f} MB are needed: free "
            "disk space, or set NAPARI_VOST_CACHE to a folder on another disk."
        )


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_validator(part: Path, url: str) -> str | None:
    """The validator that the part was begun under, if it came from this address."""
    try:
        note = json.loads(_note(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note.get("validator") if isinstance(note, dict) and note.get("url") == url else None


def _write_validator(part: Path, url: str, headers: Mapping[str, str]) -> None:
    """Keep what ``If-Range`` takes: a strong ETag or a date (RFC 9110, section 13.1.5)."""
    tag = headers.get("ETag", "")
    validator = headers.get("Last-Modified") if not tag or tag.startswith("W/") else tag
    _note(part).write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")
