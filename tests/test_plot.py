"""Pictures show the numbers they are given, on the scales they promise, and say what they cannot draw."""

import subprocess
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from xr_dip import canvas, plot, synthetic
from xr_dip.verification import psd

DIMS = ("latitude", "longitude")


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def truth():
    return synthetic.gulf_stream((16, 24), resolution=1 / 10).ssh


@pytest.fixture
def result(truth):
    """What a downscaling returns, by formula: no fit is needed to draw one."""
    coarse = ("latitude_coarse", "longitude_coarse")
    return xr.Dataset(
        {
            "ssh_mean": truth + 0.02,
            "ssh_std": xr.full_like(truth, 0.03),
            "conservation_error": (coarse, [[1e-9, -2e-9], [0.0, np.nan]], {"units": "m"}),
            "fit_residual": (coarse, [[0.01, -0.02], [0.03, np.nan]], {"units": "m"}),
        }
    )


def drawn(axes):
    """Cells of the one map of an axes, NaN where it shows none."""
    cells = axes.collections[0]
    return np.ma.filled(cells.get_array(), np.nan).reshape(cells.get_array().shape)


def limits(axes):
    return axes.collections[0].get_clim()


def test_a_map_shows_every_cell_and_its_whole_range(truth):
    axes = plot.height(truth)
    np.testing.assert_array_equal(drawn(axes), truth.values)
    assert limits(axes) == (truth.min(), truth.max())


def test_the_order_of_dimensions_does_not_matter(truth):
    np.testing.assert_array_equal(drawn(plot.height(truth.transpose())), truth.values)


def test_land_is_left_to_the_background(truth):
    island = truth.where(truth.latitude > truth.latitude[3])
    axes = plot.height(island)
    np.testing.assert_array_equal(np.isnan(drawn(axes)), island.isnull().values)
    assert axes.get_facecolor() == matplotlib.colors.to_rgba(canvas.LAND_COLOUR)


def test_two_dimensional_coordinates_are_drawn_where_they_are(truth):
    lat, lon = np.meshgrid(truth.latitude, truth.longitude, indexing="ij")
    nemo = xr.DataArray(truth.values, {"nav_lat": (("y", "x"), lat), "nav_lon": (("y", "x"), lon)}, ("y", "x"))
    assert plot.height(nemo).get_xlim() == pytest.approx(plot.height(truth).get_xlim())


def test_a_degree_of_longitude_is_as_long_as_it_is(truth):
    axes = plot.height(truth)
    assert axes.get_aspect() == pytest.approx(1 / np.cos(np.deg2rad(truth.latitude.mean())))


def test_an_error_is_drawn_about_zero_and_scored(truth):
    axes = plot.error(truth + 0.25, truth, title="estimate")
    np.testing.assert_allclose(drawn(axes), 0.25, rtol=1e-6)
    assert limits(axes) == pytest.approx((-0.25, 0.25))
    assert axes.get_title() == "estimate, RMSE 0.25 m"


def test_single_large_errors_do_not_wash_out_the_others(truth):
    field = truth + 0.01
    field[0, 0] += 10
    assert limits(plot.error(field, truth))[1] == pytest.approx(0.01, rel=1e-5)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_spread_without_size_still_has_a_scale(truth, value):
    assert limits(plot.spread(xr.full_like(truth, value))) == (0.0, 1.0)


@pytest.mark.parametrize("draw", [plot.height, plot.spread])
def test_limits_and_axes_are_those_asked_for(truth, draw):
    axes = plt.figure().add_subplot()
    chosen = {"limits": (0.0, 2.0)} if draw is plot.height else {"limit": 2.0}
    assert draw(truth, ax=axes, bar=False, **chosen) is axes
    assert limits(axes) == (0.0, 2.0)
    assert axes.figure.axes == [axes]


def test_more_than_two_dimensions_are_refused():
    week = synthetic.gulf_stream((8, 8), times=2).ssh
    with pytest.raises(ValueError, match=r"Invalid field with dimensions .*`\.isel\(time=0\)`"):
        plot.height(week)


def test_conservation_counts_coarse_cells_before_and_after(result):
    before, after = plot.conservation(result).get_lines()
    assert before.get_label() == "fits, before enforcement"
    np.testing.assert_allclose(sorted(before.get_xdata())[-3:], [0.01, 0.02, 0.03])
    np.testing.assert_allclose(sorted(after.get_xdata())[-3:], [plot.SMALLEST_SHOWN, 1e-9, 2e-9])


def test_conservation_needs_a_result(truth):
    with pytest.raises(ValueError, match=r"Invalid out with \['ssh'\]. It must be a result"):
        plot.conservation(truth.to_dataset())


def test_spectra_are_those_of_the_verification(truth):
    field = truth.assign_coords(latitude=np.arange(16) * 0.01, longitude=np.arange(24) * 0.01)
    (line,) = plot.spectra({"truth": field}).get_lines()
    density = psd(field, dims=DIMS, spacing=canvas.find_grid(field).grid.spacing())
    np.testing.assert_allclose(line.get_ydata(), density)
    np.testing.assert_allclose(line.get_xdata(), 1e-3 / density.wavenumber)


@pytest.mark.parametrize(("fields", "message"), [({}, "at least one field"), (None, "'ssh' with missing values")])
def test_spectra_refuse_nothing_and_land(truth, fields, message):
    with pytest.raises(ValueError, match=message):
        plot.spectra({"ssh": truth.where(truth > 0)} if fields is None else fields)


def test_an_overview_shares_its_scales(result, truth):
    coarse = truth.coarsen(latitude=8, longitude=8).mean()
    axes = plot.overview(result, truth, coarse=coarse, others={"bicubic": truth - 0.05})
    assert list(axes) == ["coarse", "mean", "truth", "bicubic", "error", "std"]
    assert limits(axes["coarse"]) == limits(axes["mean"]) == limits(axes["truth"])
    assert limits(axes["error"]) == limits(axes["bicubic"]) == pytest.approx((-0.05, 0.05), rel=1e-5)
    np.testing.assert_allclose(drawn(axes["error"]), 0.02, rtol=1e-5)


def test_an_overview_draws_what_there_is(result, truth):
    assert list(plot.overview(result)) == ["mean", "std"]
    assert list(plot.overview(result.drop_vars("ssh_std"))) == ["mean"]


def test_an_overview_finds_its_variable(result):
    two = result.assign(sla_mean=result.ssh_mean * 2)
    assert list(plot.overview(two, name="sla")) == ["mean"]
    for name in (None, "zos"):
        with pytest.raises(ValueError, match=rf"Invalid name {name!r}. It must be one of \['ssh', 'sla'\]"):
            plot.overview(two, name=name)


@pytest.mark.parametrize(
    ("label", "message"), [("bicubic", "must have a truth"), ("std", r"other labels than \['std'\]")]
)
def test_others_need_a_truth_and_a_place(result, truth, label, message):
    with pytest.raises(ValueError, match=message):
        plot.overview(result, truth if label == "std" else None, others={label: truth})


@pytest.mark.parametrize(("name", "library"), [("matplotlib.pyplot", "matplotlib"), ("cmocean", "cmocean")])
def test_a_missing_library_is_named_with_its_cure(monkeypatch, name, library):
    def missing(module):
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(canvas, "import_module", missing)
    with pytest.raises(ImportError, match=rf"Pictures need {library}. .*pip install xr-dip\[plot\]"):
        canvas.find_library(name)


def test_importing_it_imports_neither_matplotlib_nor_torch():
    code = "import sys, xr_dip.plot; sys.exit(any(name in sys.modules for name in ('matplotlib', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
