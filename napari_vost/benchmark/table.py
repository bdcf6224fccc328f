"""Measurements as JSON for programs and as Markdown tables for the documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_vost.benchmark.clock import STAGES
from napari_vost.benchmark.quality import Report
from napari_vost.benchmark.speed import Growth, Line
from napari_vost.benchmark.summary import TARGET, Summary
from napari_vost.benchmark.use import Use
from napari_vost.errors import InputError
from napari_vost.io.atomic import atomic_file

QUALITY_HEAD = (
    "data", "prompt", "structure", "cases", "score", "followed [95 %]", "copied", "gain [95 %]", "other score",
    "copied", "prompted frame", "leak",
)  # fmt: skip
SURFACE_HEAD = (
    "data", "prompt", "structure", "cases", "unit", "HD95 [95 %]", "copied", "NSD at 2 [95 %]", "copied", "J, F",
)  # fmt: skip
SPEED_HEAD = ("weights", "input", "objects", "engine", "ms per frame", "min to max", "frames", *STAGES)
USE_HEAD = ("weights", "input", "wait", "ms", "min to max", "measured")
GROWTH_HEAD = ("weights", "input", "objects", "engine", "after frames", "kept, MB", "caches, MB", "frames held, MB")
_BYTES = ("state_bytes", "cache_bytes", "frame_bytes")
_WORDS = {("dice", "frames"): "Dice", ("dice", "stack"): "Dice of the stack", ("j_and_f", "frames"): "J&F"}
_WORDS["j_and_f", "stack"] = "IoU of the stack"


def quality_facts(report: Report) -> dict[str, Any]:
    """A report, ready for JSON."""
    layout = report.layout
    return {
        "layout": layout.name,
        "title": layout.title,
        "folder": report.folder,
        "prompt": report.prompt,
        "model": report.model,
        "fingerprint": report.fingerprint,
        "device": report.device,
        "metric": layout.metric,
        "headline": layout.headline,
        "clicks": report.clicks,
        "seconds": round(report.seconds, 1),
        "versions": dict(report.versions),
        "structures": {name: _summary_facts(report.summary(name)) for name in report.structures},
        "cases": [_rounded(asdict(mark)) for mark in report.marks],
    }


def quality_rows(facts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows under `QUALITY_HEAD` of what `quality_facts` made, one per structure."""
    headline = facts["headline"]
    other = "stack" if headline == "frames" else "frames"
    rows: list[tuple[str, ...]] = []
    for who, one in _structures(facts):
        found, copied = one["found"], one["copied"]
        rows.append(
            (
                *who,
                str(one["cases"]),
                _WORDS[facts["metric"], headline],
                _interval(found[headline]),
                _number(copied[headline]),
                _interval(one["gain"], sign=True),
                _number(found[other]),
                _number(copied[other]),
                _number(one["prompted"]),
                _percent(found["leak"]),
            )
        )
    return rows


def surface_rows(facts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows under `SURFACE_HEAD` of what `quality_facts` made, one per structure."""
    rows: list[tuple[str, ...]] = []
    for who, one in _structures(facts):
        found, copied = one["found"], one["copied"]
        distances = _interval(found["hd95"], digits=1), _number(copied["hd95"], digits=1)
        parts = "-" if found["j"] is None else f"{_number(found['j'])}, {_number(found['f'])}"
        shares = _interval(found["nsd"]), _number(copied["nsd"])
        rows.append((*who, str(one["measured"]), one["unit"], *distances, *shares, parts))
    return rows


def correction_head(clicks: int) -> tuple[str, ...]:
    """Head of the table of corrections with so many clicks."""
    target = _short(TARGET)
    after = [f"{count} click{'s' if count != 1 else ''}" for count in range(1, clicks + 1)]
    last = ("gain [95 %]", "leak", f"NoC@{target}", "never")
    return ("data", "prompt", "structure", "cases", "0 clicks", *after, *last)


def correction_rows(facts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows under `correction_head` of what `quality_facts` made, one per structure; none without clicks."""
    rows: list[tuple[str, ...]] = []
    for who, one in _structures(facts):
        changed, before = one["corrections"], one["found"]
        if changed is None:
            continue
        last = changed["after"][-1]
        rows.append(
            (
                *who,
                str(one["cases"]),
                *(_interval(means[facts["headline"]]) for means in (before, *changed["after"])),
                _interval(changed["gains"][-1], sign=True),
                f"{_percent(before['leak'])} → {_percent(last['leak'])}" if before["leak"] is not None else "-",
                _interval(changed["noc"], digits=1),
                str(changed["never"]),
            )
        )
    return rows


def _structures(facts: Mapping[str, Any]) -> list[tuple[tuple[str, str, str], Mapping[str, Any]]]:
    """What every row begins with, and the summary of its structure."""
    return [((facts["title"], facts["prompt"], name), one) for name, one in facts["structures"].items()]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def write_json(facts: Mapping[str, Any], path: Path) -> None:
    """Write a table as JSON, one line per case, whole or not at all.

    Raises
    ------
    ExportError
        The place cannot be written to.
    """
    cases = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in facts.get("cases", ()))
    text = json.dumps({**facts, "cases": []} if cases else facts, indent=1, ensure_ascii=False)
    with atomic_file(path) as part:
        part.write_text(text.replace('"cases": []', f'"cases": [\n{cases}\n ]') + "\n", encoding="utf-8")


def replace_part(page: str, name: str, body: str) -> str:
    """A Markdown page with new text between ``<!-- NAME begins -->`` and ``<!-- NAME ends -->``.

    Raises
    ------
    InputError
        The page lacks the two marks.
    """
    begin, end = f"<!-- {name} begins -->", f"<!-- {name} ends -->"
    if begin not in page or end not in page.split(begin, 1)[1]:
        raise InputError(f"The page lacks the lines {begin} and {end}: put them where the table belongs.")
    before, rest = page.split(begin, 1)
    return f"{before}{begin}\n{body.strip()}\n{end}{rest.split(end, 1)[1]}"


def _summary_facts(summary: Summary) -> dict[str, Any]:
    facts: dict[str, Any] = _rounded(asdict(summary))
    facts.pop("structure")
    return facts


def _rounded(value: Any) -> Any:
    """Numbers to four digits after the point, in tables of tables."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def _number(found: Mapping[str, Any] | None, digits: int = 2) -> str:
    return "-" if found is None else _short(found["mean"], digits=digits)


def _interval(found: Mapping[str, Any] | None, sign: bool = False, digits: int = 2) -> str:
    if found is None:
        return "-"
    mean = _short(found["mean"], sign, digits)
    if found["low"] is None:
        return mean
    return f"{mean} [{_short(found['low'], sign, digits)}, {_short(found['high'], sign, digits)}]"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _short(value: float, sign: bool = False, digits: int = 2) -> str:
    """Shares as papers print them, with two digits: .72, or +.05; other numbers with one: 4.8."""
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    return text.replace("0.", ".", 1) if digits == 2 and abs(value) < 0.995 else text


def speed_facts(
    lines: Sequence[Line], grown: Sequence[Growth], machine: Sequence[tuple[str, str]], uses: Sequence[Use] = ()
) -> dict[str, Any]:
    """Measured speed, ready for JSON."""
    return {
        "machine": dict(machine),
        "lines": [{**_rounded(asdict(line)), "stages_ms": _rounded(dict(line.stages_ms))} for line in lines],
        "growth": [_rounded(asdict(one)) for one in grown],
        "uses": [
            {"model": one.model, "size": one.size, **{name: _rounded(asdict(times)) for name, times in one.waits}}
            for one in uses
        ],
    }


def speed_rows(facts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows under `SPEED_HEAD`, one per line of `speed_facts`."""
    rows: list[tuple[str, ...]] = []
    for line in facts["lines"]:
        spread, stages = line["per_frame"], line["stages_ms"]
        times = (_ms(spread["median_ms"]), f"{_ms(spread['low_ms'])} to {_ms(spread['high_ms'])}")
        split = tuple(_ms(stages[name]) if name in stages else "-" for name in STAGES)
        rows.append((*_who(line), *times, str(spread["frames"]), *split))
    return rows


def use_rows(facts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows under `USE_HEAD`, one per wait of ``uses`` of `speed_facts`."""
    rows: list[tuple[str, ...]] = []
    for one in facts["uses"]:
        for name, times in one.items():
            if isinstance(times, dict):
                spread = (_ms(times["median_ms"]), f"{_ms(times['low_ms'])} to {_ms(times['high_ms'])}")
                rows.append((one["model"], f"{one['size']} px", name, *spread, str(times["frames"])))
    return rows


def growth_rows(facts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows under `GROWTH_HEAD`, one per entry of ``growth`` of `speed_facts`."""
    rows: list[tuple[str, ...]] = []
    for one in facts["growth"]:
        columns = [_from_to([f"{value / 1e6:.1f}" for value in one[name]]) for name in _BYTES]
        rows.append((*_who(one), _from_to([str(frame) for frame in one["frames"]]), *columns))
    return rows


def _from_to(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{values[0]} → {values[-1]}"


def _ms(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _who(line: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return line["model"], f"{line['size']} px", str(line["objects"]), line["engine"]
