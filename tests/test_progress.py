"""The bar of fits: seen where wanted, silent and absent elsewhere."""

import pytest

from xr_dip.progress import progress_bar


def test_the_bar_counts_to_its_total(capsys):
    with progress_bar(3) as step:
        for _ in range(3):
            step()
    assert "3/3" in capsys.readouterr().err


def test_hidden_there_is_no_bar(capsys):
    with progress_bar(3, hidden=True) as step:
        assert step is None
    assert capsys.readouterr().err == ""


def test_an_error_ends_the_bar_and_passes():
    with pytest.raises(RuntimeError, match="stop"), progress_bar(3):
        raise RuntimeError("stop")
