"""What `show_versions` says is what is installed."""

import re
from importlib.metadata import version

import xr_dip
from xr_dip import versions


def shown(capsys):
    xr_dip.show_versions()
    return dict(re.split(r"\s+", line, maxsplit=1) for line in capsys.readouterr().out.splitlines())


def test_every_needed_package_is_shown_with_its_version(capsys):
    lines = shown(capsys)
    assert lines["xr_dip"] == xr_dip.__version__
    for name in ("numpy", "xarray", "torch", "scipy", "zarr", "scikit-image"):
        assert lines[name] == version(name)
    assert not {"pytest", "ruff", "sphinx", "xr-dip"} & set(lines)
    assert lines["device"].startswith(("cpu", "cuda"))


def test_what_is_missing_is_said_to_be(capsys, monkeypatch):
    monkeypatch.setattr(versions, "requires", lambda _name: ["no-such-package>=1", 'other; extra == "dev"'])
    lines = shown(capsys)
    assert lines["no-such-package"] == "not installed"
    assert "other" not in lines


def test_a_torch_that_does_not_load_is_no_error(capsys, monkeypatch):
    def fail(_name):
        raise ImportError("libtorch.so: no such file")

    monkeypatch.setattr(versions.importlib, "import_module", fail)
    assert shown(capsys)["device"] == "none, for torch does not load: libtorch.so: no such file"
