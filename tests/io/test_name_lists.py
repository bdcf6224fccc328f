"""Lists of names as people have them, and files that are none."""

import json
from pathlib import Path
from typing import Any

import pytest

from napari_vost.errors import ReadError
from napari_vost.io.name_lists import read_names

LIVER, SPLEEN = ("Liver", (221, 130, 101)), ("Left kidney", (185, 102, 83))
TABLE = """# Color table file
# 3 values
0 Background 0 0 0 0
1 Liver 221 130 101 255

2 Left_kidney 185 102 83 255
"""


def read(tmp_path: Path, text: str, name: str = "names.json") -> list[tuple[str, Any]]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [(label.name, label.colour_rgb) for label in read_names(path)]


def test_a_colour_table_of_slicer_gives_names_with_blanks_and_their_colours(tmp_path: Path) -> None:
    assert read(tmp_path, TABLE, "organs.ctbl") == [LIVER, SPLEEN]
    assert read(tmp_path, TABLE.replace("Left_kidney", '"Left kidney"'), "organs.CTBL") == [LIVER, SPLEEN]


@pytest.mark.parametrize(
    "given",
    [
        [{"name": "Liver", "color": [221, 130, 101]}, {"name": "Left kidney", "colour": "#b96653"}],
        {"labels": [{"label": "Liver", "rgb": [221, 130, 101, 255]}, {"name": "Left kidney", "color": "#B96653FF"}]},
        {"Background": [0, 0, 0], "Liver": [221, 130, 101], "Left kidney": "#b96653"},
        {"names": {"1": {"name": "Liver", "color": "#dd8265"}, "2": {"name": "Left kidney", "color": [185, 102, 83]}}},
        [
            {"name": "Liver", "color": [0.8667, 0.5098, 0.3961]},
            {"name": " Left  kidney ", "color": [0.7255, 0.4, 0.3255]},
        ],
    ],
)
def test_json_gives_names_and_colours_in_every_usual_form(tmp_path: Path, given: Any) -> None:
    assert read(tmp_path, json.dumps(given)) == [LIVER, SPLEEN]


@pytest.mark.parametrize(
    "given",
    [
        ["Liver", "Spleen", "Liver"],
        {"labels": {"background": 0, "Liver": 1, "Spleen": 2}},
        {"0": "air", "1": "Liver", "2": "Spleen"},
        {"name": "a data set", "labels": {"background": 0, "Liver": [1, 2], "Spleen": 2}},
    ],
)
def test_json_without_colours_gives_each_name_once_and_no_background(tmp_path: Path, given: Any) -> None:
    assert read(tmp_path, "\ufeff" + json.dumps(given)) == [("Liver", None), ("Spleen", None)]


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("1 Liver 221 130", "a.ctbl", "Line 1 of a.ctbl is '1 Liver 221 130': expected a number, a name"),
        ("# nothing\n", "a.ctbl", "a.ctbl holds no names"),
        ("1 Liver 300 0 0 255", "a.ctbl", "three numbers from 0 to 255"),
        ("{", "a.json", "a.json is not JSON"),
        ("3", "a.json", "holds no list"),
        ("[]", "a.json", "holds no names"),
        ("[1]", "a.json", "holds '1' where a name"),
        ('[{"name": "Liver", "color": "red"}]', "a.json", "holds the colour 'red'"),
        ('[""]', "a.json", "a name has 1 to 64 letters"),
        ('{"Liver": true}', "a.json", "holds 'True' for 'Liver'"),
        (json.dumps(["x" * 65]), "a.json", "a name has 1 to 64 letters"),
        ("Liver", "a.txt", "expected a file that ends in .json or .ctbl"),
    ],
)
def test_what_is_no_list_of_names_is_refused_in_one_sentence(tmp_path: Path, text: str, name: str, says: str) -> None:
    with pytest.raises(ReadError) as raised:
        read(tmp_path, text, name)
    assert says in str(raised.value)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be read"):
        read_names(tmp_path / "missing.json")
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReadError, match="no text"):
        read_names(tmp_path / "a.json")
