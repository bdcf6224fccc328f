"""The script behind docs/forecast.md: a try prints and leaves the page as it is."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from napari_vost.errors import UnknownName

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("forecast_script", ROOT / "benchmarks" / "forecast.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_try_prints_a_row_per_prior_and_leaves_the_page(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    before = script.PAGE.read_text(encoding="utf-8")
    assert script.main(["--clips", "beat-8", "--seeds", "1"]) == 0
    error, held = capsys.readouterr().out.strip().split("\n\n")
    names = [[line.split("|")[1].strip() for line in table.splitlines()[2:]] for table in (error, held)]
    assert names == [["stays", *script.PRIORS], list(script.PRIORS)]
    assert "%" in held and "nan" not in error + held
    assert script.PAGE.read_text(encoding="utf-8") == before


def test_an_unknown_clip_is_refused(script: ModuleType) -> None:
    with pytest.raises(UnknownName, match="breath"):
        script.main(["--clips", "breat"])
