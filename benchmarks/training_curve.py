"""Draw validation curves of training runs beside the copy lines: ``training_curve.py runs/a runs/b``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

COLOURS = {"real": "#0072B2", "endings": "#D55E00", "synthetic": "#009E73"}
NAMES = {"real": "real clips, held out", "endings": "real endings, held out", "synthetic": "synthetic clips"}


def main() -> None:
    """Read ``curve.json`` of the runs and write the picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of the runs, one after the other")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/training.png"))
    given = parser.parse_args()
    curves = [json.loads((run / "curve.json").read_text()) for run in given.runs]
    figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=120)
    begun = 0.0
    for number, points in enumerate(curves):
        if number:
            axes.axvline(begun, color="grey", linewidth=0.8)
        for name, colour in COLOURS.items():
            rows = [point for point in points if name in point]
            minutes = [begun + point["minutes"] for point in rows]
            label = None if number else NAMES[name]
            axes.plot(minutes, [point[name] for point in rows], "o-", color=colour, label=label)
            axes.plot(minutes, [point[f"{name}_copied"] for point in rows], ":", color=colour)
            axes.plot(minutes, [point[f"{name}_previous"] for point in rows], "--", color=colour, alpha=0.4)
        begun += points[-1]["minutes"]
    axes.set_xlabel("minutes of training")
    axes.set_ylabel("mean Dice of the frames after a mask")
    axes.set_title(
        "vost-nano: network (lines), copied prompt (dotted), true mask of the frame before (dashed)", fontsize=9
    )
    axes.legend(loc="lower right", fontsize=8)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(given.out)


if __name__ == "__main__":
    main()
