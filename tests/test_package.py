"""What an installed napari-vost finds: its manifest, its models, its samples; from a wheel and from a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Runs inside the installation under test; prints what it sees as JSON.
LOOK = """
import json
from importlib.machinery import PathFinder
from importlib.metadata import distribution
from pathlib import Path
import napari_vost
from napari_vost.paths import shipped
from npe2 import PluginManifest

found = distribution("napari-vost")
script = next(one for one in found.entry_points if one.group == "console_scripts")
manifest = PluginManifest.from_distribution("napari-vost")
site = [str(Path(napari_vost.__file__).parents[1])]
print(json.dumps({
    "package": napari_vost.__file__,
    "registry": str(shipped("models/registry.toml")),
    "samples": str(shipped("sample_data")),
    "sample_files": sorted(one.name for one in shipped("sample_data").iterdir()),
    "version": [napari_vost.__version__, found.version],
    "script": [script.name, script.value, callable(script.load())],
    "manifest": [manifest.name, manifest.display_name],
    "contributions": [kind for kind, found in manifest.contributions if found],
    "importable": [name for name in ("models", "sample_data", "tests") if PathFinder.find_spec(name, site)],
}))
"""


def ask(code: str, cwd: Path, path: Path | None = None) -> str:
    """Run code in a fresh interpreter, elsewhere; `path` goes before everything that is installed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target)]
    done = subprocess.run([*command, str(wheel)], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.mark.slow
def test_a_wheel_finds_its_manifest_its_models_and_its_samples(installed: Path, tmp_path: Path) -> None:
    seen = json.loads(ask(LOOK, tmp_path, installed))
    for key in ("package", "registry", "samples"):
        assert Path(seen[key]).is_relative_to(installed), key
    assert {"README.md", "truth.json", "abdomen", "ventricle"} <= set(seen["sample_files"])
    assert seen["version"][0] == seen["version"][1]
    assert seen["script"] == ["napari-vost", "napari_vost.cli.main:main", True]
    assert seen["manifest"] == ["napari-vost", "VOST"]
    assert {"readers", "writers", "sample_data"} <= set(seen["contributions"])


@pytest.mark.slow
def test_a_wheel_brings_one_top_level_package_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"napari_vost"}
    assert "napari_vost/napari.yaml" in names
    assert "napari_vost/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.mark.slow
def test_a_wheel_carries_every_model_file_and_every_sample_of_the_checkout(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "models", "sample_data"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a git checkout: nothing to compare with")
    files = [name for name in tracked.stdout.splitlines() if (ROOT / name).exists()]
    assert len(files) > 60
    assert [name for name in files if f"napari_vost/_shipped/{name}" not in names] == []


@pytest.mark.slow
def test_models_and_samples_are_no_packages_in_a_wheel(installed: Path, tmp_path: Path) -> None:
    assert json.loads(ask(LOOK, tmp_path, installed))["importable"] == []


def test_an_editable_install_finds_the_same_in_the_checkout() -> None:
    from npe2 import PluginManifest

    from napari_vost import __version__
    from napari_vost.paths import shipped

    assert shipped("models/registry.toml") == ROOT / "models" / "registry.toml"
    assert shipped("sample_data") == ROOT / "sample_data"
    manifest = PluginManifest.from_distribution("napari-vost")
    assert manifest.name == "napari-vost"
    assert manifest.package_metadata is not None
    assert manifest.package_metadata.version == __version__


def test_the_manifest_at_the_root_is_the_one_in_the_package() -> None:
    assert (ROOT / "napari.yaml").read_text() == (ROOT / "napari_vost" / "napari.yaml").read_text()


def test_importing_napari_vost_waits_for_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, napari_vost; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    assert not heavy(ask(code, tmp_path).split())


def test_the_help_of_the_command_line_waits_for_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from napari_vost.cli.main import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "print('MODULES', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    text, _, modules = ask(code, tmp_path).partition("MODULES")
    assert "demo" in text
    assert not heavy(modules.split())


def heavy(modules: list[str]) -> set[str]:
    """Modules that cost a second or a window."""
    slow = {"torch", "transformers", "monai", "napari", "qtpy", "PySide6", "PyQt6", "SimpleITK", "highdicom", "scipy"}
    return slow & set(modules)
