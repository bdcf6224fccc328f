from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_vost import paths
from napari_vost.cli import models
from napari_vost.errors import ExportError, UnknownName, VostWarning, WeightsError
from napari_vost.model import weights
from tests.model.file_server import FileServer, serving

HOSTED = """
[[models]]
name = "hosted"
family = "sam2"
title = "Hosted"
licence = "Licence 1.0"
licence_note = "Do [bold]good[/bold]."
intended_use = "Tests."
architecture = "hiera-tiny"
input_size = 512
[[models.sources]]
kind = "{kind}"
file = "net.pt"
{more}
"""


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NAPARI_VOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.fixture
def hosted() -> Iterator[FileServer]:
    """A model of the user's registry, on a server of the user's."""
    with serving() as server:
        path = paths.state_folder() / "models.toml"
        path.parent.mkdir(parents=True)
        more = f'url = "{server.address}/net.pt"\nsha256 = "{server.sha256}"\nsize_bytes = {len(server.body)}'
        path.write_text(HOSTED.format(kind="url", more=more))
        yield server


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    models.add_parser(parser.add_subparsers())
    return models.run(parser.parse_args(["models", *words]))


def test_list_names_every_model_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list") == 0
    lines = capsys.readouterr().out.splitlines()
    tiny = next(line for line in lines if line.startswith("sam2.1-tiny"))
    assert "156 MB" in tiny
    assert "Apache-2.0" in tiny
    assert "CC-BY-SA-4.0" in next(line for line in lines if line.startswith("medsam2-us-heart"))


def test_list_says_it_to_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    command("list", "--json")
    table = json.loads(capsys.readouterr().out)
    names = [model["name"] for model in table]
    assert names[0] == "vost-nano"
    assert len(names) == len(set(names)) == 10
    assert all(model["licence"] and model["sources"] for model in table)


def test_show_gives_both_terms_of_medsam2_and_that_its_hash_is_unverified(capsys: pytest.CaptureFixture[str]) -> None:
    command("show", "medsam2")
    said = " ".join(capsys.readouterr().out.split())
    assert "CC-BY-SA-4.0" in said
    assert "research & education only" in said
    assert "not verified by a second source" in said


def test_show_gives_hash_and_size_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    command("show", "sam2.1-small", "--json")
    model = json.loads(capsys.readouterr().out)
    assert model["sources"][0]["size_bytes"] == 184_416_285
    assert model["sources"][0]["sha256"].startswith("6d1aa6f3")
    assert model["installed"] is None
    assert model["licence_accepted"] is False


@pytest.mark.parametrize("action", ["show", "get"])
def test_an_unknown_name_is_refused_with_the_nearest(action: str) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'medsam2'"):
        command(action, "medsam3")


def test_get_shows_the_licence_fetches_and_names_the_file(
    hosted: FileServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("get", "hosted", "--yes") == 0
    said = capsys.readouterr().out
    path = paths.cache_folder() / "models" / "hosted" / "net.pt"
    assert "Licence 1.0\nDo [bold]good[/bold]." in said
    assert f"hosted: {path}" in said
    assert f"{hosted.sha256} (registry)" in said
    assert path.read_bytes() == hosted.body
    command("show", "hosted", "--json")
    model = json.loads(capsys.readouterr().out)
    assert model["installed"] == str(path)
    assert model["licence_accepted"] is True


def test_get_fetches_nothing_where_nobody_can_accept(hosted: FileServer, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError, match="was not accepted"):
        command("get", "hosted")
    assert "--yes" in capsys.readouterr().out
    assert hosted.asked == []


@pytest.mark.parametrize(("answer", "accepts"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_get_asks_a_person(hosted: FileServer, monkeypatch: pytest.MonkeyPatch, answer: str, accepts: bool) -> None:
    person = io.StringIO(answer)
    person.isatty = lambda: True  # type: ignore[method-assign]  # a terminal for this test
    monkeypatch.setattr(sys, "stdin", person)
    if accepts:
        assert command("get", "hosted") == 0
    else:
        with pytest.raises(WeightsError, match="was not accepted"):
            command("get", "hosted")
    assert bool(hosted.asked) is accepts


def test_a_hash_that_only_the_host_vouches_for_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", server.address)
        server.hub_sha256 = server.sha256
        path = paths.state_folder() / "models.toml"
        path.parent.mkdir(parents=True)
        path.write_text(HOSTED.format(kind="hub", more='repository = "someone/net"'))
        with pytest.warns(VostWarning):
            command("get", "hosted", "--yes")
    said = capsys.readouterr().out
    assert "as published by the host; not verified by a second source" in said
    assert weights.read_record(paths.cache_folder() / "models" / "hosted" / "net.pt") is not None


def test_what_has_no_graphs_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="multiple of 16"):
        command("export", "vost-nano", "--out", str(tmp_path / "graphs"), "--size", "100")
    assert not (tmp_path / "graphs").exists()
