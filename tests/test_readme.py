"""README and docs say what is so: scripts print what they show, commands parse, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_vost.testing import BrightNetwork

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
WEIGHTS = ROOT / "models" / "vost-nano" / "model.safetensors"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[tuple[str, str]]:
    """Fenced blocks of a page in order: language and text."""
    return FENCED.findall(page.read_text(encoding="utf-8"))


def script_and_output() -> tuple[str, str]:
    """The README's Python script, and the block right behind it: what it prints."""
    every = blocks(README)
    at = [language for language, _ in every].index("python")
    return every[at][1], every[at + 1][1]


def commands(page: Path) -> Iterator[list[str]]:
    """Arguments of every `napari-vost …` line in the page's shell blocks; … stands for what the reader adds."""
    for language, text in blocks(page):
        if language not in ("", "sh", "console"):
            continue
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] == ["napari-vost"]:
                yield words[1:]


def key_table() -> str:
    """The keys of the window as a table, those of objects in one row."""
    from napari_vost.ui.keys import HELD, KEYS, key_of

    numbered = [one for one in KEYS if one.action.startswith("object_")]
    rows = ["| key | does |", "|---|---|"]
    for one in (*KEYS, *HELD):
        if one not in numbered:
            rows.append(f"| `{key_of(one.action)}` | {one.says} |")
        elif one == numbered[0]:
            first, last = key_of(one.action), key_of(numbered[-1].action)
            rows.append(f"| `{first}` … `{last}` | {one.says} … {numbered[-1].says.rpartition(' ')[2]} |")
    return "\n".join(rows) + "\n"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def numbers_apart(text: str) -> tuple[str, list[float]]:
    found = re.findall(r"\d+(?:\.\d+)?", text)
    return re.sub(r"\d+(?:\.\d+)?", "#", text), [float(one) for one in found]


@pytest.mark.slow
def test_the_script_prints_what_the_readme_shows(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not WEIGHTS.exists():
        pytest.skip("models/vost-nano holds no weights in this checkout")
    script, shown = script_and_output()
    exec(compile(script, "README.md", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    words, figures = numbers_apart(printed)
    shown_words, shown_figures = numbers_apart(shown)
    assert words == shown_words, f"The README's script prints now:\n{printed}"
    assert figures == pytest.approx(shown_figures, rel=0.05), f"The README's script prints now:\n{printed}"


def test_the_script_runs_and_writes_its_file_with_any_network(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("napari_vost.engine.load_network", lambda *_, **__: BrightNetwork())
    script, shown = script_and_output()
    exec(compile(script, "README.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.splitlines()[0] == shown.splitlines()[0]
    written = re.findall(r'export\(session, "([^"]+)"\)', script)
    assert written
    assert all((workplace / name).stat().st_size > 0 for name in written)


def test_the_script_has_at_most_ten_lines_and_the_readme_120() -> None:
    script, _ = script_and_output()
    assert len([line for line in script.splitlines() if line]) <= 10
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_a_page_shows_is_understood(page: Path) -> None:
    from napari_vost.cli.main import build_parser

    parser = build_parser()
    for words in commands(page):
        if words[-1:] not in (["--help"], ["--version"]):
            assert parser.parse_args(words).command == words[0]


def test_the_readme_and_the_page_on_commands_show_commands() -> None:
    assert len(list(commands(README))) >= 4
    assert len(list(commands(ROOT / "docs" / "command-line.md"))) >= 8


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    inside = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in inside if not (page.parent / target).exists()] == []


def test_the_page_on_the_window_lists_its_keys() -> None:
    page = (ROOT / "docs" / "window.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("<!-- keys begin -->\n")
    shown, _, _ = rest.partition("<!-- keys end -->")
    assert shown == key_table(), f"Between the marks of docs/window.md belongs:\n{key_table()}"


def test_the_page_on_the_architecture_names_every_file_of_the_window() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = sorted(path.stem for path in (ROOT / "napari_vost" / "ui").glob("[a-z]*.py"))
    assert [name for name in files if f"`{name}`" not in page] == []


def test_what_pages_install_and_open_exists() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    name = re.search(r"^name: (\S+)$", (ROOT / "napari.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    assert name is not None
    for page in (README, ROOT / "docs" / "window.md"):
        shell = "".join(text for language, text in blocks(page) if not language)
        wanted = {extra for named in re.findall(r'"\.\[([\w,]+)\]"', shell) for extra in named.split(",")}
        assert "napari" in wanted <= set(extras), name_of(page)
        assert re.findall(r"^napari -w (\S+)", shell, re.MULTILINE) == [name[1]], name_of(page)


def test_the_readme_names_every_model_of_the_registry() -> None:
    import tomllib

    registry = tomllib.loads((ROOT / "models" / "registry.toml").read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    families = {one["name"].partition("-")[0] for one in registry["models"]}
    assert [name for name in sorted(families) if name not in text.lower()] == []
    licences = {one["licence"].partition(" ")[0] for one in registry["models"]}
    assert [name for name in sorted(licences) if name not in text] == []


def test_make_targets_that_pages_name_exist() -> None:
    rules = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert target in rules, f"{name_of(page)}: make {target}"
