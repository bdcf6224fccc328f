"""What commands that segment share: options of the engine, progress, licences, writing results."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_vost.errors import ExportError, VostError

if TYPE_CHECKING:
    from napari_vost.clip import Clip
    from napari_vost.session import Session


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Options that choose model, memory, motion and device."""
    group = parser.add_argument_group("engine")
    group.add_argument(
        "--model", default="vost-nano", help="a name of `napari-vost models list` (default: %(default)s)"
    )
    group.add_argument("--adapter", default=None, help="name of an adapter")
    group.add_argument("--memory", default="auto", help="memory policy (default: %(default)s)")
    group.add_argument("--motion", default="auto", help="motion prior (default: %(default)s)")
    group.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    group.add_argument("--region", default="auto", help="auto (a crop that follows the object) or full")
    group.add_argument(
        "--window",
        default="auto",
        help="CT window: abdomen, bone, brain, liver, lung, mediastinum; or --window=LOW:HIGH",
    )


def add_open_options(parser: argparse.ArgumentParser) -> None:
    """Options that choose a clip out of a source."""
    group = parser.add_argument_group("which clip")
    group.add_argument("--order", choices=("depth", "time"), default=None, help="read as slices or as a cine")
    group.add_argument("--axis", type=_axis, default=None, help="0, 1, 2, axial, coronal or sagittal")
    group.add_argument("--at", type=int, default=None, help="time point (depth) or slice (time) of a 4D source, from 0")
    group.add_argument("--series", default=None, help="series number or UID, as `napari-vost info` lists them")


def _axis(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def ask_consent(licence: str) -> bool:
    """Show a licence and ask; a program without a terminal declines."""
    sys.stderr.write(licence + "\n")
    if not sys.stdin.isatty():
        return False
    sys.stderr.write("Accept? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    """Progress on a terminal, with the time left; call the given ``advance()`` once per frame."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(title, total=total)

        def advance() -> None:
            progress.advance(task)

        yield advance


def check_targets(
    outs: list[str], clip: Clip, reference: Path | None, others: Sequence[Path | None], inputs: Sequence[Path]
) -> None:
    """Refuse targets that cannot be written before the long run, not after it.

    Parameters
    ----------
    outs
        Masks to write.
    clip
        The scan, which is never written over.
    reference
        DICOM series that a DICOM-SEG is to refer to.
    others
        Further files to write: session, report.
    inputs
        Further files that are read.

    Raises
    ------
    ExportError
        An unknown suffix, a missing or read-only folder, a file that is read, or DICOM-SEG of a clip that was not
        DICOM.
    """
    from napari_vost.io.exporters import exporter_for

    read = {path.resolve() for path in (*inputs, *clip.source.files, *([clip.source.path] if clip.source.path else []))}
    if reference is not None:
        read |= {path.resolve() for path in reference.rglob("*")}
    for text in outs:
        exporter_for(text)
    for text in [*outs, *(str(other) for other in others if other is not None)]:
        target = Path(text).resolve()
        if target in read:
            raise ExportError(f"Cannot write {text}: that file is read here; choose another name.")
        if not target.parent.is_dir():
            raise ExportError(f"Cannot write {text}: the folder {target.parent} does not exist.")
        if not os.access(target.parent, os.W_OK):
            raise ExportError(f"Cannot write {text}: the folder {target.parent} is read-only; choose another place.")
    if not clip.source.kind.startswith("dicom") and reference is None:
        for text in outs:
            if text.endswith(".dcm"):
                raise ExportError(
                    f"Cannot write {text}: DICOM-SEG of a scan that was not DICOM needs --reference DIR, "
                    "a DICOM series of the same geometry."
                )


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """Options that say what is written and how."""
    group = parser.add_argument_group("results")
    group.add_argument(
        "--out", metavar="FILE", action="append", required=True, help=".nii.gz .dcm .nrrd .mha, or folder/"
    )
    group.add_argument("--reference", type=Path, metavar="DIR", help="DICOM series that a DICOM-SEG is to refer to")
    group.add_argument("--fill-gap", action="store_true", help="put empty slices where the series lacks some")
    group.add_argument("--resample", action="store_true", help="nearest slice or label where grids cannot be the same")


def write_results(session: Session, args: argparse.Namespace) -> None:
    """Write every target of `add_result_options`; if one fails the others are still written and the session is kept."""
    from napari_vost.io.exporters import export

    ways = {"reference": args.reference, "fill_gap": args.fill_gap, "resample": args.resample}
    failures: list[str] = []
    for text in args.out:
        try:
            for notice in export(session, text, **ways):
                sys.stderr.write(f"note: {notice}\n")
            sys.stdout.write(f"{text}\n")
        except VostError as error:
            words = str(error).replace("fill_gap=True", "--fill-gap").replace("resample=True", "--resample")
            failures.append(words.replace("reference=", "--reference "))
    if failures:
        raise ExportError(" ".join([*failures, rescue(session)]))


def rescue(session: Session) -> str:
    """Save a session where the user can find it, under a name of its own; the sentence that says where."""
    from napari_vost.paths import state_folder

    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = next(path for n in itertools.count(1) if not (path := folder / f"rescued-{n:03d}.vost").exists())
        session.save(path)
    except (VostError, OSError):
        return "The masks could not be saved elsewhere either."
    return f"The masks are kept in {path}: write them with `napari-vost replay`."
