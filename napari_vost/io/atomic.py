"""Writing files so that there is either the whole new one or what was there before, never half of one."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_vost.errors import ExportError

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another disk",
    errno.EDQUOT: "your disk quota is used up; free some space or choose another disk",
    errno.EFBIG: "the file would be larger than this file system or account allows; choose another disk",
    errno.EROFS: "the disk is read-only; choose another place",
    errno.EACCES: "you have no permission to write there; choose another place",
    errno.EPERM: "you have no permission to write there; choose another place",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a temporary file beside ``path`` to write to; it becomes ``path`` when the block ends well.

    The temporary name ends as the target does, so that writers which look at the suffix agree. When the block or the
    last step fails, the temporary file is removed and an existing target stays as it was.

    Parameters
    ----------
    path
        The target file. A link is followed; the folder must exist.

    Raises
    ------
    ExportError
        No such folder, a target that is a folder or read-only, a full disk, or another refusal of the system.
    """
    target = _writable_target(path)
    if target.is_dir():
        raise ExportError(f"Cannot write {path}: a folder of that name exists; choose a file name.")
    with _into_place(path, target) as temporary:
        yield temporary
        _sync(temporary)
        os.replace(temporary, target)


@contextmanager
def atomic_folder(path: Path, replaceable: Callable[[Path], bool]) -> Iterator[Path]:
    """Give a temporary folder beside ``path`` to fill; it becomes ``path`` when the block ends well.

    Parameters
    ----------
    path
        The target folder; what holds it must exist.
    replaceable
        Says of each file of an existing target whether it may be lost. One that may not refuses the whole folder.

    Raises
    ------
    ExportError
        As `atomic_file`; and an existing target that is no folder, or that holds something that may not be lost.
    """
    target = _writable_target(path)
    if target.exists() and not target.is_dir():
        raise ExportError(f"Cannot write the folder {path}: a file of that name exists; choose another name.")
    with _into_place(path, target) as temporary:
        if target.is_dir() and not all(item.is_file() and replaceable(item) for item in target.iterdir()):
            raise ExportError(
                f"Cannot write into {path}: the folder holds other files; choose a new folder or an empty one."
            )
        temporary.mkdir()
        yield temporary
        for item in temporary.iterdir():
            _sync(item)
        _swap(temporary, target)


def _swap(new: Path, target: Path) -> None:
    """Put a folder where another one may be; the old one comes back if that fails."""
    if not target.exists():
        os.rename(new, target)
        return
    old = _beside(target)
    os.rename(target, old)
    try:
        os.rename(new, target)
    except OSError:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _into_place(path: Path, target: Path) -> Iterator[Path]:
    temporary = _beside(target)
    try:
        yield temporary
        _sync(target.parent)
    except OSError as error:
        detail = error.strerror or str(error) or type(error).__name__
        reason = _REASONS.get(error.errno or 0, f"the system says {detail!r}; choose another place")
        raise ExportError(f"Cannot write {path}: {reason}.") from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def _writable_target(path: Path) -> Path:
    """Follow links, and refuse what permission bits refuse (an administrator's account would write all the same)."""
    target = path.resolve()
    folder = target.parent
    if not folder.is_dir():
        raise ExportError(f"Cannot write {path}: the folder {folder} does not exist; create it first.")
    for place in (folder, target):
        if place.exists() and not (os.access(place, os.W_OK) and place.stat().st_mode & _WRITE_BITS):
            raise ExportError(f"Cannot write {path}: {place} is read-only; choose another place.")
    return target


_WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def _beside(target: Path) -> Path:
    suffix = "".join(target.suffixes[-2:])[-12:]
    return target.with_name(f".{uuid.uuid4().hex[:12]}{suffix}")


def _sync(path: Path) -> None:
    """Ask the system to bring a file, or on POSIX the entries of a folder, to the disk."""
    if path.is_dir():
        if os.name != "posix":
            return
        descriptor = os.open(path, os.O_RDONLY)
    else:
        descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
