"""``napari-vost info``: what a path holds, as the reader sees it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_vost.io.readers.description import SeriesDescription


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``info`` to the command line."""
    parser = subparsers.add_parser("info", help="what a file or folder holds", description=__doc__)
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Describe a path; never prints names, numbers or dates of a patient."""
    from napari_vost.io.readers import describe

    found = describe(args.path)
    if args.json:
        sys.stdout.write(json.dumps(found.as_dict(), indent=1) + "\n")
        return 0
    lines = [f"{found.path}: {found.kind}" + (f", {found.modality}" if found.modality else "")]
    for one in found.series:
        lines += [
            f"  {one.number}  {one.path}: {_line(one)}" if len(found.series) > 1 else f"  {one.number}  {_line(one)}"
        ]
        lines += [f"     choose {choice}" for choice in one.choices]
        lines += [f"     note: {notice}" for notice in one.notices]
        if one.problem:
            lines += [f"     cannot be opened: {one.problem}"]
    lines += [f"  -  {one.what} {one.path}: {one.advice}" for one in found.without_pixels]
    lines += [f"  note: {notice}" for notice in found.notices]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _line(one: SeriesDescription) -> str:
    """The facts of one series in one line."""
    size = f"{one.frames} x {one.height} x {one.width}" + (" colour" if one.colour else "")
    parts = [one.kind + (f" {one.modality}" if one.modality else ""), size]
    if one.label:
        parts.append(one.label)
    if one.order is not None:
        parts.append("slices" if one.order == "depth" else "cine")
    if one.time_points is not None:
        parts.append(f"4D: {one.time_points} time points of {one.slices} slices")
    if one.spacing_mm_zyx is not None:
        parts.append("{:.4g} x {:.4g} x {:.4g} mm".format(*one.spacing_mm_zyx))
    else:
        parts.append("no spacing in the file")
    parts.append(f"axes {one.orientation}" if one.orientation else "orientation unknown")
    if one.tilt_deg > 0.1:
        parts.append(f"tilted {one.tilt_deg:.1f} degrees")
    if one.frame_time_s is not None:
        parts.append(f"{1000 * one.frame_time_s:.4g} ms per frame")
    if one.heart_rate_hz is not None:
        parts.append(f"{60 * one.heart_rate_hz:.0f} beats per minute")
    if one.transfer_syntax:
        parts.append(one.transfer_syntax)
    return ", ".join(parts)
