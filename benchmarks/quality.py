"""The quality tables of docs/quality.md: every labelled folder, prompt by prompt, each table kept as JSON.

    python benchmarks/quality.py --data FOLDER                    all jobs that are not done yet, then the page
    python benchmarks/quality.py --data FOLDER --only acdc-mask   some jobs
    python benchmarks/quality.py --page                           only the page, from the tables that are there

A job whose table was made by the same weights is not run again (``--again`` runs it).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from napari_vost.benchmark.quality import evaluate
from napari_vost.benchmark.table import QUALITY_HEAD, markdown, quality_facts, quality_rows, replace_part, write_json
from napari_vost.datasets import find_layout
from napari_vost.engine import EngineOptions
from napari_vost.errors import VostError
from napari_vost.model.loading import load_network

DOCS = Path(__file__).resolve().parents[1] / "docs"
JOBS = {  # name → layout, folder below --data, prompt
    "acdc-mask": ("acdc", "acdc_ed_es/dev", "mask"),
    "acdc-box": ("acdc", "acdc_ed_es/dev", "box"),
    "acdc-point": ("acdc", "acdc_ed_es/dev", "point"),
    "hippocampus-mask": ("hippocampus", "msd_hippocampus/dev", "mask"),
    "hippocampus-box": ("hippocampus", "msd_hippocampus/dev", "box"),
    "acdc_cine-mask": ("acdc_cine", "acdc_cine4d/dev", "mask"),
    "ct_lesion-mask": ("ct_lesion", "ct_lesion_deeplesion/dev", "mask"),
    "ct_lesion-box": ("ct_lesion", "ct_lesion_deeplesion/dev", "box"),
    "davis16-mask": ("davis16", "davis16/dev", "mask"),
}


def main(words: Sequence[str] | None = None) -> int:
    """Run the jobs; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("VOST_DATA"), help="folder of the data sets")
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS), metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--model", default="vost-nano")
    parser.add_argument("--limit", type=int, help="cases per job: a try, of which nothing is kept")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of quality.md and quality/MODEL/*.json")
    parser.add_argument("--again", action="store_true", help="also run what is done")
    parser.add_argument("--page", action="store_true", help="only write the page")
    args = parser.parse_args(words)
    tables = args.docs / "quality" / args.model
    try:
        if not args.page:
            _run(args, tables)
        if args.limit is None:
            _write_page(tables, args.docs / "quality.md")
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _run(args: argparse.Namespace, tables: Path) -> None:
    if args.data is None:
        raise VostError("No data: give --data, the folder that holds acdc_ed_es, msd_hippocampus and the others.")
    if args.limit is None:
        tables.mkdir(parents=True, exist_ok=True)
    network = load_network(args.model)
    for name in args.only:
        layout, folder, prompt = JOBS[name]
        path = tables / f"{name}.json"
        if args.limit is None and not args.again and _made_by(path) == network.fingerprint:
            print(f"{name}: done before")
            continue
        report = evaluate(find_layout(layout), args.data / folder, prompt, network, args.limit, EngineOptions())
        facts = quality_facts(report)
        if args.limit is None:
            write_json(facts, path)
        print(f"{name}: {report.seconds:.0f} s")
        print(markdown(QUALITY_HEAD, quality_rows(facts)), flush=True)


def _made_by(path: Path) -> str:
    """Fingerprint of the weights that made a table, "" where there is none."""
    return str(json.loads(path.read_text(encoding="utf-8"))["fingerprint"]) if path.exists() else ""


def _write_page(tables: Path, page: Path) -> None:
    made = [json.loads((tables / f"{name}.json").read_text()) for name in JOBS if (tables / f"{name}.json").exists()]
    rows = [row for facts in made for row in quality_rows(facts)]
    weights = ", ".join(dict.fromkeys(f"{facts['model']} {facts['fingerprint'][:8]}" for facts in made))
    versions = ", ".join(dict.fromkeys(f"torch {facts['versions']['torch']}" for facts in made))
    body = f"Weights: {weights}; {versions}.\n\n{markdown(QUALITY_HEAD, rows)}"
    page.write_text(replace_part(page.read_text(encoding="utf-8"), "table", body), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
