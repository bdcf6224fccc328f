"""``napari-vost bench``."""

import json

import pytest

from napari_vost.benchmark import rival
from napari_vost.cli.main import main
from napari_vost.model import loading
from napari_vost.model.nano import build_nano
from napari_vost.testing import tiny_sam2_model

SMALL = ["--objects", "1", "2", "--frames", "1", "--nano-frames", "2", "--growth-frames", "4"]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rival, "random_model", lambda name, size, device: tiny_sam2_model())
    monkeypatch.setattr(loading, "load_network", lambda name, device: build_nano(64))


@pytest.mark.usefixtures("tiny")
def test_all_parts_come_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--json", *SMALL]) == 0
    facts = json.loads(capsys.readouterr().out)
    found = [(line["engine"], line["model"], line["objects"]) for line in facts["lines"]]
    assert found[:2] == [("napari-vost", "vost-nano", 1), ("napari-vost", "vost-nano", 2)]
    assert found[2:] == [
        (engine, "sam2.1-tiny", objects) for objects in (1, 2) for engine in ("napari-vost", "transformers")
    ]
    assert [one["engine"] for one in facts["growth"]] == ["napari-vost", "transformers"]
    assert facts["notices"] == []
    assert {"device", "threads", "torch", "transformers"} <= set(facts["machine"])


@pytest.mark.usefixtures("tiny")
def test_a_part_alone_is_shown_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--parts", "duel", *SMALL]) == 0
    shown = capsys.readouterr().out
    assert "transformers" in shown
    assert "vost-nano" not in shown
    assert "threads" in shown


def test_without_the_weights_the_rest_goes_on_and_says_so(
    tiny: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_vost.errors import WeightsError

    def missing(name: str, device: str) -> None:
        raise WeightsError("No weights.")

    monkeypatch.setattr(loading, "load_network", missing)
    assert main(["bench", "--json", "--parts", "nano", "growth", *SMALL]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["lines"] == []
    assert facts["notices"] == ["vost-nano was not measured: No weights."]
    assert len(facts["growth"]) == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--frames", "0"], "--frames must be at least 1, got 0"),
        (["--objects", "0"], "--objects must be at least 1, got 0"),
        (["--model", "vost-nano", "--parts", "duel"], "not of the SAM 2 family"),
        (["--size", "1000", "--parts", "duel"], "multiple of 32"),
        (["--device", "cdua"], "Unknown device"),
    ],
)
def test_wrong_use_is_one_sentence(given: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *given]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert sentence in said[0]
