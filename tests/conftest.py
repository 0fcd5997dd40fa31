"""What all tests share: a quick preset, calm property tests, and warnings from nowhere else."""

import dataclasses

import pytest
from hypothesis import settings

# Examples are small, but the machines that run them are not always idle.
settings.register_profile("xr_dip", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("xr_dip")


@pytest.fixture
def tiny(monkeypatch):
    """Name of a preset like `fast`, with so few steps that a fit takes a tenth of a second.

    What is exact is exact after any number of steps.
    """
    from xr_dip import presets

    def make(factor):
        small = presets.fast(factor)
        return dataclasses.replace(small, iterations=8, generator_options={**small.generator_options, "channels": 4})

    monkeypatch.setitem(presets.PRESETS, "tiny", make)
    return "tiny"
