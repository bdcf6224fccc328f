"""Every error napari-vost raises on purpose, one tree.

VostError
├── InputError            what the user gave cannot be used
│   ├── ReadError         a file or folder cannot be read as a clip
│   │   └── ChoiceNeeded  several series, time points or slices: the caller must choose
│   ├── PromptError       a prompt outside the image or the clip, or of the wrong shape
│   └── UnknownName       a model, policy, prior, device or layout nobody registered
├── GeometryError         positions, spacing or orientation that cannot be represented
├── WeightsError          weights that are missing, changed, or of another network
├── ExportError           a result that cannot be written, or not without loss
├── SessionError          a session file that cannot be opened, written to, or does not fit
│   └── ScanNotFound      its scan is not where it was, or has changed: the caller may say where it is
└── Cancelled             the user stopped a running job; never shown as a failure

A message says what came, what was expected and what to do, in one sentence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VostError(Exception):
    """Root of the tree; its message is written for the user."""


class InputError(VostError, ValueError):
    """What the user gave cannot be used."""


class ReadError(InputError):
    """A file or folder cannot be read as a clip."""


class ChoiceNeeded(ReadError):
    """More than one clip is meant; the caller must choose one.

    Parameters
    ----------
    message
        One sentence that says what has to be chosen.
    choices
        One line per choice, in the words the caller may give back.
    """

    def __init__(self, message: str, choices: Iterable[str] = ()) -> None:
        self.choices = tuple(choices)
        super().__init__("\n  ".join([message, *self.choices]))


class PromptError(InputError):
    """A prompt outside the image or the clip, or of the wrong shape."""


class UnknownName(InputError):
    """A name that is not registered, with the nearest one that is."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"Unknown {kind} {name!r}: choose one of {', '.join(names) or 'none'}.{hint}")


class GeometryError(VostError):
    """Positions, spacing or orientation that cannot be represented."""


class WeightsError(VostError):
    """Weights that are missing, changed, or of another network."""


class ExportError(VostError):
    """A result that cannot be written, or not without loss."""


class SessionError(VostError):
    """A session file that cannot be opened or does not fit its source."""


class ScanNotFound(SessionError):
    """The scan of a session file is not where it was, or has changed."""


class Cancelled(VostError):
    """The user stopped a running job."""


class VostWarning(UserWarning):
    """A notice for the user: the work goes on, with what the sentence says changed."""
