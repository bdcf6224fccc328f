"""The quality tables of docs/quality.md: every labelled folder, prompt by prompt, each table kept as JSON.

    python benchmarks/quality.py --data FOLDER                    all jobs that are not done yet, then the page
    python benchmarks/quality.py --data FOLDER --only acdc-mask   some jobs
    python benchmarks/quality.py --page                           only the page, from the tables that are there
    python benchmarks/quality.py --data FOLDER --part train --limit 12 --weights runs/x/best --only acdc-mask
                                                                  to choose between weights, without touching dev

A job whose table was made by the same weights and with as many corrections is not run again (``--again`` runs it).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_vost.benchmark.quality import evaluate
from napari_vost.benchmark.table import (
    QUALITY_HEAD,
    SURFACE_HEAD,
    correction_head,
    correction_rows,
    markdown,
    quality_facts,
    quality_rows,
    replace_part,
    surface_rows,
    write_json,
)
from napari_vost.datasets import find_layout
from napari_vost.engine import EngineOptions
from napari_vost.errors import VostError
from napari_vost.model.loading import load_network
from napari_vost.model.nano import load_nano

DOCS = Path(__file__).resolve().parents[1] / "docs"
CLICKS = 3  # corrections, in the jobs that have them
JOBS = {  # name → layout, folder below --data, prompt, corrections
    "acdc-mask": ("acdc", "acdc_ed_es/dev", "mask", CLICKS),
    "acdc-box": ("acdc", "acdc_ed_es/dev", "box", CLICKS),
    "acdc-point": ("acdc", "acdc_ed_es/dev", "point", 0),
    "hippocampus-mask": ("hippocampus", "msd_hippocampus/dev", "mask", CLICKS),
    "hippocampus-box": ("hippocampus", "msd_hippocampus/dev", "box", 0),
    "acdc_cine-mask": ("acdc_cine", "acdc_cine4d/dev", "mask", 0),
    "ct_lesion-mask": ("ct_lesion", "ct_lesion_deeplesion/dev", "mask", 0),
    "ct_lesion-box": ("ct_lesion", "ct_lesion_deeplesion/dev", "box", CLICKS),
    "davis16-mask": ("davis16", "davis16/dev", "mask", CLICKS),
}


def main(words: Sequence[str] | None = None) -> int:
    """Run the jobs; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("VOST_DATA"), help="folder of the data sets")
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS), metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--model", default="vost-nano")
    parser.add_argument("--limit", type=int, help="cases per job: a try, of which nothing is kept")
    parser.add_argument("--part", choices=("dev", "train"), default="dev", help="train: a try, without corrections")
    parser.add_argument("--weights", type=Path, help="folder of vost-nano weights instead of the shipped ones: a try")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of quality.md and quality/MODEL/*.json")
    parser.add_argument("--again", action="store_true", help="also run what is done")
    parser.add_argument("--page", action="store_true", help="only write the page")
    args = parser.parse_args(words)
    tables = args.docs / "quality" / args.model
    args.kept = args.limit is None and args.part == "dev" and args.weights is None
    try:
        if not args.page:
            _run(args, tables)
        if args.kept:
            _write_page(tables, args.docs / "quality.md")
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _run(args: argparse.Namespace, tables: Path) -> None:
    if args.data is None:
        raise VostError("No data: give --data, the folder that holds acdc_ed_es, msd_hippocampus and the others.")
    if args.kept:
        tables.mkdir(parents=True, exist_ok=True)
    network = load_network(args.model) if args.weights is None else load_nano(args.weights)
    for name in args.only:
        layout, folder, prompt, clicks = JOBS[name]
        if args.part == "train":
            folder, clicks = folder.replace("/dev", "/train"), 0
        path = tables / f"{name}.json"
        done = _table(tables, name)
        if args.kept and not args.again and done is not None and done["fingerprint"] == network.fingerprint:
            print(f"{name}: done before")
            continue
        report = evaluate(
            find_layout(layout), args.data / folder, prompt, network, args.limit, EngineOptions(), None, clicks
        )
        facts = quality_facts(report)
        if args.kept:
            write_json(facts, path)
        print(f"{name}: {report.seconds:.0f} s")
        print("\n".join(_parts([facts]).values()), flush=True)


def _table(tables: Path, name: str) -> dict[str, Any] | None:
    """What a job found, None where it was not run, or not with the corrections that it has now."""
    path = tables / f"{name}.json"
    facts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return facts if facts.get("clicks") == JOBS[name][3] else None


def _parts(made: list[dict[str, Any]]) -> dict[str, str]:
    """Tables in Markdown by their place on the page."""
    parts = {
        "table": markdown(QUALITY_HEAD, [row for facts in made for row in quality_rows(facts)]),
        "distances": markdown(SURFACE_HEAD, [row for facts in made for row in surface_rows(facts)]),
    }
    corrected = [row for facts in made for row in correction_rows(facts)]
    return parts | ({"corrections": markdown(correction_head(CLICKS), corrected)} if corrected else {})


def _write_page(tables: Path, page: Path) -> None:
    made = [facts for name in JOBS if (facts := _table(tables, name)) is not None]
    if not made:
        raise VostError("No job is done yet, so there is no table to write: run without --page first.")
    weights = ", ".join(dict.fromkeys(f"{facts['model']} {facts['fingerprint'][:8]}" for facts in made))
    versions = ", ".join(dict.fromkeys(f"torch {facts['versions']['torch']}" for facts in made))
    text = page.read_text(encoding="utf-8")
    for name, body in _parts(made).items():
        head = f"Weights: {weights}; {versions}.\n\n" if name == "table" else ""
        text = replace_part(text, name, head + body)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
