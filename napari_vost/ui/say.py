"""What the user is told: one sentence, where napari shows its messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from napari.utils.notifications import show_error, show_warning

from napari_vost.errors import Cancelled, VostError

_OPTIONS = {  # of programs; a window has boxes to tick and buttons instead
    " (order= changes that)": "",
    " (--fill-gap, fill_gap=True)": "",
    " (resample=True)": "",
    " (--reference DIR)": "",
}
_FROM_0 = re.compile(r"\b(\d+) \(0-based\)")
_FRAMES = re.compile(r"\b([Ff]rames? )(\d+(?: to \d+)?)\b")
_NUMBER = re.compile(r"\d+")


def in_window(words: str) -> str:
    """A sentence for programs, without the names of the options that a program would set."""
    for option, nothing in _OPTIONS.items():
        words = words.replace(option, nothing)
    return _FROM_0.sub(lambda found: str(int(found[1]) + 1), words)


def counted_from_one(words: str) -> str:
    """A sentence of the engine, whose frames count from 0, with frames as the window counts them."""
    return _FRAMES.sub(lambda found: found[1] + _NUMBER.sub(lambda one: str(int(one[0]) + 1), found[2]), words)


def breakable(words: str) -> str:
    """Let long paths break where a folder ends, so that they do not widen the dock."""
    return words.replace("/", "/\u200b").replace("\\", "\\\u200b")


def say_error(error: Exception) -> None:
    """Show an error that was raised on purpose in its sentence; any other one is a fault of ours and goes on.

    Raises
    ------
    Exception
        What is not a `VostError`.
    """
    if isinstance(error, Cancelled):
        return
    if not isinstance(error, VostError):
        raise error
    show_error(in_window(str(error)))


def say_notices(notices: Iterable[str]) -> None:
    """Show what a reader or an exporter has to say, in one message."""
    words = "\n".join(dict.fromkeys(map(in_window, notices)))
    if words:
        show_warning(words)
