"""``napari-vost segment``: prompts on the command line, masks in files."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_vost.cli.common import (
    add_engine_options,
    add_open_options,
    add_result_options,
    ask_consent,
    check_targets,
    progress_bar,
    rescue,
    write_results,
)
from napari_vost.errors import InputError, PromptError

if TYPE_CHECKING:
    from napari_vost.adaptation import Adaptation
    from napari_vost.clip import Clip
    from napari_vost.session import Session
    from napari_vost.types import Prompt


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``segment`` to the command line."""
    parser = subparsers.add_parser(
        "segment",
        help="follow structures from a few prompts",
        description=__doc__,
        epilog="F, Y and X count array pixels from 0. Several prompts may be given; ID is the object (default 1).",
    )
    parser.add_argument("path", type=Path, metavar="PATH", help="scan or cine: file or folder")
    prompts = parser.add_argument_group("prompts")
    for option, form, words in (
        ("--point", "F,Y,X[,ID][,-]", "a click; a minus at the end means outside"),
        ("--box", "F,Y0,X0,Y1,X1[,ID]", "a box; both corners belong to it"),
        ("--mask", "FILE[@F]", "a DICOM-SEG or a label map; @F takes frame F of it only"),
    ):
        prompts.add_argument(option, metavar=form, help=words, action="append", default=[])
    prompts.add_argument(
        "--card", metavar="FILE[@F]", action="append", default=[],
        help="a memory card: find on frame F, or anywhere, what it shows; it becomes the next free object",
    )  # fmt: skip
    prompts.add_argument("--name", metavar="ID=NAME", action="append", default=[], help="what an object is called")
    add_result_options(parser)
    out = parser.add_argument_group("following")
    out.add_argument("--report", type=Path, metavar="FILE", help="numbers per object and frame, JSON")
    out.add_argument(
        "--forecast",
        type=frames_ahead,
        metavar="N",
        help="in the report: where objects go on the N frames after the last",
    )
    out.add_argument("--save", type=Path, metavar="CASE.vost", help="the session, to go on with later")
    out.add_argument(
        "--save-card", metavar="FILE[,ID]", action="append", default=[], help="what the prompts of an object taught"
    )
    out.add_argument("--direction", choices=("forward", "backward", "both"), default="both")
    out.add_argument("--frames", type=frame_range, metavar="A:B", default=None, help="never leave frames A to B-1")
    out.add_argument(
        "--adapt", type=positive_seconds, metavar="SECONDS", help="first fit the network to the masks that are given"
    )
    out.add_argument("--largest", action="store_true", help="keep only the largest part of every mask")
    out.add_argument("--non-overlap", action="store_true", help="give each pixel to one object only")
    add_open_options(parser)
    add_engine_options(parser)


def run(args: argparse.Namespace) -> int:
    """Open, prompt, follow, write."""
    from napari_vost.cleanup import Cleanup
    from napari_vost.engine import EngineOptions
    from napari_vost.io.label_files import names_in
    from napari_vost.io.readers import open_clip
    from napari_vost.session import Session
    from napari_vost.types import Label

    series = int(args.series) if args.series is not None and args.series.isdigit() else args.series
    clip = open_clip(args.path, args.order, args.axis, args.at, series)
    for notice in clip.notices:
        sys.stderr.write(f"note: {notice}\n")
    prompts = collect_prompts(args, clip)
    read = [Path(text.rpartition("@")[0] or text) for text in (*args.mask, *args.card)]
    cards = [card_target(text)[0] for text in args.save_card]
    check_targets(args.out, clip, args.reference, [args.save, args.report, *cards], read)
    options = EngineOptions(
        window=args.window,
        cleanup=Cleanup(largest_component=args.largest, non_overlap=args.non_overlap),
        consent=ask_consent,
    )
    session = Session(clip, args.model, args.adapter, args.memory, args.motion, args.device, args.region, options)
    given = {prompt.object_id for prompt in prompts}
    for path in read[: len(args.mask)]:
        session.labels.update({object_id: label for object_id, label in names_in(path).items() if object_id in given})
    session.labels.update({object_id: Label(name) for object_id, name in map(named, args.name)})
    started = time.perf_counter()
    tell_chosen(session, args)
    if prompts:
        session.add(*prompts)
    found = None
    try:
        for text in args.card:
            use_card(session, text, args.frames)
        if args.adapt is not None:
            found = adapt(session, args.adapt)
        follow(session, args.direction, args.frames)
    except KeyboardInterrupt:
        sys.stderr.write(f"Stopped. {rescue(session)}\n")
        return 1
    seconds = time.perf_counter() - started
    write_results(session, args)
    if args.save is not None:
        session.save(args.save)
    for text in args.save_card:
        session.save_card(*card_target(text))
    if args.report is not None:
        write_report(session, args.report, seconds, found, args.forecast)
    return 0


def tell_chosen(session: Session, args: argparse.Namespace) -> None:
    """Say what ``auto`` chose; refuse a forecast that nothing can make, or that has no place to go, before the run."""
    chosen = session.chosen
    for kind, asked, name, reason in (
        ("memory", args.memory, chosen.memory, chosen.memory_reason),
        ("motion", args.motion, chosen.motion, chosen.motion_reason),
    ):
        if asked == "auto":
            sys.stderr.write(f"{kind} {name}: {reason}\n")
    if args.forecast is not None and args.report is None:
        raise InputError("--forecast is part of the report: give --report FILE too.")
    if args.forecast is not None and chosen.motion == "none":
        raise InputError("--forecast needs a motion prior: give --motion regression or --motion kalman.")


def adapt(session: Session, seconds: float) -> Adaptation:
    """Adapt with a progress bar; say in one line what came of it."""
    from napari_vost.adaptation import LEAK

    with progress_bar("adapting", 100) as advance:
        done = 0

        def tell(share: float) -> None:
            nonlocal done
            while done < round(100 * share):
                advance()
                done += 1

        session.adapting.connect(tell)
        found = session.adapt(seconds)
    if found.before is None or found.after is None:
        words = "the time was too short to judge it: the model's own weights are used; give more seconds"
    else:
        use = "used" if found.accepted else "the model's own weights are used"
        words = f"Dice on what was held back {found.before:.3f} -> {found.after:.3f}: {use}"
        if found.leaked is not None and found.leaked > LEAK:
            words = f"it paints {found.leaked:.0%} of the frames behind the ends: the model's own weights are used"
    sys.stderr.write(f"adapted in {found.seconds:.0f} s, {words}\n")
    return found


def card_target(text: str) -> tuple[Path, int]:
    """Read ``FILE[,ID]``."""
    name, _, object_id = text.rpartition(",") if text.rpartition(",")[2].isdigit() else (text, "", "1")
    return Path(name), int(object_id)


def use_card(session: Session, text: str, frames: tuple[int, int] | None) -> None:
    """Use a card, ``FILE[@F]``, as the next free object; say in one line what it found."""
    name, _, at = text.rpartition("@") if text.rpartition("@")[2].isdigit() else (text, "", "")
    frame = int(at) if at else None
    if frame is not None and frames is not None and not frames[0] <= frame < frames[1]:
        raise PromptError(f"--card {text} looks at frame {frame}, outside --frames {frames[0]}:{frames[1]}.")
    object_id = max(session.object_ids, default=0) + 1
    found = session.use_card(Path(name), object_id, frame)
    label = session.labels[object_id].name
    sys.stderr.write(f"object {object_id}: {label} found on frame {found.frame_index}, score {found.score:.2f}\n")


def follow(session: Session, direction: Any, frames: tuple[int, int] | None) -> None:
    """Propagate with a progress bar."""
    if len(session.clip) == 1:
        return
    total = len(session.clip) if frames is None else frames[1] - frames[0]
    with progress_bar("following", total) as advance:
        seen: set[int] = set()
        for result in session.propagate(direction, frames):
            if result.frame_index not in seen:
                seen.add(result.frame_index)
                advance()


def collect_prompts(args: argparse.Namespace, clip: Clip) -> list[Prompt]:
    """Prompts of the command line, in the order points, boxes, masks."""
    from napari_vost.prompt_rules import check_frames, check_prompt

    prompts: list[Prompt] = [point(text) for text in args.point]
    prompts += [box(text) for text in args.box]
    for text in args.mask:
        prompts += masks(text, clip, args.resample)
    if not prompts and not args.card:
        raise PromptError("Nothing to follow: give --point, --box, --mask or --card.")
    start, stop = args.frames or (0, len(clip))
    check_frames((start, stop), len(clip))
    for prompt in prompts:
        check_prompt(prompt, clip.shape)
        if not start <= prompt.frame_index < stop:
            raise PromptError(f"The prompt on frame {prompt.frame_index} lies outside --frames {start}:{stop}.")
    return prompts


def point(text: str) -> Prompt:
    """Read ``F,Y,X[,ID][,-]``."""
    from napari_vost.types import PointPrompt

    words = [word.strip() for word in text.split(",")]
    positive = words[-1] not in ("-", "+") or words.pop() == "+"
    if len(words) not in (3, 4):
        raise PromptError(f"--point {text}: expected F,Y,X[,ID][,-].")
    frame, y, x, *rest = numbers("--point", text, words)
    return PointPrompt(whole("--point", text, frame), whole("--point", text, rest[0]) if rest else 1, y, x, positive)


def box(text: str) -> Prompt:
    """Read ``F,Y0,X0,Y1,X1[,ID]``."""
    from napari_vost.types import BoxPrompt

    words = [word.strip() for word in text.split(",")]
    if len(words) not in (5, 6):
        raise PromptError(f"--box {text}: expected F,Y0,X0,Y1,X1[,ID].")
    frame, y0, x0, y1, x1, *rest = numbers("--box", text, words)
    object_id = whole("--box", text, rest[0]) if rest else 1
    return BoxPrompt(whole("--box", text, frame), object_id, min(y0, y1), min(x0, x1), max(y0, y1), max(x0, x1))


def masks(text: str, clip: Clip, resample: bool) -> list[Prompt]:
    """Read ``FILE[@F]``: one mask prompt per object and labelled frame."""
    from napari_vost.io.label_files import read_labels
    from napari_vost.masks import PackedMask
    from napari_vost.types import MaskPrompt

    name, _, at = text.rpartition("@") if "@" in text and text.rpartition("@")[2].isdigit() else (text, "", "")
    labels = read_labels(Path(name), clip, resample)
    if labels.shape[0] == 1 and len(clip) > 1 and not at:
        raise PromptError(f"--mask {text} is a single image: say which frame it belongs to, as {name}@F.")
    frame = int(at) if at else None
    if frame is not None and not 0 <= frame < len(clip):
        raise PromptError(f"--mask {text}: frame {frame} does not exist; the clip has frames 0 to {len(clip) - 1}.")
    single = labels.shape[0] == 1
    frames = [frame] if frame is not None else [i for i in range(len(labels)) if labels[i].any()]
    found: list[Prompt] = []
    for index in frames:
        plane = labels[0 if single else index]
        found += [MaskPrompt(index, int(o), PackedMask.pack(plane == o)) for o in np.unique(plane) if o > 0]
    if not found:
        raise PromptError(f"--mask {text} holds no object" + ("" if frame is None else f" on frame {frame}") + ".")
    return found


def numbers(option: str, text: str, words: list[str]) -> list[float]:
    """Read numbers, or say which word is none."""
    try:
        values = [float(word) for word in words]
        if not np.isfinite(values).all():
            raise ValueError(text)
        return values
    except ValueError as error:
        raise PromptError(f"{option} {text}: expected numbers separated by commas.") from error


def whole(option: str, text: str, value: float) -> int:
    """Read a whole number."""
    if value != int(value):
        raise PromptError(f"{option} {text}: {value:g} is a frame or an object and must be a whole number.")
    return int(value)


def positive_seconds(text: str) -> float:
    """Read a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds above 0, for example 20")
    return value


def frames_ahead(text: str) -> int:
    """Read a number of frames that a forecast may look ahead."""
    from napari_vost.motion.forecast import LONGEST

    if not text.isdigit() or not 1 <= int(text) <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r}: expected 1 to {LONGEST} frames, for example 5")
    return int(text)


def frame_range(text: str) -> tuple[int, int]:
    """Read ``A:B``."""
    first, colon, last = text.partition(":")
    if not colon or not first.isdigit() or not last.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: expected A:B, for example 10:40")
    return int(first), int(last)


def named(text: str) -> tuple[int, str]:
    """Read ``ID=NAME``."""
    object_id, equals, name = text.partition("=")
    if not equals or not object_id.isdigit() or not name:
        raise InputError(f"--name {text}: expected ID=NAME, for example 1=Liver.")
    return int(object_id), name


def write_report(
    session: Session, path: Path, seconds: float, found: Adaptation | None = None, ahead: int | None = None
) -> None:
    """Write numbers per object and frame as JSON; no name, date or number of a patient."""
    from napari_vost.io.atomic import atomic_file
    from napari_vost.measure.volume import area_mm2, volume_ml

    segmentation = session.segmentation()
    spaced = segmentation.geometry.spaced
    objects: dict[str, Any] = {}
    for object_id in segmentation.object_ids:
        kept = {place[1]: session.ledger.shown(place) for place in sorted(session.ledger.kept) if place[0] == object_id}
        areas = area_mm2(segmentation, object_id) if spaced else None
        frames = [
            {
                "frame": frame,
                "area_px": int(one.mask.unpack().sum()),
                "area_mm2": None if areas is None else float(areas[frame]),
                "affinity": one.scores.affinity,
                "occurrence": one.scores.occurrence,
                "confidence": one.confidence,
            }
            for frame, one in kept.items()
        ]
        volume = volume_ml(segmentation, object_id) if spaced and segmentation.order == "depth" else None
        objects[str(object_id)] = {
            "name": segmentation.labels[object_id].name,
            "volume_ml": volume,
            "frames": frames,
        }
        if ahead is not None:
            objects[str(object_id)]["forecast"] = forecast_of(session, object_id, max(kept), ahead)
    report = {
        "model": session.model,
        "memory": session.chosen.memory,
        "motion": session.chosen.motion,
        "order": segmentation.order,
        "shape": segmentation.shape,
        "seconds": round(seconds, 3),
        "notices": list(segmentation.notices),
        "objects": objects,
    }
    if found is not None:
        report["adaptation"] = asdict(found)
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n")


def forecast_of(session: Session, object_id: int, frame_index: int, ahead: int) -> list[dict[str, Any]]:
    """Where an object goes after its last frame, as numbers; empty where it was never seen."""
    try:
        found = session.forecast(frame_index, object_id, ahead)
    except InputError:
        return []
    return [
        {"frame": one.frame_index, "box": one.box, "deviation_px": one.deviation_px, "outer": one.outer}
        for one in found
    ]
