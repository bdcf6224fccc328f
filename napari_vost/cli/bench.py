"""``napari-vost bench``: milliseconds per frame on this machine, and what is kept while a clip goes on.

Three parts: ``nano``, the network that ships, as a session runs it; ``duel``, our engine and transformers' own
inference by turns on the same random weights of a published architecture; ``growth``, the bytes that both keep.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_vost.errors import InputError
from napari_vost.paths import shipped

if TYPE_CHECKING:
    from napari_vost.benchmark.speed import Growth, Line
    from napari_vost.benchmark.use import Use

PARTS = ("nano", "duel", "growth")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``bench`` to the command line."""
    parser = subparsers.add_parser("bench", help="measure the speed on this machine", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="for programs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is to be measured to a parser."""
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--model", default="sam2.1-tiny", metavar="NAME", help="architecture of duel and growth")
    parser.add_argument("--size", type=int, default=1024, metavar="PX", help="input side of the duel (1024)")
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 3], metavar="N", help="objects followed (1 3)")
    parser.add_argument("--frames", type=int, default=2, metavar="N", help="measured frames per engine in the duel (2)")
    parser.add_argument("--nano-frames", type=int, default=20, metavar="N", help="measured frames of vost-nano (20)")
    parser.add_argument("--growth-frames", type=int, default=48, metavar="N", help="frames tracked for growth (48)")
    parser.add_argument("--growth-size", type=int, default=256, metavar="PX", help="input side for growth (256)")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, mps")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code 0.

    Raises
    ------
    VostError
        An unknown model or device, or numbers that make no sense.
    """
    from rich.console import Console

    with Console(stderr=True).status("measuring") as status:
        facts = measure(args, lambda text: status.update(text))
    if args.json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    else:
        _show(facts, Console(file=sys.stdout))
    return 0


def measure(args: argparse.Namespace, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure what the arguments of `add_arguments` say.

    Parameters
    ----------
    args
        The arguments.
    progress
        Told what runs.

    Returns
    -------
    dict
        As `napari_vost.benchmark.table.speed_facts`, with ``notices`` about what could not be measured.
    """
    from napari_vost.benchmark.rival import random_model
    from napari_vost.benchmark.speed import growth, machine, side_by_side
    from napari_vost.benchmark.table import speed_facts
    from napari_vost.model.devices import pick_device

    _check(args)
    device = pick_device(args.device)
    lines: list[Line] = []
    uses: list[Use] = []
    grown: list[Growth] = []
    notices: list[str] = []
    if "nano" in args.parts:
        found, uses = _nano(args, progress, notices)
        lines += found
    if "duel" in args.parts:
        model = random_model(args.model, args.size, str(device))
        for objects in args.objects:
            progress(f"{args.model} at {args.size} px, objects: {objects}")
            lines += side_by_side(model, args.model, objects, args.frames)
    if "growth" in args.parts:
        progress(f"{args.model} at {args.growth_size} px, {args.growth_frames} frames")
        model = random_model(args.model, args.growth_size, str(device))
        grown += growth(model, args.model, 1, args.growth_frames)
    return {**speed_facts(lines, grown, machine(device), uses), "notices": notices}


def _nano(
    args: argparse.Namespace, progress: Callable[[str], None], notices: list[str]
) -> tuple[list[Line], list[Use]]:
    from napari_vost.benchmark.speed import steady
    from napari_vost.benchmark.use import in_use
    from napari_vost.errors import WeightsError
    from napari_vost.model.loading import load_network

    try:
        network = load_network("vost-nano", args.device)
    except (WeightsError, InputError) as problem:
        notices.append(f"vost-nano was not measured: {problem}")
        return [], []
    lines = []
    for objects in args.objects:
        progress(f"vost-nano, objects: {objects}")
        lines.append(steady(network, objects, args.nano_frames))
    progress("vost-nano on the sample scan")
    return lines, [in_use(network, shipped("sample_data"))]


def _check(args: argparse.Namespace) -> None:
    """Refuse numbers that make no sense before anything slow is done."""
    for name in ("frames", "nano_frames", "growth_frames"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name.replace('_', '-')} must be at least 1, got {getattr(args, name)}.")
    if min(args.objects) < 1:
        raise InputError(f"--objects must be at least 1, got {min(args.objects)}.")


def _show(facts: dict[str, Any], console: Any) -> None:
    from rich.table import Table
    from rich.text import Text

    from napari_vost.benchmark.table import GROWTH_HEAD, SPEED_HEAD, USE_HEAD, growth_rows, speed_rows, use_rows

    stages = len(SPEED_HEAD) - SPEED_HEAD.index("see")
    head = [*SPEED_HEAD[: -stages - 1], ", ".join(SPEED_HEAD[-stages:])]
    rows = [(*row[: -stages - 1], ", ".join(row[-stages:])) for row in speed_rows(facts)]
    for titles, cells in ((head, rows), (USE_HEAD, use_rows(facts)), (GROWTH_HEAD, growth_rows(facts))):
        if cells:
            table = Table(box=None, pad_edge=False)
            for title in titles:
                table.add_column(title, overflow="fold", no_wrap=title in ("weights", "engine"))
            for row in cells:
                table.add_row(*(Text(cell) for cell in row))
            console.print(table)
    said = [*(f"{name}: {value}" for name, value in facts["machine"].items()), *facts["notices"]]
    console.print(Text("\n".join(said)), soft_wrap=True)
