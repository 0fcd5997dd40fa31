"""Every real file at hand, as a user would downscale it: the right grid, coast and metadata, or the error meant."""

import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import robustness_files
import xarray as xr
from nesting import assert_nested, block_means

from xr_dip import samples
from xr_dip.errors import DipWarning
from xr_dip.sea import Flag

pytestmark = pytest.mark.samples

CHECKER = Path(sys.executable).with_name("compliance-checker")
VARIABLES = {sample.name: sample.variable for sample in samples.list()} | robustness_files.VARIABLES


@dataclass(frozen=True)
class Case:
    """A window of a file, what is asked of it, and what it must warn of."""

    file: str
    window: dict
    factor: int | tuple[int, int] = 2
    options: dict = field(default_factory=dict)
    warning: str | None = None
    descending: tuple[str, ...] = ()
    family: str | None = None
    turned: int = 0
    coast: bool = False

    @property
    def name(self):
        return VARIABLES[self.file]

    def open(self):
        """The window; of a globe turned first, so that it crosses the seam of the file."""
        dataset = open_file(self.file)
        turned = dataset.roll(longitude=self.turned, roll_coords=True) if self.turned else dataset
        return turned.isel(self.window)

    def factors(self):
        return self.factor if isinstance(self.factor, tuple) else (self.factor, self.factor)


def open_file(name):
    return (robustness_files.open_robustness if name in robustness_files.NAMES else samples.open_dataset)(name)


def at(y, x, dims=("latitude", "longitude")):
    return dict(zip(dims, (slice(*y), slice(*x)), strict=True))


ONE_DAY = {"time": slice(1)}
GULF_STREAM = at((10, 22), (20, 34), ("y", "x"))

CASES = {
    # From ../shared/robustness.
    "a dimension of time without a coordinate": Case("duacs_without_time", at((56, 70), (160, 176)), 4, coast=True),
    "NEMO without positions, zeros on land": Case(
        "orca1",
        at((24, 40), (300, 320), ("y", "x")) | {"time_counter": slice(4, 6)},
        options={"land_value": 0.0},
        warning="'ssh' has no latitude and longitude: 'y' and 'x'",
        coast=True,
    ),
    "CMIP, rotated, cftime": Case("cmip_bcc", at((48, 64), (230, 250), ("rlat", "rlon")), family="cftime", coast=True),
    "CROCO, zeros on land, mask_rho": Case(
        "croco", at((12, 28), (12, 32), ("eta_rho", "xi_rho")), (4, 2), family="ROMS", coast=True
    ),
    "CROCO, a constant field": Case(
        "croco_constant",
        at((14, 24), (16, 28), ("eta_rho", "xi_rho")) | ONE_DAY,
        warning="Every value of 'zeta' is 0",
    ),
    "polar stereographic, unlike its positions": Case(
        "arctic",
        at((0, 14), (0, 18), ("Y", "X")) | ONE_DAY,
        warning="'polar_stereographic' is not that of latitude",
        coast=True,
    ),
    "polar stereographic, named": Case(
        "arctic",
        at((0, 14), (0, 18), ("Y", "X")) | ONE_DAY,
        options={"x_coord": "X", "y_coord": "Y"},
        family="projected",
        coast=True,
    ),
    "MARS3D": Case("mars3d", at((60, 76), (200, 216)), 4, coast=True),
    # From ../shared/samples.
    **{name: Case(name, GULF_STREAM) for name in VARIABLES if name.startswith("gulf_stream_fine")},
    **{name: Case(name, GULF_STREAM) for name in VARIABLES if name.startswith("gulf_stream_coarse_")},
    "gulf_stream_coarse": Case("gulf_stream_coarse", GULF_STREAM, family="NEMO"),
    "positions as data variables": Case("osmosis", at((100, 114), (50, 64), ("y", "x")), 4),
    "a coast of eNATL60": Case("balearic", at((0, 16), (0, 18), ("y", "x")), coast=True),
    "days of altimetry": Case("mediterranean", at((77, 91), (192, 208)) | {"time": slice(3, 5)}, coast=True),
    "GLO12": Case("glo12", at((0, 12), (3, 17)) | ONE_DAY, 4, family="rectilinear"),
    "north first, west last": Case(
        "glo12",
        {"latitude": slice(12, None, -1), "longitude": slice(15, None, -1)} | ONE_DAY,
        descending=("latitude", "longitude"),
    ),
    "across 0 and 360": Case("global_duacs", at((371, 385), (0, 18)), turned=9, coast=True),
    "a closed sea": Case("black_sea", at((21, 35), (8, 24)), 4, coast=True),
}


def run(case, dataset, preset, **options):
    quick = {"members": 2, "preset": preset, "progress": False, "device": "cpu"}
    return dataset.dip.downscale(case.name, case.factor, **quick, **case.options, **options)


def axes_of(result):
    """Fine and coarse coordinates along y and x: latitude and longitude, or those of a projection."""
    kinds = {variable.attrs.get("standard_name"): str(name) for name, variable in result.coords.items()}
    plane = "projection_y_coordinate" in kinds
    names = (
        [kinds[f"projection_{axis}_coordinate"] for axis in "yx"] if plane else [kinds["latitude"], kinds["longitude"]]
    )
    fine, coarse = ([result[name + suffix].values for name in names] for suffix in ("", "_coarse"))
    return fine, coarse, np.inf if plane else 360.0


def says(case):
    return pytest.warns(DipWarning, match=case.warning) if case.warning else nullcontext()


@pytest.mark.parametrize("name", CASES)
def test_a_window_of_every_file(tiny, name):
    case = CASES[name]
    with case.open() as dataset, says(case):
        out = run(case, dataset, tiny)
        source, land = dataset[case.name].load(), missing(dataset, case)
    mean = out[f"{case.name}_mean"]
    assert mean.dims == source.dims
    assert mean.attrs["units"] == source.attrs["units"] if "units" in source.attrs else "units" not in mean.attrs
    assert land.any() == case.coast
    # Without a fine mask, whole coarse cells are missing: those without a value, or with that of land.
    np.testing.assert_array_equal(np.isnan(mean), np.kron(land, np.ones(case.factors())) == 1)
    np.testing.assert_allclose(block_means(mean, case.factors()), np.where(land, np.nan, source), rtol=0, atol=1e-6)
    assert_coordinates_are_carried(out, source, case)


def missing(dataset, case):
    """Coarse cells without a value, or on land as the file or the user says."""
    values = dataset[case.name].values
    wet = dataset.mask_rho.values == 1 if "mask_rho" in dataset else True
    return np.isnan(values) | ~np.broadcast_to(wet, values.shape) | (values == case.options.get("land_value", np.nan))


def assert_coordinates_are_carried(out, source, case):
    for dim in source.dims[:-2]:
        assert out.sizes[dim] == source.sizes[dim]
        assert (dim in out.coords) == (dim in source.coords)
        if dim in source.coords:
            np.testing.assert_array_equal(out[dim], source[dim])
            assert type(out[dim].values[0]) is type(source[dim].values[0])
    for dim in source.dims[-2:]:
        if dim in source.coords:
            steps = np.diff(out[dim])
            assert (steps < 0).all() if dim in case.descending else (steps > 0).all() or case.turned


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.file != "orca1"])
def test_fine_cells_lie_in_their_coarse_cells(name):
    case = CASES[name]
    with case.open() as dataset, says(case):
        out = dataset.dip.interpolate(case.name, case.factor, "nearest", **case.options)
    fine, coarse, turn = axes_of(out)
    assert_nested(fine, coarse, case.factors(), turn)


def test_results_of_every_family_pass_the_cf_checker(tiny, tmp_path):
    """Given a date to count from: the clock of CROCO counts seconds since its own start, which is no time to CF."""
    for case in CASES.values():
        if case.family is not None:
            with case.open() as dataset:
                if case.family == "ROMS":
                    dataset.time.attrs["units"] = "seconds since 2000-01-01"
                run(case, xr.decode_cf(dataset), tiny).to_netcdf(tmp_path / f"{case.family}.nc")
    files = sorted(tmp_path.iterdir())
    assert [path.stem for path in files] == ["NEMO", "ROMS", "cftime", "projected", "rectilinear"]
    command = [CHECKER, "-t", "cf:1.11", "-c", "normal", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("All tests passed") == len(files)


def test_the_mask_of_one_minute_makes_the_coast_of_a_closed_sea(tiny):
    case = CASES["a closed sea"]
    with case.open() as dataset, open_file("land_mask") as land:
        mask = land["mask"].assign_attrs(standard_name="land_binary_mask")
        out = run(case, dataset, tiny, mask=mask, extrapolate=True)
        source = dataset.adt.load()
    flag = out.adt_flag.values
    added = flag & Flag.extrapolated != 0
    np.testing.assert_array_equal(np.isfinite(out.adt_mean), (flag & (Flag.land | Flag.no_data) == 0) | added)
    assert 0 < added.sum() < 0.2 * np.isfinite(out.adt_mean).sum()
    assert np.isnan(np.kron(source, np.ones((4, 4)))[added]).all()
    means = block_means(out.adt_mean.where(~added), (4, 4))
    np.testing.assert_allclose(means, source, rtol=0, atol=1e-6)


def test_values_on_land_of_an_undeclared_fill_are_refused(tiny):
    with open_file("duacs_undeclared_fill") as dataset:
        window = dataset.isel(at((360, 372), (26, 44)))
        with pytest.raises(ValueError, match=r"Invalid adt -214748\.3647 at .*A fill value must be declared"):
            window.dip.downscale("adt", 2, preset=tiny, progress=False)
        declared = window.assign(adt=window.adt.where(window.adt > -100))
        out = declared.dip.downscale("adt", 2, members=2, preset=tiny, progress=False, device="cpu")
        np.testing.assert_allclose(block_means(out.adt_mean, (2, 2)), declared.adt, rtol=0, atol=1e-6)


def test_a_temperature_and_its_empty_mask_are_refused(tiny):
    """The mask of this file is missing everywhere."""
    with open_file("black_sea_sst") as dataset:
        window = dataset.isel(lat=slice(100, 120), lon=slice(100, 120))
        with pytest.raises(
            ValueError, match=r"Invalid mask 'mask' in the Dataset.* each is missing.*drop_vars\('mask'\)"
        ):
            window.dip.downscale("analysed_sst", 2, preset=tiny)
        with pytest.raises(ValueError, match=r"Invalid analysed_sst .* in m, cm or mm.* its units are 'kelvin'"):
            window.drop_vars("mask").dip.downscale("analysed_sst", 2, preset=tiny)


def test_a_mask_is_no_field(tiny):
    with open_file("land_mask") as dataset, pytest.raises(TypeError, match="Invalid dtype uint8 of 'mask'"):
        dataset.isel(lon=slice(20), lat=slice(5000, 5020)).dip.downscale("mask", 2, preset=tiny)


def test_no_file_is_left_out():
    elsewhere = {"duacs_undeclared_fill", "black_sea_sst", "land_mask"}
    assert {case.file for case in CASES.values()} | elsewhere == VARIABLES.keys()
