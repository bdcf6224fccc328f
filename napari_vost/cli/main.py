"""``napari-vost``: the command line."""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from collections.abc import Callable, Sequence

from napari_vost import __version__
from napari_vost.errors import VostError, VostWarning

COMMANDS = ("demo", "info", "segment", "replay", "models", "evaluate", "bench", "train")
_DESCRIPTION = "Click a structure in a scan or a cine loop and the mask follows it. Not for clinical use."


def build_parser() -> argparse.ArgumentParser:
    """Make the parser with all commands."""
    parser = argparse.ArgumentParser(prog="napari-vost", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"napari-vost {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"napari_vost.cli.{name}")
        before = set(subparsers.choices)
        module.add_parser(subparsers)
        for added in set(subparsers.choices) - before:
            subparsers.choices[added].set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns
    -------
    int
        0 done; 2 wrong use, unreadable input or a target that cannot be written; 1 anything else.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    args = build_parser().parse_args([word for word in given if word != "--debug"])
    with warnings.catch_warnings():
        warnings.simplefilter("always", VostWarning)
        warnings.showwarning = _notices()
        try:
            return int(args.run(args))
        except VostError as error:
            if debug:
                raise
            _say(str(error))
            return 2
        except KeyboardInterrupt:
            _say("Stopped.")
            return 1
        except BrokenPipeError:
            return 1
        except Exception as error:
            if debug:
                raise
            _say(
                f"Something went wrong inside napari-vost ({type(error).__name__}: {error}). Add --debug to see where."
            )
            return 1


def _say(text: str) -> None:
    sys.stderr.write(f"napari-vost: {text}\n")


def _notices() -> Callable[..., None]:
    """Show each notice of ours once, as one line; other libraries' warnings are for developers and stay quiet."""
    said: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *where: object, **more: object) -> None:
        if issubclass(category, VostWarning) and str(message) not in said:
            said.add(str(message))
            sys.stderr.write(f"note: {message}\n")

    return show
