"""Are corrective clicks obeyed? Simulated clicks on a labelled folder; how many the network obeys by itself.

    python benchmarks/corrections.py --data FOLDER [--limit CASES] [--clicks 5]

Every structure is clicked in its middle on the frame that its layout prompts. *Prompted frame*: then up to so many
times in the middle of the largest error there. *Followed frames*: it is followed instead, and every further click goes
to the frame that is worst by then and is followed too (see `napari_vost.metrics.interactive`). A click is obeyed when
its pixel ends on the side that was asked for: by the network alone, as it answers the clicks so far, and in the mask
that the session keeps, dabs included.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from napari_vost import Session
from napari_vost.benchmark.corrections import volumes
from napari_vost.benchmark.scores import prompt_from_truth
from napari_vost.benchmark.table import markdown
from napari_vost.contracts import Network
from napari_vost.datasets import find_layout
from napari_vost.datasets.base import Case
from napari_vost.errors import VostError
from napari_vost.masks import Mask
from napari_vost.metrics.interactive import Click, next_click, next_click_in_clip
from napari_vost.model.loading import load_network
from napari_vost.types import PointPrompt

HEAD = ("where", "click", "clicks", "network alone", "with dabs")
Heard = tuple[str, bool, bool, bool]  # where, whether it adds, obeyed by the network, obeyed in the end


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; the exit code is 1 where a click was not obeyed in the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("VOST_DATA"), help="folder of the data sets")
    parser.add_argument("--folder", default="acdc_ed_es/dev", help="below it (default: %(default)s)")
    parser.add_argument("--layout", default="acdc", help="of that folder (default: %(default)s)")
    parser.add_argument("--model", default="vost-nano", help="registry name (default: %(default)s)")
    parser.add_argument("--limit", type=int, help="most cases")
    parser.add_argument("--clicks", type=int, default=5, help="corrections per structure (default: %(default)s)")
    args = parser.parse_args(words)
    if args.data is None:
        parser.error("say where the data sets are: --data, or VOST_DATA")
    torch.set_num_threads(1)
    try:
        network, layout = load_network(args.model), find_layout(args.layout)
        heard: list[Heard] = []
        for number, case in enumerate(layout.cases(Path(args.data) / args.folder)):
            if number == args.limit:
                break
            sys.stderr.write(f"{case.name}\n")
            for name in case.structures:
                heard += [*on_one_frame(case, name, network, args.clicks), *in_clip(case, name, network, args.clicks)]
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print(markdown(HEAD, rows(heard)))
    return 0 if all(one[3] for one in heard) else 1


def on_one_frame(case: Case, structure: str, network: Network, clicks: int) -> Iterator[Heard]:
    """The first click on a structure, and corrections on the same frame."""
    frame, truth = case.prompted_frame(structure), case.truth(structure)
    if frame is None:
        return
    session, given = Session(case.clip, network), [_first(truth[frame], frame)]
    yield "first click", *_give(session, given[0])
    for _ in range(clicks):
        click = next_click(session.preview(frame)[1], truth[frame], clicked=given, frame_index=frame)
        if click is None:
            return
        given.append(click)
        yield "prompted frame", *_give(session, click)


def in_clip(case: Case, structure: str, network: Network, clicks: int) -> Iterator[Heard]:
    """Corrections of what was followed from one click, each followed before the next."""
    frame, truth = case.prompted_frame(structure), case.truth(structure)
    if frame is None:
        return
    session, given = Session(case.clip, network), [_first(truth[frame], frame)]
    _give(session, given[0])
    held = [one for one in case.known_frames if truth[one].any()]
    for _ in range(clicks):
        for _result in session.propagate():
            pass
        click = next_click_in_clip(volumes(session, {1: truth})[1], truth, held, given)
        if click is None:
            return
        given.append(click)
        yield "followed frames", *_give(session, click)


def _first(truth: Mask, frame: int) -> Click:
    point = prompt_from_truth("point", truth, frame, 1)
    if not isinstance(point, PointPrompt):
        raise TypeError(f"a point was asked for, got {point}")
    return Click(frame, int(point.y), int(point.x), True)


def _give(session: Session, click: Click) -> tuple[bool, bool, bool]:
    """Click; whether it adds, and whether it was obeyed by the network and in the end."""
    session.add_point(click.frame_index, (click.y, click.x), positive=click.positive)
    seeds = session._seeds.answer(session.engine, session.frame_view, 1, session.ledger.settings)  # answered already
    alone = session.prompts[-1] not in seeds[click.frame_index].refused
    in_the_end = bool(session.preview(click.frame_index)[1][click.y, click.x]) == click.positive
    return click.positive, alone, in_the_end


def rows(heard: Sequence[Heard]) -> list[list[str]]:
    """Counts and shares by where and kind, and of all corrections."""
    groups: dict[tuple[str, str], list[Heard]] = {}
    for one in heard:
        groups.setdefault((one[0], "adds" if one[1] else "takes away"), []).append(one)
        if one[0] != "first click":
            groups.setdefault(("all corrections", "both"), []).append(one)
    found = []
    for (where, kind), ones in sorted(groups.items(), key=lambda item: (item[0][0] == "all corrections", item[0])):
        counts = sum(one[2] for one in ones), sum(one[3] for one in ones)
        shares = [f"{count} ({100 * count / len(ones):.1f} %)" for count in counts]
        found.append([where, kind, str(len(ones)), *shares])
    return found


if __name__ == "__main__":
    sys.exit(main())
