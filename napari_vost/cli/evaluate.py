"""``napari-vost eval``: how well a model follows the labelled structures of a folder, beside copying the prompt.

Structures are prompted on one frame with their truth, followed, and with --clicks corrected by simulated clicks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_vost.cli.common import add_engine_options, ask_consent
from napari_vost.errors import ExportError

if TYPE_CHECKING:
    from rich.console import Console

    from napari_vost.benchmark.quality import Report

# In the file only: the same in all rows, or too much for a terminal.
_HIDDEN = ("data", "prompt", "other score", "prompted frame", "headline gain [95 %]")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``eval`` to the command line."""
    parser = subparsers.add_parser("eval", help="score a model on a labelled folder", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="labelled data, in one of the layouts")
    parser.add_argument("--layout", required=True, metavar="NAME", help="how the folder is laid out, such as acdc")
    parser.add_argument("--prompt", required=True, choices=("point", "box", "mask"), help="made of the truth")
    parser.add_argument("--out", required=True, type=Path, metavar="TABLE.json", help="where the numbers go")
    parser.add_argument("--limit", type=int, metavar="N", help="score only the first N cases")
    parser.add_argument(
        "--clicks",
        type=int,
        default=0,
        metavar="N",
        help="then correct: N times one click per structure where it is worst, each followed anew",
    )
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
            args.clicks,
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
    from rich.text import Text

    from napari_vost.benchmark import table

    console.print(
        Text(f"{report.folder}, {report.model} ({report.fingerprint[:8]}) on {report.device}, {report.seconds:.0f} s")
    )
    facts = table.quality_facts(report)
    _show_table(console, table.QUALITY_HEAD, table.quality_rows(facts))
    console.print()
    _show_table(console, table.SURFACE_HEAD, table.surface_rows(facts))
    if report.clicks:
        console.print(Text("\nMean Dice over all labelled frames, after simulated corrections"))
        _show_table(console, table.correction_head(report.clicks), table.correction_rows(facts))


def _show_table(console: Console, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    hidden = {column for column, title in enumerate(head) if title in _HIDDEN}
    hidden |= {column + 1 for column in hidden if head[column] == "other score"}  # what copying gives for it
    shown = [column for column in range(len(head)) if column not in hidden]
    table = Table(box=None, pad_edge=False)
    for column in shown:
        table.add_column(Text(head[column]), overflow="fold", no_wrap=head[column] == "structure")
    for row in rows:
        table.add_row(*(Text(row[column]) for column in shown))
    console.print(table)
