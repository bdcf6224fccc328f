"""The speed tables of docs/speed.md; run it on a quiet machine.

python benchmarks/speed.py                          about two minutes on two cores
python benchmarks/speed.py --frames 8 --threads 1   other numbers; see --help
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from napari_vost.benchmark.table import (
    GROWTH_HEAD,
    SPEED_HEAD,
    USE_HEAD,
    growth_rows,
    markdown,
    replace_part,
    speed_rows,
    use_rows,
    write_json,
)
from napari_vost.cli.bench import add_arguments, measure
from napari_vost.errors import VostError

DOCS = Path(__file__).resolve().parents[1] / "docs"


def main(words: Sequence[str] | None = None) -> int:
    """Measure and write the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--threads", type=int, help="threads of torch; its own choice otherwise")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of speed.md and speed.json")
    args = parser.parse_args(words)
    if args.threads:
        torch.set_num_threads(args.threads)
    page = args.docs / "speed.md"
    try:
        text = page.read_text(encoding="utf-8")
        facts = measure(args, lambda line: print(line, flush=True))
        machine = "; ".join(f"{name} {value}" for name, value in facts["machine"].items())
        parts = ((SPEED_HEAD, speed_rows(facts)), (USE_HEAD, use_rows(facts)), (GROWTH_HEAD, growth_rows(facts)))
        tables = [markdown(head, rows) for head, rows in parts if rows]
        page.write_text(
            replace_part(text, "table", "\n".join([f"Measured on: {machine}.\n", *tables])), encoding="utf-8"
        )
        write_json(facts, args.docs / "speed.json")
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print("\n".join([*tables, *facts["notices"]]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
