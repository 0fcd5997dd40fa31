"""The odd files are the right ones, and are found where the environment says."""

import pytest
from robustness_files import ENVIRONMENT, NAMES, VARIABLES, _folder, open_robustness


def test_the_folder_is_that_of_the_environment_or_beside_the_samples(tmp_path, monkeypatch):
    monkeypatch.setenv("XR_DIP_DATA_DIR", str(tmp_path / "samples"))
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert _folder().parent.name == "xr_dip"
    (tmp_path / "robustness").mkdir()
    assert _folder() == tmp_path / "robustness"
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "other"))
    assert _folder() == tmp_path / "other"


@pytest.mark.samples
@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_the_right_one_and_opens(name):
    with open_robustness(name) as dataset:
        assert dataset[VARIABLES[name]].ndim >= 2
