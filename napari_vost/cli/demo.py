"""``napari-vost demo``: the main job on a sample scan and a sample cine, with numbers against their known truth."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.cli.common import progress_bar

if TYPE_CHECKING:
    from napari_vost.clip import Clip
    from napari_vost.session import Session

CASES = ("abdomen", "ventricle")
CLICKED = ("Left kidney", "Right kidney", "Aorta")  # these get one click, all others one box


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``demo`` to the command line."""
    parser = subparsers.add_parser("demo", help="segment a sample scan and a sample cine", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--model", default="vost-nano", help="a name of `napari-vost models list` (default: %(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Segment both samples from one click or box per object, write everything, compare with the truth."""
    from napari_vost.errors import ExportError
    from napari_vost.paths import shipped

    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"Cannot make the folder {args.out}: {error.strerror}; choose another with --out.") from error
    samples = shipped("sample_data")
    truth = json.loads((samples / "truth.json").read_text())
    started = time.perf_counter()
    rows: list[dict[str, Any]] = []
    for case in CASES:
        rows += segment_sample(samples, truth[case], case, args)
    write_table(rows, args.out, time.perf_counter() - started)
    return 0


def segment_sample(samples: Path, facts: dict[str, Any], case: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Segment one sample and write its files; one row of numbers per object."""
    from napari_vost.benchmark.sheet import overlay_sheet
    from napari_vost.engine import EngineOptions
    from napari_vost.io.exporters import export
    from napari_vost.io.readers import open_clip
    from napari_vost.label_map import from_label_map
    from napari_vost.session import Session
    from napari_vost.types import Code, Label

    clip = open_clip(samples / facts["dicom"])
    session = Session(clip, args.model, device=args.device, options=EngineOptions())
    started = time.perf_counter()
    for one in facts["objects"]:
        object_id = one["object_id"]
        session.labels[object_id] = Label(one["name"], Code(**one["category"]), Code(**one["code"]))
        if one["name"] in CLICKED:
            frame, y, x = one["click"]
            session.add_point(frame, (y, x), object_id)
        else:
            frame, *box = one["box"]
            session.add_box(frame, tuple(box), object_id)
    with progress_bar(case, len(clip)) as advance:
        seen: set[int] = set()
        for result in session.propagate():
            if result.frame_index not in seen:
                seen.add(result.frame_index)
                advance()
    seconds = time.perf_counter() - started
    for suffix in (".nii.gz", ".dcm"):
        for notice in export(session, args.out / f"{case}{suffix}"):
            sys.stderr.write(f"note: {case}{suffix}: {notice}\n")
    session.save(args.out / f"{case}.vost")
    labels = read_truth(samples / facts["labels"], clip)
    overlay_sheet(clip, session.segmentation(), args.out / f"{case}.png", from_label_map(labels, clip))
    return score(session, labels, facts, case, seconds)


def read_truth(path: Path, clip: Clip) -> NDArray[np.int64]:
    """Known label map (T, H, W) of a sample."""
    from napari_vost.io.label_files import read_labels

    if path.suffix == ".npz":
        with np.load(path) as stored:
            return np.asarray(stored["labels"], dtype=np.int64)
    return read_labels(path, clip, resample=True)


def score(
    session: Session, labels: NDArray[np.int64], facts: dict[str, Any], case: str, seconds: float
) -> list[dict[str, Any]]:
    """Dice of every object over the whole clip, its prompted frame left out."""
    from napari_vost.metrics.overlap import dice

    segmentation = session.segmentation()
    rows = []
    for one in facts["objects"]:
        object_id = one["object_id"]
        prompt = "click" if one["name"] in CLICKED else "box"
        prompted = one[prompt][0]
        others = np.arange(len(labels)) != prompted
        found = segmentation.volume(object_id)[others]
        rows.append(
            {
                "sample": case,
                "object": one["name"],
                "prompt": f"one {prompt}",
                "dice": round(dice(found, labels[others] == object_id), 3),
                "frames": len(labels),
                "ms_per_frame": round(1000 * seconds / len(labels), 1),
            }
        )
    return rows


def write_table(rows: list[dict[str, Any]], out: Path, seconds: float) -> None:
    """Print the table and write it beside the masks as JSON; say where everything is."""
    from rich.console import Console
    from rich.table import Table

    from napari_vost.io.atomic import atomic_file

    table = Table(title="Against the known truth of the samples (prompted frame left out)")
    for column in ("sample", "object", "prompt", "Dice", "ms per frame, all objects"):
        table.add_column(column, justify="right" if column[0] in "Dm" else "left")
    for row in rows:
        table.add_row(row["sample"], row["object"], row["prompt"], f"{row['dice']:.3f}", f"{row['ms_per_frame']:.0f}")
    console = Console(file=sys.stdout)
    console.print(table)
    with atomic_file(out / "table.json") as temporary:
        temporary.write_text(json.dumps(rows, indent=1) + "\n")
    console.print(f"Done in {seconds:.0f} s. In {out.resolve()}:", soft_wrap=True)
    for case in CASES:
        console.print(
            f"  {case}.nii.gz {case}.dcm (masks)  {case}.png (picture)  {case}.vost (session)", soft_wrap=True
        )
    console.print("  table.json", soft_wrap=True)
