"""``napari-vost replay``: a saved session in, its masks in files."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_vost.cli.common import add_result_options, check_targets, write_results


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``replay`` to the command line."""
    parser = subparsers.add_parser("replay", help="write the masks of a saved session", description=__doc__)
    parser.add_argument("case", type=Path, metavar="CASE.vost")
    add_result_options(parser)
    parser.add_argument(
        "--source", type=Path, metavar="PATH", help="where the scan is now, if it has moved: itself, or a folder"
    )
    parser.add_argument("--again", action="store_true", help="follow everything again from the prompts")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Open the session with its scan and write what it holds."""
    from napari_vost.cli.segment import follow
    from napari_vost.session import Session

    session = Session.load(args.case, args.source, args.device)
    check_targets(args.out, session.clip, args.reference, [], [args.case])
    if args.again:
        follow(session, "both", None)
    write_results(session, args)
    return 0
