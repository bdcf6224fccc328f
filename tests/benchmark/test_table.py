"""Tables: JSON, Markdown, and their place on a page."""

import json
from pathlib import Path

import pytest

from napari_vost.benchmark.clock import Spread
from napari_vost.benchmark.marks import Figures, Mark
from napari_vost.benchmark.quality import Report
from napari_vost.benchmark.speed import Growth, Line
from napari_vost.benchmark.table import (
    GROWTH_HEAD,
    QUALITY_HEAD,
    SPEED_HEAD,
    SURFACE_HEAD,
    correction_head,
    correction_rows,
    growth_rows,
    markdown,
    quality_facts,
    quality_rows,
    replace_part,
    speed_facts,
    speed_rows,
    surface_rows,
    write_json,
)
from napari_vost.datasets import find_layout
from napari_vost.errors import ExportError, InputError


def figures(frames: float, stack: float, hd95: float = 4.0, leaked: int = 0, f: float | None = None) -> Figures:
    return Figures(frames, stack, None if f is None else frames, f, hd95, 0.5, leaked)


NONE = Figures(None, None, None, None, None, None, 0)


def report(layout: str = "acdc", f: float | None = None, clicks: int = 0) -> Report:
    after = tuple(figures(0.8 + 0.05 * count, 0.9) for count in range(1, clicks + 1))
    none = (NONE,) * clicks
    marks = (
        Mark("a", "LV", (3,), "mm", figures(0.8, 0.85, 4.0, 1, f), figures(0.7, 0.75), 1.0, 4, (), after),
        Mark("b", "LV", (4,), "mm", figures(0.6, 0.65, 12.5, 0, f), figures(0.7, 0.71), 0.9, 4, (), after),
        Mark("b", "RV", (4,), "px", NONE, NONE, 1.0, 0, (), none),
    )
    return Report(find_layout(layout), "x/dev", "mask", "tiny", "abcdef", "cpu", clicks, marks, 1.26, (("torch", "2"),))


def test_facts_survive_json() -> None:
    facts = quality_facts(report())
    assert json.loads(json.dumps(facts)) == facts
    found = facts["structures"]["LV"]
    assert found["cases"] == 2
    assert found["found"]["frames"]["mean"] == 0.7
    assert found["gain"] == {"mean": 0.0, "low": -0.1, "high": 0.1}
    assert found["found"]["leak"] == 0.125
    assert facts["clicks"] == 0
    assert facts["cases"][0]["found"] == {
        "frames": 0.8, "stack": 0.85, "j": None, "f": None, "hd95": 4.0, "nsd": 0.5, "leaked": 1,
    }  # fmt: skip


def test_a_written_table_has_a_line_per_case(tmp_path: Path) -> None:
    facts = quality_facts(report())
    write_json(facts, tmp_path / "table.json")
    text = (tmp_path / "table.json").read_text(encoding="utf-8")
    assert json.loads(text) == facts
    assert sum(line.lstrip().startswith('{"case"') for line in text.splitlines()) == len(facts["cases"])


def test_rows_have_the_headline_first() -> None:
    row = dict(zip(QUALITY_HEAD[:8], quality_rows(quality_facts(report()))[0][:8], strict=True))
    assert row["score"] == "Dice"
    assert row["followed [95 %]"] == ".70 [.60, .80]"
    assert row["copied"] == ".70"
    assert row["gain [95 %]"] == "+.00 [-.10, +.10]"
    stacked = dict(zip(QUALITY_HEAD[:8], quality_rows(quality_facts(report("acdc_cine")))[0][:8], strict=True))
    assert stacked["score"] == "Dice of the stack"
    assert stacked["followed [95 %]"] == ".75 [.65, .85]"
    assert stacked["copied"] == ".73"


def test_what_could_not_be_judged_is_a_dash() -> None:
    row = quality_rows(quality_facts(report()))[1]
    assert row[2:4] == ("RV", "0")
    assert row[5:10] == ("-",) * 5
    assert row[11] == "-"


def test_distances_have_their_unit_and_davis_its_parts() -> None:
    facts = quality_facts(report())
    row = dict(zip(SURFACE_HEAD[:6], surface_rows(facts)[0], strict=False))
    assert (row["cases"], row["unit"], row["HD95 [95 %]"]) == ("2", "mm", "8.2 [4.0, 12.5]")
    assert surface_rows(facts)[0][6:] == ("4.0", ".50 [.50, .50]", ".50", "-")
    assert surface_rows(facts)[1][3:6] == ("0", "px", "-")
    assert surface_rows(quality_facts(report("davis16", f=0.5)))[0][-1] == ".70, .50"


def test_corrections_show_each_click_gains_leak_and_noc() -> None:
    facts = quality_facts(report(clicks=2))
    assert json.loads(json.dumps(facts)) == facts
    head = correction_head(2)
    assert head[4:7] == ("0 clicks", "1 click", "2 clicks")
    rows = [dict(zip(head, row, strict=True)) for row in correction_rows(facts)]
    assert rows[0]["0 clicks"] == ".70 [.60, .80]"
    assert rows[0]["2 clicks"] == ".90 [.90, .90]"
    assert rows[0]["gain [95 %]"] == "+.20 [+.10, +.30]"
    assert rows[0]["leak"] == "12 % → 0 %"
    assert (rows[0]["NoC@.85"], rows[0]["never"]) == ("1.0 [1.0, 1.0]", "0")
    assert (rows[1]["0 clicks"], rows[1]["gain [95 %]"], rows[1]["leak"]) == ("-", "-", "-")


def test_without_clicks_there_are_no_rows_of_corrections() -> None:
    assert correction_rows(quality_facts(report())) == []


def test_markdown_has_one_line_per_row() -> None:
    text = markdown(("a", "b"), [("1", "x|y"), ("2", "z")])
    assert text == "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n| 2 | z |\n"


def test_a_part_of_a_page_is_replaced_and_the_rest_stays() -> None:
    page = "top\n<!-- t begins -->\nold\n<!-- t ends -->\nend\n"
    once = replace_part(page, "t", "new\n")
    assert once == "top\n<!-- t begins -->\nnew\n<!-- t ends -->\nend\n"
    assert replace_part(once, "t", "new") == once


def test_a_page_without_the_marks_is_refused() -> None:
    with pytest.raises(InputError, match="<!-- t begins -->"):
        replace_part("<!-- t ends -->\n<!-- t begins -->", "t", "new")


def test_json_is_written_whole_or_refused(tmp_path: Path) -> None:
    write_json({"a": 1}, tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text()) == {"a": 1}
    with pytest.raises(ExportError):
        write_json({"a": 1}, tmp_path / "missing" / "t.json")


def test_speed_rows_show_spread_stages_and_growth() -> None:
    stages = (("see", 50.0), ("recall", 40.0), ("answer", 5.0), ("remember", 4.0))
    ours = Line("napari-vost", "m", 64, 3, Spread.of([0.2, 0.1, 0.4]), stages)
    theirs = Line("transformers", "m", 64, 3, Spread.of([0.3]))
    grown = Growth("transformers", "m", 64, 1, (2, 4), (1_000_000, 2_000_000), (0, 0), (500_000, 500_000))
    facts = speed_facts([ours, theirs], [grown], (("torch", "2"),))
    assert json.loads(json.dumps(facts)) == facts
    first, second = (dict(zip(SPEED_HEAD, row, strict=True)) for row in speed_rows(facts))
    assert first["ms per frame"] == "200"
    assert first["min to max"] == "100 to 400"
    assert (first["see"], first["remember"]) == ("50.0", "4.0")
    assert (second["ms per frame"], second["see"]) == ("300", "-")
    (row,) = (dict(zip(GROWTH_HEAD, row, strict=True)) for row in growth_rows(facts))
    assert (row["after frames"], row["kept, MB"], row["frames held, MB"]) == ("2 → 4", "1.0 → 2.0", "0.5 → 0.5")
