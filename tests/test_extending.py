"""docs/extending.md: its package is installed, keeps the contracts, and follows a clip."""

import importlib
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_vost.errors import UnknownName
from napari_vost.memory.policies import make_policy, policy_names
from napari_vost.model.network import Sam2Network
from napari_vost.motion.priors import prior_names
from napari_vost.phantoms.simple import moving_disc_cine
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork, tiny_sam2_model

PAGE = Path(__file__).resolve().parent.parent / "docs" / "extending.md"
NAMED = re.compile(r"^`([\w.]+)`\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
MOST_LINES = 60


def files() -> dict[str, str]:
    """The files of the example, by name."""
    return dict(NAMED.findall(PAGE.read_text(encoding="utf-8")))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example where Python finds it, with its metadata as an installer would write it."""
    for name, text in files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    project = tomllib.loads(files()["pyproject.toml"])["project"]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {place}" for name, place in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("vost_example", "test_vost_example"):
        sys.modules.pop(name, None)


def test_the_example_is_a_whole_package_of_at_most_60_lines() -> None:
    found = files()
    assert list(found) == ["pyproject.toml", "vost_example.py", "test_vost_example.py"]
    assert sum(len(text.splitlines()) for text in found.values()) <= MOST_LINES


def test_without_it_its_names_are_unknown() -> None:
    assert "milestones" not in policy_names() and "still" not in prior_names()
    with pytest.raises(UnknownName):
        make_policy("milestones", BrightNetwork().traits)


@pytest.mark.usefixtures("installed")
def test_its_own_tests_pass() -> None:
    module = importlib.import_module("test_vost_example")
    ran = 0
    for kind in (module.TestMilestones, module.TestStill):
        for name in dir(kind):
            if name.startswith("test_"):
                getattr(kind(), name)()
                ran += 1
    assert ran > 25


@pytest.mark.usefixtures("installed")
def test_once_installed_its_names_are_known_and_it_follows_a_clip() -> None:
    assert "milestones" in policy_names() and "still" in prior_names()
    phantom = moving_disc_cine(size=64, frames=30)
    session = Session(phantom.clip(), Sam2Network(tiny_sam2_model(), "tiny"), memory="milestones", motion="still")
    session.add_mask(0, phantom.mask(1, 0))
    assert {result.frame_index for result in session.propagate()} == set(range(30))
    assert (session.chosen.memory, session.chosen.motion) == ("milestones", "still")
    assert type(session.engine.policy).__module__ == type(session.engine.prior).__module__ == "vost_example"


@pytest.mark.usefixtures("installed")
def test_its_prior_forecasts_what_it_says() -> None:
    phantom = moving_disc_cine(size=64, frames=30)
    session = Session(phantom.clip(), BrightNetwork(64), motion="still")
    session.add_mask(0, phantom.mask(1, 0))
    for _ in session.propagate():
        pass
    first, second = session.forecast(12, horizon=2)
    rows, columns = np.nonzero(phantom.mask(1, 12))
    assert first.box == second.box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
    assert second.deviation_px[0] > first.deviation_px[0]
