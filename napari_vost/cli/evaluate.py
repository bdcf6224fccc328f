"""``napari-vost eval``: how well a model follows the labelled structures of a folder, beside copying the prompt."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_vost.cli.common import add_engine_options, ask_consent
from napari_vost.errors import ExportError

if TYPE_CHECKING:
    from rich.console import Console

    from napari_vost.benchmark.quality import Report

_SHOWN = ("structure", "cases", "score", "followed [95 %]", "copied", "gain [95 %]", "leak")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``eval`` to the command line."""
    parser = subparsers.add_parser("eval", help="score a model on a labelled folder", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="labelled data, in one of the layouts")
    parser.add_argument("--layout", required=True, metavar="NAME", help="how the folder is laid out, such as acdc")
    parser.add_argument("--prompt", required=True, choices=("point", "box", "mask"), help="made of the truth")
    parser.add_argument("--out", required=True, type=Path, metavar="TABLE.json", help="where the numbers go")
    parser.add_argument("--limit", type=int, metavar="N", help="score only the first N cases")
    add_engine_options(parser)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code 0.

    Raises
    ------
    VostError
        An unknown name, a folder that does not fit its layout, weights that are missing, or a table that cannot be
        written.
    """
    from rich.console import Console

    from napari_vost.benchmark.quality import evaluate
    from napari_vost.benchmark.table import quality_facts, write_json
    from napari_vost.datasets import find_layout
    from napari_vost.engine import EngineOptions, check_names

    layout = find_layout(args.layout)
    options = EngineOptions(
        adapter=args.adapter,
        memory=args.memory,
        motion=args.motion,
        device=args.device,
        region=args.region,
        window=args.window,
        consent=ask_consent,
    )
    check_names(options)
    _check_out(args.out)
    with Console(stderr=True).status(f"{layout.title}: reading") as status:
        report = evaluate(
            layout,
            args.folder,
            args.prompt,
            args.model,
            args.limit,
            options,
            lambda name: status.update(f"{layout.title}: {name}"),
        )
    write_json(quality_facts(report), args.out)
    _show(report, Console(file=sys.stdout))
    sys.stdout.write(f"{args.out}\n")
    return 0


def _check_out(path: Path) -> None:
    """Refuse a place that cannot be written before anything slow is done."""
    if path.suffix.lower() != ".json":
        raise ExportError(f"The table is JSON: give --out a name that ends in .json, not {path.name!r}.")
    if not path.resolve().parent.is_dir():
        raise ExportError(f"Cannot write {path}: the folder {path.resolve().parent} does not exist; create it first.")


def _show(report: Report, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from napari_vost.benchmark.table import QUALITY_HEAD, quality_facts, quality_rows

    shown = [QUALITY_HEAD.index(word) for word in _SHOWN]
    console.print(
        Text(f"{report.folder}, {report.model} ({report.fingerprint[:8]}) on {report.device}, {report.seconds:.0f} s")
    )
    table = Table(box=None, pad_edge=False)
    for title in _SHOWN:
        table.add_column(Text(title), overflow="fold", no_wrap=title == "structure")
    for row in quality_rows(quality_facts(report)):
        table.add_row(*(Text(row[column]) for column in shown))
    console.print(table)
