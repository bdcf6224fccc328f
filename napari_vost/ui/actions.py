"""What keys and buttons do, by name; see `keys.KEYS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, get_args

from napari_vost.ui.lane_data import next_weak
from napari_vost.ui.tools import Tool

if TYPE_CHECKING:
    from napari_vost.ui.desk import Desk


class Actions:
    """Everything that a user does by a key or a button.

    Parameters
    ----------
    desk
        Whose view, tools and session are acted on.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def table(self) -> dict[str, Callable[[], None]]:
        """What is done, by the names of `keys.KEYS` and of the tools."""
        studio = self._desk.studio

        def here() -> int:
            return self._desk.view.frame_index

        armed = {tool: self._armer(tool) for tool in get_args(Tool)}
        numbered = {f"object_{number}": self._chooser(number) for number in range(1, 10)}
        return {
            **armed, **numbered, "swap": self._desk.tools.swap, "new_object": lambda: _none(studio.new_object()),
            "previous_object": lambda: studio.step_object(-1), "next_object": lambda: studio.step_object(1),
            "follow": studio.toggle_following, "escape": self._escape,
            "next_weak": lambda: self._go_weak(1), "previous_weak": lambda: self._go_weak(-1),
            "accept": self._accept, "lock": lambda: studio.toggle_lock(here()),
            "end_here": lambda: studio.end_here(here()), "not_here": lambda: studio.not_here(here()),
            "previous_prompted": lambda: self._go_prompted(-1), "next_prompted": lambda: self._go_prompted(1),
            "back_10": lambda: self._desk.view.step(-10), "on_10": lambda: self._desk.view.step(10),
            "first_frame": lambda: self._go_extent(0), "last_frame": lambda: self._go_extent(1),
            "previous_frame": lambda: self._desk.view.step(-1), "next_frame": lambda: self._desk.view.step(1),
            "play": self._play, "undo": studio.undo, "redo": studio.redo,
        }  # fmt: skip

    def _armer(self, tool: Tool) -> Callable[[], None]:
        return lambda: self._desk.tools.arm(tool)  # again for the next object: Esc alone puts it down

    def _chooser(self, number: int) -> Callable[[], None]:
        return lambda: self._desk.studio.choose(number)

    def _escape(self) -> None:
        if self._desk.mouse.drawing:
            self._desk.mouse.drop_stroke()
        elif self._desk.scene.brush.drop():
            return
        elif self._desk.tools.tool is not None:
            self._desk.tools.put_down()
        else:
            self._desk.studio.stop()

    def hide(self, down: bool) -> None:
        """Show the bare image as long as a key is down."""
        self._desk.scene.bare(down)

    def hold_pan(self, down: bool) -> None:
        """Let the left button pan as long as a key is down, whatever the tool."""
        self._desk.mouse.panning = down
        if self._desk.tools.strokes:
            self._desk.scene.prompts.mouse_pan = down

    def _play(self) -> None:
        if self._desk.player is not None:
            self._desk.player.toggle()

    # getting about ------------------------------------------------------------------------------------------------

    def _go_weak(self, step: int) -> None:
        found = next_weak(self._desk.data, None, self._desk.view.frame_index, step)
        if found is None:
            self._desk.studio.said.emit("No weak frame that way.")
        else:
            self._desk.studio.choose(found[0])
            self._desk.view.go_to(found[1])

    def _accept(self) -> None:
        here = self._desk.view.frame_index
        lane = self._desk.data.find(self._desk.studio.object_id)
        if lane is None or lane.masks[here] is None:
            self._desk.studio.said.emit("There is no mask of this object here to accept.")
            return
        self._desk.studio.accept(here)
        found = next_weak(self._desk.data, None, here, 1)
        if found is not None and found != (self._desk.studio.object_id, here):
            self._desk.studio.choose(found[0])
            self._desk.view.go_to(found[1])

    def _go_prompted(self, step: int) -> None:
        here = self._desk.view.frame_index
        frames = sorted({one.frame_index for one in self._desk.studio.prompts}, reverse=step < 0)
        beyond = [frame for frame in frames if (frame - here) * step > 0]
        if beyond:
            self._desk.view.go_to(beyond[0])

    def _go_extent(self, end: int) -> None:
        lane = self._desk.data.find(self._desk.studio.object_id)
        if lane is not None and lane.extent is not None:
            self._desk.view.go_to(lane.extent[end])


def _none(_: object) -> None:
    return None
