"""``napari-vost models``: which models there are, what may be done with them, how to get one, how to export one."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from napari_vost.model.registry import ModelEntry, Source


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``models`` and its four actions to the command line."""
    parser = subparsers.add_parser("models", help="list, show, fetch or export models", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="(list | show | get | export)")
    listed = actions.add_parser("list", help="all models, their size, licence and whether they are here")
    shown = actions.add_parser("show", help="all that is known of one model")
    fetched = actions.add_parser("get", help="fetch a model after its licence was accepted")
    exported = actions.add_parser("export", help="write a model as ONNX graphs")
    exported.add_argument("--out", type=Path, required=True, help="folder of the graphs")
    exported.add_argument("--size", type=int, help="side of the input in pixels (default: the model's own)")
    for action in (shown, fetched, exported):
        action.add_argument("name", metavar="NAME", help="a name of `napari-vost models list`")
    for action in (listed, shown):
        action.add_argument("--json", action="store_true", help="for programs")
    fetched.add_argument("--yes", action="store_true", help="accept the licence without being asked")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; returns the exit code 0.

    Raises
    ------
    VostError
        Unknown name, declined licence, weights that cannot be had or are not the expected ones, or a model that has
        no ONNX graphs.
    """
    from rich.console import Console

    from napari_vost.model import registry

    console = Console(file=sys.stdout)
    if args.action == "list":
        entries = list(registry.load().values())
        if args.json:
            sys.stdout.write(json.dumps([facts(entry) for entry in entries], indent=1) + "\n")
        else:
            _list(entries, console)
        return 0
    entry = registry.find(args.name)
    if args.action == "get":
        _get(entry, args.yes, console)
    elif args.action == "export":
        from napari_vost.model.loading import load_network
        from napari_vost.onnx_export import export_onnx

        for path in export_onnx(load_network(entry.name, "cpu"), args.out, args.size):
            console.print(str(path), soft_wrap=True)
    elif args.json:
        sys.stdout.write(json.dumps(facts(entry), indent=1) + "\n")
    else:
        _show(entry, console)
    return 0


def facts(entry: ModelEntry) -> dict[str, object]:
    """What there is to say of a model, ready for JSON."""
    from napari_vost.model import weights

    path = weights.installed(entry)
    return {
        "name": entry.name,
        "title": entry.title,
        "family": entry.family,
        "intended_use": entry.intended_use,
        "licence": entry.licence,
        "licence_note": entry.licence_note.strip(),
        "licence_accepted": entry.local or weights.accepted(entry.licence_text),
        "input_size": entry.architecture.input_size if entry.architecture else None,
        "parameters_million": entry.parameters_million,
        "sources": [_source_facts(source) for source in entry.sources],
        "installed": str(path) if path else None,
        "hash": _hash_line(entry, path),
    }


def _source_facts(source: Source) -> dict[str, object]:
    """The fields of a source that are set."""
    address = source.url or (
        f"{source.repository}@{source.revision}/{source.file}" if source.repository else source.file
    )
    return {
        "kind": source.kind,
        "from": address,
        "size_bytes": source.size_bytes,
        "about_bytes": source.about_bytes,
        "sha256": source.sha256,
    }


def _hash_line(entry: ModelEntry, path: Path | None) -> str:
    """Who vouches for the file."""
    from napari_vost.model import weights

    if entry.local:
        return "local" if not any(source.sha256 for source in entry.sources) else "in the registry"
    if path is not None:
        known, origin = weights.expected_hash(entry, path)
        if known and origin != "registry":
            return f"{known} ({origin}; not verified by a second source)"
        return f"{known} ({origin})" if known else "none recorded yet"
    first = entry.sources[0]
    return (
        f"{first.sha256} (registry)" if first.sha256 else "recorded at the first fetch, not verified by a second source"
    )


def _list(entries: list[ModelEntry], console: Console) -> None:
    """A table of all models."""
    from rich.table import Table
    from rich.text import Text

    from napari_vost.model import weights

    table = Table(box=None, pad_edge=False)
    for title in ("name", "title", "size", "here", "licence"):
        table.add_column(title, overflow="fold", no_wrap=title == "name")
    for entry in entries:
        ships = entry.sources[0].kind == "shipped"
        here = "no" if weights.installed(entry) is None else "ships" if ships else "yes"
        table.add_row(*(Text(cell) for cell in (entry.name, entry.title, _size(entry), here, entry.licence)))
    console.print(table)


def _show(entry: ModelEntry, console: Console) -> None:
    """Everything about one model, a line each."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in facts(entry).items():
        if key == "sources":
            for source in entry.sources:
                table.add_row(Text("source"), Text(str(_source_facts(source)["from"])))
            table.add_row(Text("size"), Text(_size(entry)))
        elif value is not None:
            said = ("yes" if value else "no") if isinstance(value, bool) else str(value)
            table.add_row(Text(key.replace("_", " ")), Text(said))
    console.print(table)


def _get(entry: ModelEntry, yes: bool, console: Console) -> None:
    """Fetch with a progress bar; the licence is shown first."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.prompt import Confirm
    from rich.text import Text

    from napari_vost.model import weights

    def consent(text: str) -> bool:
        console.print(Text(f"Licence of {entry.name}:\n{text}"))
        if yes:
            return True
        if not sys.stdin.isatty():
            console.print(Text("Nobody is there to accept it: run again with --yes if you do."))
            return False
        return Confirm.ask("Do you accept it?", console=console, default=False)

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)

    def progress(done: int, total: int | None) -> None:
        if not bar.tasks:
            bar.start()
            bar.add_task(entry.name)
        bar.update(bar.tasks[0].id, completed=done, total=total)

    try:
        path = weights.fetch(entry, consent=consent, progress=progress)
    finally:
        if bar.tasks:
            bar.stop()
    console.print(Text(f"{entry.name}: {path}\nsha256: {_hash_line(entry, path)}"), soft_wrap=True)


def _size(entry: ModelEntry) -> str:
    """Size of the file to fetch, ``≈`` where it is not exact."""
    first = entry.sources[0]
    if first.size_bytes:
        return f"{first.size_bytes / 1e6:.0f} MB"
    return f"≈ {first.about_bytes / 1e6:.0f} MB" if first.about_bytes else "-"
