"""The keys of the window: one table, bound on our own layers only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Action = Callable[[], None]


@dataclass(frozen=True)
class Key:
    """A key and what it does.

    Attributes
    ----------
    key
        As napari writes it.
    action
        Name of what is done, as in the actions that are bound.
    says
        What it does, for buttons and the table of keys.
    """

    key: str
    action: str
    says: str


KEYS = (
    Key("P", "point", "Point"),
    Key("B", "box", "Box"),
    Key("S", "scribble", "Scribble"),
    Key("L", "lasso", "Lasso"),
    Key("T", "swap", "Add or remove"),
    Key("N", "new_object", "New object"),
    *(Key(f"Control-{number}", f"object_{number}", f"Object {number}") for number in range(1, 10)),
    Key("-", "previous_object", "Previous object"),
    Key("=", "next_object", "Next object"),
    Key("F", "follow", "Follow or stop"),
    Key("Escape", "escape", "Drop the stroke or the polygon, else the tool, else stop"),
    Key("W", "next_weak", "Next weak frame"),
    Key("Shift-W", "previous_weak", "Previous weak frame"),
    Key("Enter", "accept", "Accept, and go to the next weak frame"),
    Key("K", "lock", "Lock or unlock"),
    Key("G", "end_here", "Ends here"),
    Key("Delete", "not_here", "Not here"),
    Key(",", "previous_prompted", "Previous prompted frame"),
    Key(".", "next_prompted", "Next prompted frame"),
    Key("PageUp", "back_10", "10 frames back"),
    Key("PageDown", "on_10", "10 frames on"),
    Key("Home", "first_frame", "First frame of the object"),
    Key("End", "last_frame", "Last frame of the object"),
    Key("Left", "previous_frame", "Previous frame"),
    Key("Right", "next_frame", "Next frame"),
    Key("J", "play", "Play"),
    Key("Control-Z", "undo", "Undo"),
    Key("Control-Shift-Z", "redo", "Redo"),
)
HIDE, PAN = "H", "Space"  # while they are held
HELD = (Key(HIDE, "hide", "The bare image, while held"), Key(PAN, "pan", "Pan, while held"))


def key_of(action: str) -> str:
    """The key of an action as people write it, "" where it has none."""
    found = next((one.key for one in (*KEYS, *HELD) if one.action == action), "")
    return found.replace("Control-", "Ctrl+").replace("Shift-", "Shift+")


def bind(layers: Iterable[Any], actions: Mapping[str, Action], held: Mapping[str, Callable[[bool], None]]) -> None:
    """Bind every key on layers of ours; nothing is bound on the viewer, and nothing on a class.

    Parameters
    ----------
    layers
        Where the keys work.
    actions
        What is done, by action.
    held
        Called with True when a key goes down and with False when it comes up, by action.
    """
    for layer in layers:
        for one in KEYS:
            layer.bind_key(one.key, _pressed(actions[one.action]), overwrite=True)
        for one in HELD:
            if one.action in held:
                layer.bind_key(one.key, _held(held[one.action]), overwrite=True)


def _pressed(action: Action) -> Callable[[Any], None]:
    def press(layer: Any) -> None:
        action()

    return press


def _held(told: Callable[[bool], None]) -> Callable[[Any], Generator[None, None, None]]:
    def hold(layer: Any) -> Generator[None, None, None]:
        told(True)
        yield
        told(False)

    return hold
