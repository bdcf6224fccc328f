"""The list of models: what it says, how one is downloaded with consent, and how the engine is made of other parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_vost.clip import Clip
from napari_vost.errors import Cancelled
from napari_vost.model import download, weights
from napari_vost.paths import state_folder
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork
from tests.model.file_server import FileServer, serving

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui

HOSTED = """
[[models]]
name = "hosted"
family = "sam2"
title = "A hosted network"
licence = "Licence 1.0"
licence_note = "Do good."
intended_use = "Tests."
architecture = "hiera-tiny"
input_size = 512
[[models.sources]]
kind = "url"
file = "net.pt"
url = "{address}/net.pt"
sha256 = "{sha256}"
size_bytes = {size}
"""


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A model of the user's registry on a server of the user's; what it serves is no network."""
    monkeypatch.setenv("NAPARI_VOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(download, "FIRST_WAIT_S", 0.005)
    with serving() as server:
        path = state_folder() / "models.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HOSTED.format(address=server.address, sha256=server.sha256, size=len(server.body)))
        yield server


@pytest.fixture
def bar(qtbot: Any, volume: Clip, hosted: FileServer) -> Iterator[Any]:
    """The bar of a studio with a session, opened."""
    from napari_vost.ui.engine_room import EngineRoom
    from napari_vost.ui.model_bar import ModelBar
    from napari_vost.ui.studio import Studio

    studio = Studio()
    studio.open(Session(volume, BrightNetwork()))
    room = EngineRoom(studio)
    bar = ModelBar(room)
    qtbot.addWidget(bar)
    bar.room, bar.said = room, []
    studio.said.connect(bar.said.append)
    studio.failed.connect(bar.said.append)
    bar.resize(300, 700)
    bar.show()
    qtbot.waitUntil(lambda: room.facts is not None and bar.models.count() > 5, timeout=30_000)
    yield bar
    bar.close_down()
    room.close_down()
    studio.end()


def choose(bar: Any, name: str) -> None:
    names = [bar.models.item(place).text().split("\n")[0] for place in range(bar.models.count())]
    bar.models.setCurrentRow(names.index(name))


def settle(bar: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not bar.room.studio.jobs.busy, timeout=30_000)
    qtbot.wait(50)


def pick(choice: Any, name: str) -> None:
    """As a user does: the entry becomes the current one, and is told as picked."""
    choice.setCurrentIndex(choice.findData(name))
    choice.activated.emit(choice.currentIndex())


def line_of(bar: Any, name: str) -> str:
    texts = [bar.models.item(place).text() for place in range(bar.models.count())]
    return next(text.split("\n")[1] for text in texts if text.startswith(name + "\n"))


def answer(bar: Any, qtbot: Any, accept: bool) -> str:
    """Press a button of the licence dialog; what the dialog said."""
    qtbot.waitUntil(lambda: bar._dialog is not None)
    words: str = bar._dialog.words.text()
    (bar._dialog.take if accept else bar._dialog.leave).click()
    return words


def test_each_model_says_licence_size_whether_it_is_here_and_that_nobody_has_measured_it(bar: Any) -> None:
    assert line_of(bar, "vost-nano") == "Apache-2.0 · here · not timed"
    assert line_of(bar, "sam2.1-tiny") == "Apache-2.0 · 156 MB · to download"
    assert line_of(bar, "hosted") == "Licence 1.0 · 3 MB · to download"
    choose(bar, "hosted")
    assert bar.about.text() == "A hosted network. Tests." and bar.button.text() == "Download 3 MB and use …"


def test_a_measured_speed_is_said(bar: Any, qtbot: Any) -> None:
    bar.room._speeds.set(f"vost-nano on {bar.room.facts.device}", {"follow_ms": 35.4})
    bar.room.ask()
    settle(bar, qtbot)
    assert line_of(bar, "vost-nano") == "Apache-2.0 · here · 35 ms/frame"


def test_another_model_is_used_at_a_press_of_the_button(bar: Any, qtbot: Any) -> None:
    choose(bar, "vost-nano")
    bar.button.click()
    settle(bar, qtbot)
    assert bar.room.studio.session.engine.network.traits.name == "vost-nano"
    assert line_of(bar, "vost-nano").startswith("Apache-2.0 · in use")
    assert not bar.button.isEnabled() and bar.button.text() == "vost-nano is in use"


def test_without_consent_nothing_is_fetched(bar: Any, qtbot: Any, hosted: FileServer) -> None:
    choose(bar, "hosted")
    bar.button.click()
    words = answer(bar, qtbot, accept=False)
    assert "Licence 1.0" in words and "Do good." in words and "3 MB" in words
    settle(bar, qtbot)
    assert hosted.asked == [] and bar._fetching is None and bar.said == []


def test_with_consent_it_is_fetched_once_and_what_cannot_be_used_is_one_sentence(
    bar: Any, qtbot: Any, hosted: FileServer
) -> None:
    choose(bar, "hosted")
    bar.button.click()
    answer(bar, qtbot, accept=True)
    qtbot.waitUntil(lambda: bool(bar.said), timeout=30_000)
    settle(bar, qtbot)
    path = Path(str(weights.paths.cache_folder())) / "models" / "hosted" / "net.pt"
    assert path.read_bytes() == hosted.body and not bar.progress.isVisible()
    assert len(bar.said) == 1 and "net.pt" in bar.said[0] and "\n" not in bar.said[0]
    assert bar.room.facts.model == "bright"
    qtbot.waitUntil(lambda: "here" in line_of(bar, "hosted"), timeout=10_000)
    asked = len(hosted.asked)
    bar.button.click()
    settle(bar, qtbot)
    assert len(hosted.asked) == asked


def test_a_server_that_refuses_is_one_sentence_that_stays(bar: Any, qtbot: Any, hosted: FileServer) -> None:
    hosted.statuses = [404] * 9
    choose(bar, "hosted")
    bar.button.click()
    answer(bar, qtbot, accept=True)
    qtbot.waitUntil(lambda: "could not be fetched" in bar.line.text(), timeout=30_000)
    assert bar.line.isVisible() and bar._fetching is None and bar.room.facts.model == "bright"
    qtbot.wait(300)  # the list has looked anew
    assert bar.models.model_row.entry.name == "hosted"
    assert bar.button.isEnabled() and bar.button.text().startswith("Download")


@pytest.mark.parametrize("how", ["button", "closing"])
def test_a_download_tells_how_far_it_is_and_can_be_stopped(
    bar: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    ended: list[str] = []

    def slow(entry: Any, *, consent: Callable[[str], bool], progress: Callable[[int, int], None]) -> Path:
        try:
            for done in range(1, 2000):
                progress(done * 1_000_000, 2_000_000_000)
                time.sleep(0.01)
        except Cancelled:
            ended.append("cancelled")
            raise
        return Path("never")

    monkeypatch.setattr(weights, "fetch", slow)
    choose(bar, "hosted")
    bar.button.click()
    answer(bar, qtbot, accept=True)
    qtbot.waitUntil(lambda: bar.progress.value() > 0 and "of 2000 MB" in bar.line.text(), timeout=10_000)
    assert bar.button.text() == "Cancel the download" and bar.progress.isVisible()
    if how == "closing":
        bar.close_down()
        qtbot.waitUntil(lambda: ended == ["cancelled"], timeout=5000)
        bar.close_down = lambda: None
        return
    bar.button.click()
    qtbot.waitUntil(lambda: ended == ["cancelled"] and bar._fetching is None, timeout=5000)
    assert bar.line.text() == "" and not bar.progress.isVisible() and bar.said == []


def test_memory_motion_and_device_are_chosen_and_what_automatic_took_is_said(bar: Any, qtbot: Any) -> None:
    assert bar.memory.itemText(0) == "Automatic: quality" and bar.motion.itemText(0) == "Automatic: none"
    assert "Memory: A volume" in bar.why.text() and "Motion: Slices" in bar.why.text()
    pick(bar.memory, "tiered")
    pick(bar.motion, "kalman")
    settle(bar, qtbot)
    chosen = bar.room.studio.session.chosen
    assert (chosen.memory, chosen.motion) == ("tiered", "kalman")
    assert bar.memory.currentText() == "tiered" and "Memory" not in bar.why.text()
    pick(bar.device, "cpu")
    settle(bar, qtbot)
    assert bar.room.studio.session.options.device == "cpu" and bar.device.currentData() == "cpu"


def test_a_policy_that_does_not_fit_is_refused_and_the_choice_goes_back(bar: Any, qtbot: Any) -> None:
    pick(bar.memory, "tree")
    settle(bar, qtbot)
    assert "needs 2 or more" in bar.said[-1] and bar.memory.currentData() == "auto"


def test_devices_that_are_not_here_are_grey(bar: Any) -> None:
    here = {name.partition(":")[0] for name in bar.room.facts.devices} | {"auto"}
    for place in range(bar.device.count()):
        name = bar.device.itemData(place).partition(":")[0]
        assert bar.device.model().item(place).isEnabled() == (name in here)


def test_it_fits_the_dock_and_takes_the_keyboard_by_tab_alone(bar: Any) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QAbstractButton, QComboBox

    assert bar.minimumSizeHint().width() <= 280
    for kind in (QAbstractButton, QComboBox):
        for part in bar.findChildren(kind):
            if part.isVisible():
                assert part.focusPolicy() == Qt.FocusPolicy.TabFocus
