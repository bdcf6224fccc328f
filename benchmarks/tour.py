"""A tour of the window with a real mouse; it takes the pictures of README.md and docs/window.md.

    xvfb-run -a -s "-screen 0 1280x800x24" python benchmarks/tour.py
    xvfb-run -a -s "-screen 0 1280x800x24" python benchmarks/tour.py --data SCAN --at 46,120,140 --out tour

The first line goes through both samples, the second one opens a scan of yours, clicks on frame 46 at y 120, x 140, and
follows. Its pictures show that scan: see what may be passed on. Without --at it is the middle of the scan.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari
from PIL import Image
from qtpy.QtCore import QEventLoop, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit, QPushButton, QScrollArea, QToolButton, QWidget

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from napari_vost.case_names import set_reader_name  # noqa: E402
from tests.ui.hands import CONTROL, LEFT, RIGHT, Hands  # noqa: E402  # the hands of the tests

SIZE = (1280, 800)
COLOURS = 255  # a screen has few, and a picture of few colours is small
READER = "Reader^Anna"

# The abdomen, frame, y, x; what is clicked and drawn comes from sample_data/truth.json.
RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN = (22, 153, 66), (27, 159, 190), (48, (172, 178), (105, 218))
SHOWN, WEAK = 32, 17  # a frame with all three; one on which the spleen has run into the bowel
MISSED, TOO_MUCH, LOWEST_OF_SPLEEN = (17, 150, 200), (26, 101, 195), 22  # a rim of the left kidney; bowel
PLANES = {"Axial": 32, "Coronal": 152, "Sagittal": 190}
# The heart, on its first frame: corners of boxes.
HEART = {
    "Left ventricle": ((49, 104), (189, 185)),
    "Left atrium": ((186, 116), (252, 188)),
    "Right ventricle": ((77, 36), (184, 92)),
}


class Waits:
    """What `Hands` asks of pytest-qt, without pytest."""

    def wait(self, ms: int) -> None:
        """Let the window live for a while."""
        loop = QEventLoop()
        QTimer.singleShot(ms, loop.quit)
        loop.exec()

    def waitUntil(self, is_so: Callable[[], bool], timeout: int = 600_000) -> None:  # noqa: N802  # pytest-qt's name
        """Wait until something is so, at most ``timeout`` milliseconds."""
        for _ in range(timeout // 20):
            if is_so():
                return
            self.wait(20)
        raise TimeoutError("the window did not get there")


class Tour:
    """A window with the dock, hands for it, and a camera.

    Parameters
    ----------
    out
        Folder of the pictures.
    theme
        ``"dark"`` or ``"light"``.
    """

    def __init__(self, out: Path, theme: str = "dark") -> None:
        self.out, self.waits = out, Waits()
        self.viewer = napari.Viewer()
        self.viewer.theme = theme
        _, self.dock = self.viewer.window.add_plugin_dock_widget("napari-vost")
        self.window: QWidget = self.dock.window()
        self.window.setGeometry(0, 0, *SIZE)
        self.dock.asks_to_close = lambda: True
        self.waits.wait(1500)  # for the list of cases, and a first frame

    @property
    def desk(self) -> Any:
        """The working part of the dock."""
        return self.dock.desk

    @property
    def hands(self) -> Hands:
        """Hands at the clip that is open."""
        return Hands(self.viewer, self.desk, self.waits)

    def open(self, how: Callable[[], object]) -> None:
        """Open a clip, and wait until the network is there too."""
        how()
        self.waits.waitUntil(lambda: self.desk is not None)
        self.waits.wait(1000)
        self.hands.settle()

    def open_sample(self, words: str) -> None:
        """Press a button of the first screen."""
        buttons = self.dock.start.findChildren(QPushButton)
        self.open(lambda: self.press(next(one for one in buttons if words in one.text())))

    def press(self, button: QWidget) -> None:
        """Click a button of the dock, as a mouse does."""
        self.show(button)
        QTest.mouseClick(button, LEFT)
        self.waits.wait(200)

    def show(self, part: QWidget) -> None:
        """Scroll the dock to a part of it."""
        for area in self.dock.findChildren(QScrollArea):
            area.ensureWidgetVisible(part)

    def name_object(self, name: str) -> None:
        """Give the chosen object a name, in the list."""
        objects = self.desk.objects
        place = objects.visualItemRect(objects.currentItem()).center()
        QTest.mouseClick(objects.viewport(), LEFT, pos=place)
        QTest.mouseDClick(objects.viewport(), LEFT, pos=place)
        line = objects.findChild(QLineEdit)
        QTest.keyClicks(line, name)
        QTest.keyClick(line, Qt.Key.Key_Return)
        self.hands.settle()

    def turn_to(self, place: int) -> None:
        """Go to a slice of the plane in view with the wheel."""
        hands = self.hands
        while self.desk.view.place != place:
            hands.wheel(-1 if place > self.desk.view.place else 1)

    def click(self, frame_index: int, y: float, x: float, button: Any = LEFT) -> None:
        """Turn to a frame, click, and wait for the mask."""
        self.turn_to(frame_index)
        self.hands.click(y, x, button)
        self.hands.settle()

    def box(self, frame_index: int, corner: tuple[float, float], other: tuple[float, float]) -> None:
        """Turn to a frame, draw a box, and wait for the mask."""
        self.hands.key(Qt.Key.Key_B)
        self.turn_to(frame_index)
        self.hands.drag([corner, other])
        self.hands.settle()

    def follow(self, shown_at: float = 1.0) -> None:
        """Follow, until a share of the frames is done."""
        self.hands.key(Qt.Key.Key_F)
        bar, studio = self.desk.follow_bar.progress, self.desk.studio
        self.waits.waitUntil(lambda: not studio.following or 0 < shown_at * bar.maximum() <= bar.value() < 1e6)
        if shown_at >= 1:
            self.hands.settle()

    def picture(self, part: QWidget | None = None) -> Image.Image:
        """The screen as one sees it, or a part of it."""
        self.waits.wait(600)
        corner, size = (QPoint(0, 0), self.window.size()) if part is None else (part.mapToGlobal(QPoint()), part.size())
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            screen = QApplication.primaryScreen()
            screen.grabWindow(0, corner.x(), corner.y(), size.width(), size.height()).save(file.name)
            return Image.open(file.name).convert("RGB")

    def take(self, name: str, picture: Image.Image | None = None) -> None:
        """Save a picture, of the whole window where none is given."""
        path = self.out / f"{name}.png"
        shot = picture or self.picture()
        shot.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB", flush=True)

    def take_planes(self, name: str, places: dict[str, int]) -> None:
        """The canvas in every plane, glued together; ``places`` says which slice."""
        shots = []
        for plane in self.desk.view.planes:
            self.desk.view.show(plane)
            self.waits.waitUntil(lambda plane=plane: self.desk.view.plane == plane)
            if plane in places:
                self.turn_to(places[plane])
            self.waits.wait(1500)
            shots.append(self.picture(self.hands.canvas))
        self.desk.view.show(self.desk.view.planes[0])
        width, height = (max(sides) for sides in zip(*(shot.size for shot in shots), strict=True))
        glued = Image.new("RGB", (2 * width, -(-len(shots) // 2) * height))
        for place, shot in enumerate(shots):
            glued.paste(shot, (place % 2 * width, (place // 2 + 1) * height - shot.height))
        self.take(name, glued.resize((960, round(960 * glued.height / glued.width)), Image.Resampling.LANCZOS))

    def export(self, path: Path) -> None:
        """Write the masks; a dialog would ask where."""
        head = next(one for one in self.desk.findChildren(QToolButton) if one.text() == "Export")
        self.press(head)
        panel, written = self.desk.export, []
        panel.exported.connect(written.append)
        panel.format.setCurrentIndex(panel.format.findData("".join(path.suffixes)))
        panel.export_to(path)
        self.waits.waitUntil(lambda: bool(written))
        self.waits.wait(300)
        self.show(panel.said)

    def close(self) -> None:
        """Close the window."""
        self.viewer.close()
        self.waits.wait(500)


def abdomen(out: Path) -> None:
    """Open, mark, follow, review, correct, look around, export."""
    tour = Tour(out)
    tour.take("window-start")
    tour.open_sample("Abdomen")
    tour.click(*RIGHT_KIDNEY)
    tour.name_object("Right kidney")
    tour.take("window-click")
    tour.hands.key(Qt.Key.Key_N)
    tour.click(*LEFT_KIDNEY)
    tour.name_object("Left kidney")
    tour.hands.key(Qt.Key.Key_N)
    tour.box(*SPLEEN)
    tour.name_object("Spleen")
    tour.turn_to(SHOWN)
    tour.follow(shown_at=0.4)
    tour.take("window-following")
    tour.hands.settle()
    tour.take("window-followed")
    tour.turn_to(WEAK - 1)
    tour.hands.key(Qt.Key.Key_W)
    tour.take("window-weak")
    correct(tour)
    tour.take("window-corrected")
    tour.take_planes("window-planes", PLANES)
    tour.export(Path("case-001.dcm"))
    tour.take("window-export")
    tour.close()


def correct(tour: Tour) -> None:
    """Click what is missing of the kidney and what is too much of the spleen, and end that."""
    hands = tour.hands
    hands.key(Qt.Key.Key_P)
    hands.key(Qt.Key.Key_2, CONTROL)
    tour.click(*MISSED)
    hands.key(Qt.Key.Key_3, CONTROL)
    tour.click(*TOO_MUCH, button=RIGHT)
    tour.turn_to(LOWEST_OF_SPLEEN)
    hands.key(Qt.Key.Key_G)
    hands.settle()
    tour.turn_to(TOO_MUCH[0])
    hands.settle()


def heart(out: Path) -> None:
    """A cine, in the light theme; then the first screen with cases."""
    tour = Tour(out, "light")
    tour.open_sample("ventricle")
    for name, corners in HEART.items():
        tour.hands.key(Qt.Key.Key_N)
        tour.box(0, *corners)
        tour.name_object(name)
    tour.follow()
    tour.turn_to(26)
    tour.take("window-cine")
    tour.dock.close_clip()
    tour.waits.wait(1000)
    tour.take("window-cases", tour.picture(tour.dock))
    tour.close()


def scan(path: Path, at: Sequence[int], out: Path) -> None:
    """A scan of one's own: a click, followed, in every plane."""
    tour = Tour(out)
    tour.open(lambda: tour.dock.start.path_chosen.emit(path))
    frame_index, y, x = at or [length // 2 for length in tour.desk.clip.shape]
    tour.click(frame_index, y, x)
    tour.take("scan-click")
    tour.follow()
    tour.take("scan-followed")
    tour.take_planes("scan-planes", {})
    tour.export(Path("scan.nii.gz"))
    tour.take("scan-export")
    tour.close()


def main(words: Sequence[str] | None = None) -> None:
    """Take the tour."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures", help="folder of the pictures")
    parser.add_argument("--data", type=Path, help="a scan of your own: a file, or the folder of one series")
    parser.add_argument("--at", type=lambda text: [int(one) for one in text.split(",")], default=[], metavar="F,Y,X")
    given = parser.parse_args(words)
    if given.data is not None and given.out == parser.get_default("out"):
        parser.error("--data needs --out: pictures of a scan do not belong into the documentation by themselves.")
    out, data = given.out.resolve(), given.data and given.data.resolve()
    out.mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:  # cases, settings and exports of the tour stay in the tour
        for name in ("state", "cases"):
            os.environ[f"NAPARI_VOST_{name.upper()}"] = f"{folder}/{name}"
        os.environ["NAPARI_CONFIG"] = f"{folder}/napari.yaml"
        os.chdir(folder)
        set_reader_name(READER)
        try:
            if data is not None:
                scan(data, given.at, out)
            else:
                abdomen(out)
                heart(out)
        finally:
            os.chdir(before)


if __name__ == "__main__":
    main()
