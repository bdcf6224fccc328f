"""The house rules that a machine can check: sizes, docstrings, what the package never does, what no file names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "napari_vost"
CODE = sorted(path for folder in ("napari_vost", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
SHIPPED = [path for path in CODE if PACKAGE in path.parents]
CONTRACTS = PACKAGE / "testing"  # contract tests that plug-ins inherit: they assert, and their names are their docs

MAX_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8

# Written in pieces so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.~/<])/" + r"(?:work|opt|root|home|Users|tmp)/" + r"\w")
REGISTRY_HOST = re.compile(r"pyp" + r"i\.(?:org|io)|python" + r"hosted|download\.py" + r"torch")
TEXT_SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".json", ".cfg", ""}
OUR_FOLDERS = (".ci", "napari_vost", "tests", "benchmarks", "docs", "models", "sample_data")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def texts() -> list[Path]:
    top = [path for path in ROOT.iterdir() if path.is_file()]
    deep = [path for folder in OUR_FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in top + deep if path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts]


def public_without_docstring(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    """Public classes, functions and methods of a module or class body that say nothing about themselves."""
    for node in body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
        if not marks & {"setter", "deleter", "overload", "override"} and ast.get_docstring(node) is None:
            yield f"{prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from public_without_docstring(node.body, f"{prefix}{node.name}.")


def forbidden(node: ast.AST) -> str | None:
    """What a node does that the package must not do: print, import everything, assert."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "breakpoint"):
        return node.func.id
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        return "import *"
    return "assert" if isinstance(node, ast.Assert) else None


def parameters(function: Function) -> int:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return sum(one.arg not in ("self", "cls") for one in every)


def test_there_is_code_to_check() -> None:
    assert len(SHIPPED) > 40


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    found = [f"{name}: {lines} lines" for name, lines in lengths.items() if lines > MAX_LINES]
    assert not found, "\n".join(found)


def test_no_function_is_longer_than_60_lines() -> None:
    found = []
    for path in CODE:
        for one in functions(tree_of(path)):
            lines = (one.end_lineno or one.lineno) - one.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                found.append(f"{name_of(path)}:{one.lineno}: {one.name} has {lines} lines")
    assert not found, "\n".join(found)


def test_no_function_takes_more_than_8_parameters() -> None:
    wide = [(path, one) for path in SHIPPED for one in functions(tree_of(path)) if parameters(one) > MAX_PARAMETERS]
    found = [f"{name_of(path)}:{one.lineno}: {one.name} takes {parameters(one)}" for path, one in wide]
    assert not found, "\n".join(found)


def test_the_package_says_nothing_on_its_own_and_asserts_nothing() -> None:
    found = []
    for path in SHIPPED:
        for node in ast.walk(tree_of(path)):
            fault = forbidden(node)
            if fault and not (fault == "assert" and CONTRACTS in path.parents):
                found.append(f"{name_of(path)}:{getattr(node, 'lineno', 0)}: {fault}")
    assert not found, "\n".join(found)


def test_everything_public_has_a_docstring() -> None:
    found = []
    for path in SHIPPED:
        tree = tree_of(path)
        missing = [] if ast.get_docstring(tree) else ["the module"]
        missing += public_without_docstring(tree.body, "")
        if CONTRACTS in path.parents:
            missing = [name for name in missing if not name.rpartition(".")[2].startswith("test_")]
        found += [f"{name_of(path)}: {name}" for name in missing]
    assert not found, "\n".join(found)


def test_every_folder_of_the_package_is_a_package() -> None:
    assert [name_of(path.parent) for path in SHIPPED if not (path.parent / "__init__.py").exists()] == []


def test_no_file_names_a_machine_path_or_a_registry_host() -> None:
    found = []
    for path in texts():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if MACHINE_PATH.search(line) or REGISTRY_HOST.search(line):
                found.append(f"{name_of(path)}:{number}: {line.strip()[:80]}")
    assert not found, "\n".join(found)


def test_the_rules_notice_what_they_forbid() -> None:
    code = "class A:\n  def b(self, " + ", ".join(f"p{n}" for n in range(9)) + "):\n    pass\n"
    tree = ast.parse(code)
    assert list(public_without_docstring(tree.body, "")) == ["A", "A.b"]
    assert [parameters(one) for one in functions(tree)] == [9]
    forbidding = ast.parse("print(1)\nfrom os import *\nassert 1\nlog.print(2)\nfrom os import path\n")
    assert [forbidden(node) for node in ast.walk(forbidding) if forbidden(node)] == ["import *", "assert", "print"]
    assert MACHINE_PATH.search("see /" + "home/ann/scan.nii")
    assert not MACHINE_PATH.search("https://example.org/" + "home/ann")
    assert REGISTRY_HOST.search("https://pyp" + "i.org/simple")
