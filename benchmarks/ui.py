"""The table of docs/window-speed.md: a real napari window on this machine, no accelerator, beside two peers.

    xvfb-run -a -s "-screen 0 1400x900x24" python benchmarks/ui.py                all rows but `corrections`
    … python benchmarks/ui.py --only live stop                                    some rows
    … python benchmarks/ui.py --only soak --actions 500                           a shorter soak: nothing is written
    … python benchmarks/ui.py --no-times                                          only what no clock is needed for
    python benchmarks/ui.py --page                                                only the page, from window-speed.json

Every row runs in a fresh process. `review` and `corrections` open no window and want a folder of labelled data: --data,
or VOST_DATA; they are left out without one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from napari_vost.benchmark.table import markdown, replace_part, write_json
from napari_vost.errors import VostError

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, FACTS = DOCS / "window-speed.md", DOCS / "window-speed.json"
ROWS = ("cold", "seg", "live", "plain", "stop", "undo", "locked", "resume", "timeline", "corrections", "review", "soak")
LABELLED = ("corrections", "review")
ACTIONS = 5000
BUSY = 0.5  # load before a row, from which on its times are marked
NOT_YET = "not measured yet"
RESULT = "RESULT "  # what a row's process has found stands on this line


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = [one for one in ROWS if one != "corrections"]
    parser.add_argument("--only", nargs="+", choices=ROWS, default=usual, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--data", type=Path, default=os.environ.get("VOST_DATA"), help="folder of the data sets")
    parser.add_argument("--actions", type=int, default=ACTIONS, help="of the soak (default: %(default)s)")
    parser.add_argument("--limit", type=int, help="most cases of the labelled data")
    parser.add_argument("--no-times", action="store_true", help="leave the cells with times as they are")
    parser.add_argument("--page", action="store_true", help="measure nothing")
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)
    args = parser.parse_args(words)
    if args.row:
        print(RESULT + json.dumps([asdict(one) for one in measure(args)]))
        return 0
    kept = json.loads(FACTS.read_text(encoding="utf-8")) if FACTS.exists() else {}
    whole = args.actions == ACTIONS and args.limit is None
    for name in () if args.page else args.only:
        if name in LABELLED and args.data is None:
            sys.stderr.write(f"{name} is left out: say where the data sets are, --data or VOST_DATA\n")
            continue
        found = in_own_process(name, args)
        if found is None:
            return 1
        print(markdown(("fact", "bar", "measured"), [(one["fact"], one["bar"], one["value"]) for one in found]))
        if whole:
            kept[name] = merged(kept.get(name, {}), found, with_times=not args.no_times)
            write_json(kept, FACTS)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replace_part(page, "table", table(kept)), encoding="utf-8")
    return 0


def in_own_process(name: str, args: argparse.Namespace) -> list[dict[str, Any]] | None:
    """Measure a row; what it has found, None where it failed."""
    call = [sys.executable, __file__, "--row", name, "--actions", str(args.actions)]
    call += ["--data", str(args.data)] if args.data else []
    call += ["--limit", str(args.limit)] if args.limit is not None else []
    ended = subprocess.run(call, stdout=subprocess.PIPE, text=True)
    lines = [line for line in ended.stdout.splitlines() if line.startswith(RESULT)]
    if ended.returncode or not lines:
        sys.stderr.write(f"{name} failed.\n")
        return None
    found: list[dict[str, Any]] = json.loads(lines[-1].removeprefix(RESULT))
    return found


def measure(args: argparse.Namespace) -> list[Any]:
    """The facts of one row, in this process."""
    import ui_rows
    from ui_plain import plain
    from ui_resume import resume
    from ui_soak import soak
    from ui_timeline import timeline

    own = {"soak": lambda: soak(args.actions), "resume": resume, "plain": plain, "timeline": timeline}
    if args.row in own:
        return own[args.row]()
    if args.row == "corrections":
        return corrections(args)
    return review(args) if args.row == "review" else getattr(ui_rows, args.row)()


def corrections(args: argparse.Namespace) -> list[Any]:
    """As benchmarks/corrections.py counts them."""
    import corrections as clicks
    from ui_rows import Fact

    from napari_vost.datasets import find_layout
    from napari_vost.model.loading import load_network

    network, heard = load_network("vost-nano"), []
    for number, case in enumerate(find_layout("acdc").cases(args.data / "acdc_ed_es" / "dev")):
        if number == args.limit:
            break
        for name in case.structures:
            heard += [*clicks.on_one_frame(case, name, network, 5), *clicks.in_clip(case, name, network, 5)]
    where, _, count, alone, dabbed = clicks.rows(heard)[-1]
    told = f"{dabbed} of {count}; by the network alone {alone}"
    return [Fact(f"corrective clicks obeyed (ACDC dev, {where})", "100 %; ≥ 90 % by the network alone", told, False)]


def review(args: argparse.Namespace) -> list[Any]:
    """Frames that a simulated reader looks at."""
    import torch
    from ui_review import GOOD, read_folder
    from ui_rows import Fact

    from napari_vost.model.loading import load_network

    torch.set_num_threads(1)
    reads = read_folder(args.data, load_network("vost-nano"), args.limit, lambda line: sys.stderr.write(f"{line}\n"))
    frames, weak = sum(one.frames for one in reads), sum(one.weak for one in reads)
    by_weak, in_order = sum(one.by_weak for one in reads), sum(one.in_order for one in reads)
    good = sum(one.after_weak >= GOOD for one in reads)
    first = sum(one.before >= GOOD for one in reads)
    return [
        Fact(
            f"review by W (simulated reader, ACDC dev, {len(reads)} structures): frames visited until none is weak",
            "≥ 40 % fewer than all",
            f"{weak} of {frames}: {1 - weak / frames:.0%} fewer; {good} of {len(reads)} structures then have "
            f"Dice ≥ {GOOD} ({first} before)",
            False,
        ),
        Fact(
            f"frames visited until Dice ≥ {GOOD}, by W (then in order)",
            "≥ 40 % fewer than all",
            f"{by_weak} of {frames}: {1 - by_weak / frames:.0%} fewer; a reader who goes in order, and somehow knows "
            f"when to stop, visits {in_order}",
            False,
        ),
    ]


def merged(before: dict[str, Any], found: list[dict[str, Any]], with_times: bool) -> dict[str, Any]:
    """A row for the file; without times those that stand there already, or none."""
    old = {one["fact"]: one["value"] for one in before.get("facts", ())}
    if not with_times:
        found = [{**one, "value": old.get(one["fact"], NOT_YET)} if one["timed"] else one for one in found]
    if not any(one["timed"] for one in found):
        return {"facts": found, "machine": ""}
    machine = before.get("machine", "") if not with_times else machine_line()
    return {"facts": found, "machine": machine}


def machine_line() -> str:
    """What the times depend on."""
    import torch

    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    busy = f", BUSY with other work (load {load:.1f})" if load > BUSY + cores else ""
    facts = f"{cores} cores, {platform.machine()}, torch {torch.__version__}, software OpenGL under Xvfb"
    return f"{facts}, pace {pace_ms():.0f} ms{busy}"


def pace_ms() -> float:
    """Milliseconds that Python takes for a million additions: a machine may be shared, and is not as fast every day."""
    found = []
    for _ in range(9):
        start, total = time.perf_counter(), 0
        for number in range(1_000_000):
            total += number
        found.append(1000 * (time.perf_counter() - start))
    return median(found)


def table(kept: dict[str, Any]) -> str:
    """The part of the page that is measured."""
    rows, machines = [], {}
    for name in ROWS:
        facts = kept.get(name, {}).get("facts") or [{"fact": name, "bar": "", "value": NOT_YET}]
        rows += [(one["fact"], one["bar"], one["value"]) for one in facts]
        machine = kept.get(name, {}).get("machine", "")
        if machine:
            machines.setdefault(machine, []).append(name)
    told = [f"Times of {', '.join(names)}: {machine}." for machine, names in machines.items()]
    return "\n".join([markdown(("fact", "bar", "measured"), rows), "", *(told or [f"Times: {NOT_YET}."])])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
