from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_vost import paths
from napari_vost.errors import InputError, UnknownName, VostWarning
from napari_vost.model import registry

MODEL = """
[[models]]
name = "mine"
family = "sam2"
title = "Mine"
licence = "MIT"
licence_note = "Mine."
intended_use = "Tests."
architecture = "hiera-tiny"
input_size = 512
[[models.sources]]
kind = "file"
file = "mine.safetensors"
"""


def toml(folder: Path, text: str = MODEL) -> Path:
    path = folder / "models.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_shipped_registry_has_the_published_models_with_hash_size_and_licence() -> None:
    entries = registry.load()
    assert next(iter(entries)) == "vost-nano"
    for size in ("tiny", "small", "base-plus", "large"):
        entry = entries[f"sam2.1-{size}"]
        assert entry.licence == "Apache-2.0"
        assert [source.kind for source in entry.sources] == ["url", "hub"]
        assert entry.sources[0].sha256 is not None
        assert entry.architecture is not None
        assert entry.architecture.input_size == 1024
    assert entries["sam2.1-tiny"].sources[0].size_bytes == 156_008_466
    assert entries["sam2.1-large"].architecture == registry.Architecture(
        1024, 144, 2, (2, 6, 36, 4), (23, 33, 43), (8, 4, 16, 8), (7, 7), (1152, 576, 288, 144)
    )


def test_every_medsam2_shows_both_of_its_conflicting_terms_before_consent() -> None:
    entries = [entry for name, entry in registry.load().items() if name.startswith("medsam2")]
    assert len(entries) == 5
    for entry in entries:
        assert "CC-BY-SA-4.0" in entry.licence_text
        assert "research & education only" in entry.licence_text
        assert entry.architecture is not None
        assert entry.architecture.input_size == 512
        assert entry.sources[0].sha256 is None
    assert len({entry.licence_text for entry in entries}) == 1


def test_only_what_ships_needs_no_fetching() -> None:
    assert [name for name, entry in registry.load().items() if entry.local] == ["vost-nano"]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean 'sam2\.1-tiny'"):
        registry.find("sam2.1-tinny")


def test_the_users_own_models_are_read_from_the_state_folder() -> None:
    path = toml(paths.state_folder())
    entry = registry.find("mine")
    assert entry.local
    assert entry.sources[0].file == str(path.parent / "mine.safetensors")
    assert entry.architecture is not None
    assert (entry.architecture.embed_dim, entry.architecture.input_size) == (96, 512)


def test_a_registry_may_bring_its_own_architecture(tmp_path: Path) -> None:
    own = """
    [architectures.narrow]
    embed_dim = 8
    heads = 1
    stages = [1, 1, 2, 1]
    global_blocks = [3]
    windows = [8, 4, 4, 2]
    background = [7, 7]
    neck_channels = [64, 32, 16, 8]
    """
    entry = registry.find("mine", [toml(tmp_path, own + MODEL.replace("hiera-tiny", "narrow"))])
    assert entry.architecture is not None
    assert entry.architecture.embed_dim == 8


class Point:
    """An entry point of another package."""

    def __init__(self, given: object) -> None:
        self.given = given
        self.value = "other:models"

    def load(self) -> object:
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


@pytest.mark.parametrize("wrap", [lambda path: path, lambda path: lambda: str(path)])
def test_other_packages_add_models_through_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrap: object
) -> None:
    path = toml(tmp_path)
    asked = SimpleNamespace(group="")

    def points(group: str) -> list[Point]:
        asked.group = group
        return [Point(wrap(path))]  # type: ignore[operator]  # one of the two above

    monkeypatch.setattr(registry, "entry_points", points)
    assert registry.find("mine").title == "Mine"
    assert asked.group == "napari_vost.models"


def test_a_broken_entry_point_warns_and_leaves_the_other_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [Point(ImportError("gone"))])
    with pytest.warns(VostWarning, match="Models of 'other:models' were skipped: gone"):
        assert "sam2.1-tiny" in registry.load()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('name = "mine"', 'name = "sam2.1-tiny"', "already taken"),
        ('name = "mine"', 'name = "../mine"', "a model's name must be"),
        ('name = "mine"', "", "a model's name must be"),
        ('family = "sam2"', 'family = "sam9"', "family must be 'sam2' or 'nano'"),
        ('title = "Mine"', "", "lacks title"),
        ('title = "Mine"', "title = 3", "title must be a text, got 3"),
        ('title = "Mine"', 'titel = "Mine"', "Unknown key in model 'mine' 'titel'.*Did you mean 'title'"),
        ('architecture = "hiera-tiny"', 'architecture = "hiera-tinny"', "Did you mean 'hiera-tiny'"),
        ('architecture = "hiera-tiny"', "", "needs an architecture"),
        ("input_size = 512", "input_size = 500", "multiple of 32"),
        ('kind = "file"', 'kind = "ftp"', "kind must be 'url', 'hub', 'file' or 'shipped'"),
        ('kind = "file"', 'kind = "hub"', "needs a repository"),
        ('kind = "file"', 'kind = "url"\nurl = "http://a.example/x"', "must begin with https://"),
        ('kind = "file"', 'kind = "file"\nsha256 = "ABC"', "64 lower-case hexadecimal"),
        ('kind = "file"', 'kind = "file"\nsha265 = "abc"', "Did you mean 'sha256'"),
        (
            'kind = "file"\nfile = "mine.safetensors"',
            'kind = "hub"\nrepository = "a/b"\nfile = "../x.pt"',
            "plain relative",
        ),
        ('[[models.sources]]\nkind = "file"\nfile = "mine.safetensors"', "", "at least one"),
        ("[[models]]", "[[models", "cannot be read"),
        ("[[models]]", "[[modells]]", "Did you mean 'models'"),
    ],
)
def test_a_mistake_in_a_registry_is_one_sentence_that_names_the_file(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    assert old in MODEL
    path = toml(tmp_path, MODEL.replace(old, new))
    with pytest.raises(InputError, match=reason) as caught:
        registry.load([path])
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_plain_http_is_taken_with_a_hash(tmp_path: Path) -> None:
    text = MODEL.replace('kind = "file"', f'kind = "url"\nurl = "http://intranet.example/x.pt"\nsha256 = "{"0" * 64}"')
    assert registry.find("mine", [toml(tmp_path, text)]).sources[0].kind == "url"
