"""Pictures show the numbers they are given, on the scales they promise, and say what they cannot draw."""

import subprocess
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import xr_dip
from xr_dip import canvas, drawable, plot, synthetic
from xr_dip.verification import effective_resolution, psd, psd_score

DIMS = ("latitude", "longitude")


@pytest.fixture(scope="module")
def truth():
    return synthetic.gulf_stream((16, 24), resolution=1 / 10).ssh


@pytest.fixture
def result(truth):
    """What a downscaling returns, by formula: no fit is needed to draw one."""
    coarse = ("latitude_coarse", "longitude_coarse")
    return xr.Dataset(
        {
            "ssh_mean": (truth + 0.02).assign_attrs(truth.attrs),
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


def test_land_is_grey(truth):
    island = truth.where(truth.latitude > truth.latitude[3])
    axes = plot.height(island)
    np.testing.assert_array_equal(np.isnan(drawn(axes)), island.isnull().values)
    assert axes.collections[0].cmap.get_bad() == pytest.approx(matplotlib.colors.to_rgba(canvas.LAND_COLOUR))


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
    density = psd(field, dims=DIMS, spacing=drawable.find_grid(field).grid.spacing())
    np.testing.assert_allclose(line.get_ydata(), density)
    np.testing.assert_allclose(line.get_xdata(), 1e-3 / density.wavenumber)


@pytest.mark.parametrize("draw", [plot.height, plot.spread, plot.departure, plot.animate])
def test_a_whole_result_is_no_field(result, draw):
    with pytest.raises(TypeError, match=r"Invalid \w+ of type Dataset. It .* such as `\.ssh_mean`, or .* `\.dip\.plot"):
        draw(result)
    with pytest.raises(TypeError, match=r"Invalid \w+ of type ndarray. It must be an xarray.DataArray, such as one v"):
        draw(result.ssh_mean.values)


def test_an_error_is_of_two_fields(result, truth):
    with pytest.raises(TypeError, match=r"Invalid estimate of type Dataset. It must be an xarray.DataArray: pass one"):
        plot.error(result, truth)
    with pytest.raises(TypeError, match=r"Invalid truth of type Dataset. It must be an xarray.DataArray: pass one"):
        plot.error(truth, result)


def test_fields_have_labels(result, truth):
    with pytest.raises(TypeError, match=r"Invalid fields of type DataArray. It must be a mapping from labels to DataA"):
        plot.spectra(truth)
    with pytest.raises(TypeError, match=r"Invalid estimates of type DataArray. It must be a mapping from labels to Da"):
        plot.compare(truth, truth)
    with pytest.raises(TypeError, match=r"Invalid fields 'fine' of type Dataset. It must be an xarray.DataArray: pass"):
        plot.spectra({"fine": result})


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


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [
        ("matplotlib.pyplot", "matplotlib", "plot"),
        ("cmocean", "cmocean", "plot"),
        ("cartopy.crs", "cartopy", "cartopy"),
    ],
)
def test_a_missing_library_is_named_with_its_cure(monkeypatch, name, library, extra):
    def missing(module):
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(canvas, "import_module", missing)
    with pytest.raises(ImportError, match=rf"Pictures need {library}. .*pip install xr-dip\[{extra}\]"):
        canvas.find_library(name)


def test_importing_it_imports_neither_matplotlib_nor_torch():
    code = "import sys, xr_dip.plot; sys.exit(any(name in sys.modules for name in ('matplotlib', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def one_time(field):
    return field.drop_vars("time").expand_dims(time=[np.datetime64("2009-07-01T12:00", "ns")])


def test_one_entry_along_other_dimensions_is_one_map(truth):
    axes = plot.height(one_time(truth))
    np.testing.assert_array_equal(drawn(axes), truth.values)
    assert axes.get_title() == "sea surface height, 2009-07-01 12:00"
    assert plot.error(one_time(truth) + 0.25, truth).get_title() == "error, RMSE 0.25 m"


def test_a_title_from_the_attributes_can_be_any_calendar(truth):
    import cftime

    day = truth.drop_vars("time").assign_coords(time=cftime.DatetimeNoLeap(2000, 2, 28))
    assert plot.height(day).get_title() == "sea surface height, 2000-02-28"
    bare = day.drop_vars("time").rename("zos")
    bare.attrs = {}
    assert plot.height(bare).get_title() == "zos"
    assert plot.height(bare, title="").get_title() == ""


@pytest.mark.parametrize(("limits_", "ends"), [((0.0, 0.5), "both"), ((-9.0, 0.5), "max"), ((-9.0, 9.0), "neither")])
def test_a_bar_says_at_which_end_values_are_clipped(truth, limits_, ends):
    scaled = (truth - truth.min()) / (truth.max() - truth.min()) * 2 - 1
    bar = plot.height(scaled, limits=limits_).collections[0].colorbar
    assert bar.extend == ends


def test_a_departure_is_drawn_about_zero(truth):
    axes = plot.departure(truth.where(truth > truth.median(), -3.0), limit=None)
    low, high = limits(axes)
    assert low == -high == pytest.approx(-3.0)


def test_a_conservation_map_shows_each_coarse_cell_in_a_power_of_ten(result):
    coordinates = {"latitude_coarse": [38.0, 39.0], "longitude_coarse": [-62.0, -61.0]}
    axes = plot.conservation_map(result.assign_coords(coordinates))
    np.testing.assert_allclose(drawn(axes), [[1.0, -2.0], [0.0, np.nan]])
    assert limits(axes) == pytest.approx((-2.0, 2.0))
    assert axes.collections[0].colorbar.ax.get_ylabel() == "error (1e-9 m)"
    assert axes.get_title() == "coarse values, largest error 2.0e-09 m"


def test_a_conservation_map_of_no_error_at_all_has_a_scale(result):
    coordinates = {"latitude_coarse": [38.0, 39.0], "longitude_coarse": [-62.0, -61.0]}
    exact = result.assign_coords(coordinates)
    exact["conservation_error"] *= 0
    assert limits(plot.conservation_map(exact)) == (-1.0, 1.0)


@pytest.mark.parametrize("draw", [plot.conservation, plot.conservation_map])
def test_block_errors_of_several_variables_need_a_name(result, draw):
    coordinates = {"latitude_coarse": [38.0, 39.0], "longitude_coarse": [-62.0, -61.0]}
    two = result.assign_coords(coordinates).rename(conservation_error="ssh_conservation_error", fit_residual="ssh_fit")
    two = two.assign(sla_mean=two.ssh_mean, sla_conservation_error=two.ssh_conservation_error)
    assert draw(two, "sla") is not None
    with pytest.raises(ValueError, match=r"Invalid name None. It must be one of \['ssh', 'sla'\]"):
        draw(two)


def test_spectra_mark_what_each_field_resolves(truth):
    field = truth.assign_coords(latitude=np.arange(16) * 0.01, longitude=np.arange(24) * 0.01)
    rough = field + 0.02 * np.random.default_rng(0).normal(size=field.shape)
    coarse = field.coarsen(latitude=2, longitude=2).mean()
    axes = plot.spectra({"rough": rough, "truth": field, "coarse": coarse}, truth="truth")
    grid = {"dims": DIMS, "spacing": drawable.find_grid(field).grid.spacing()}
    expected = float(effective_resolution(psd_score(rough, field, **grid))) / 1e3
    circles = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert [float(line.get_xdata()[0]) for line in circles] == pytest.approx([expected])
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == [f"rough, resolves {expected:.0f} km", "truth", "coarse"]
    other = plot.spectra({"rough": rough, "truth": (100 * field).assign_attrs(units="cm")}, truth="truth")
    assert other.get_legend().get_texts()[0].get_text() == labels[0]
    np.testing.assert_allclose(other.get_lines()[-1].get_ydata(), axes.get_lines()[2].get_ydata(), rtol=1e-4)


@pytest.mark.parametrize("direction", ["x", "y"])
def test_spectra_along_lines_keep_clear_of_land(truth, direction):
    along, across = {"x": ("longitude", "latitude"), "y": ("latitude", "longitude")}[direction]
    lines = truth.isel({across: slice(4, None)})
    island = truth.where(truth[across] > truth[across][3])
    (line,) = plot.spectra({"ssh": island}, direction=direction).get_lines()
    spacing = drawable.find_grid(truth).grid.spacing()
    np.testing.assert_allclose(line.get_ydata(), psd(lines, dims=DIMS, spacing=spacing, direction=along))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"truth": "sea"}, r"Invalid truth 'sea'. It must be one of \['ssh'\]"),
        ({"direction": "z"}, "Invalid direction 'z'. It must be 'x', 'y' or None"),
        ({"direction": "x"}, "It must have a line along 'x' without missing values"),
    ],
)
def test_spectra_refuse_what_they_cannot_draw(truth, options, message):
    with pytest.raises(ValueError, match=message):
        plot.spectra({"ssh": truth.where(truth.longitude > truth.longitude[0])}, **options)


def test_reliability_is_that_of_the_verification(truth):
    std = abs(truth) + 0.01
    diagonal, points = plot.reliability(std, truth + 2 * std, truth, bins=4).get_lines()
    np.testing.assert_allclose(points.get_ydata(), 2 * np.asarray(points.get_xdata()))
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert len(points.get_xdata()) == 4


def test_a_rank_histogram_counts_members_below_the_truth(truth):
    members = xr.concat([truth - 2, truth - 1, truth + 1], "member")
    axes = plot.rank_histogram(members, truth)
    assert [bar.get_height() for bar in axes.patches] == [0, 0, 1, 0]
    assert axes.get_lines()[0].get_ydata()[0] == 0.25


def test_an_overview_finds_the_input_and_what_was_added_to_bicubic(truth):
    coarse = truth.coarsen(latitude=8, longitude=8).mean()
    fine = xr_dip.interpolate(coarse, 8, "kriging")
    axes = fine.dip.plot()
    assert list(axes) == ["coarse", "mean", "std", "residual"]
    np.testing.assert_allclose(drawn(axes["coarse"]), coarse, atol=1e-7)
    bicubic = xr_dip.interpolate(coarse, 8, "bicubic").ssh_mean
    np.testing.assert_allclose(drawn(axes["residual"]), fine.ssh_mean.values - bicubic.values, atol=1e-6)


def test_an_overview_matches_the_input_by_position_and_unit(truth):
    coarse = truth.coarsen(latitude=8, longitude=8).mean()
    fine = xr_dip.interpolate(coarse, 8, "kriging")
    expected = drawn(plot.overview(fine, coarse=coarse)["residual"])
    centimetres = (100 * coarse).assign_attrs(units="cm")
    np.testing.assert_allclose(drawn(plot.overview(fine, coarse=centimetres)["residual"]), expected, atol=1e-6)
    with pytest.raises(
        ValueError, match=r"Invalid coarse on another grid: its latitude and longitude are .* cells away"
    ):
        plot.overview(fine, coarse=coarse[::-1])


def test_an_overview_matches_a_truth_by_position_and_unit(result, truth):
    elsewhere = (100 * truth).assign_attrs(units="cm").assign_coords(longitude=truth.longitude + 360)
    axes = plot.overview(result, elsewhere)
    np.testing.assert_allclose(drawn(axes["error"]), 0.02, rtol=1e-4)
    with pytest.raises(ValueError, match="truth"):
        plot.overview(result, truth.assign_coords(latitude=truth.latitude + 0.05))


def test_a_truth_of_another_day_is_not_drawn(result, truth):
    tomorrow = truth.assign_coords(time=truth.time + np.timedelta64(1, "D"))
    with pytest.raises(ValueError, match=r"Invalid 'time' of the truth, 2009-07-02T.* that of the result, 2009-07-01"):
        result.dip.plot(tomorrow)
    with pytest.raises(ValueError, match=r"Invalid estimate 'b', .*, 2009-07-02T.* that of the result, 2009-07-01"):
        plot.compare({"a": truth, "b": tomorrow}, truth)
    with pytest.raises(ValueError, match=r"Invalid estimate 'b', .*, 2009-07-02T.* that of the result, 2009-07-01"):
        plot.overview(result, truth, others={"b": tomorrow})
    with pytest.raises(ValueError, match=r"Invalid truth with 2 entries along 'time', .* as in `\.isel\(time=0\)`"):
        result.dip.plot(xr.concat([truth, tomorrow], "time"))


def test_estimates_are_matched_by_position_and_unit(result, truth):
    estimate = (truth + 0.05).assign_attrs(truth.attrs)
    elsewhere = (100 * estimate).assign_attrs(units="cm").assign_coords(longitude=truth.longitude + 360)
    for axes, key in (
        (plot.overview(result, truth, others={"b": elsewhere}), "b"),
        (plot.compare({"a": estimate, "b": elsewhere}, truth), "error of b"),
    ):
        np.testing.assert_allclose(drawn(axes[key]), 0.05, rtol=1e-4)
        assert axes[key].get_title() == "error of b, RMSE 0.05 m"
    axes = plot.compare({"b": elsewhere, "a": estimate}, truth)
    np.testing.assert_allclose(drawn(axes["error of a"]), 5.0, rtol=1e-4)
    assert limits(axes["a"]) == pytest.approx((100 * float(truth.min()), 100 * float(truth.max()) + 5.0), rel=1e-5)
    with pytest.raises(ValueError, match=r"Invalid estimate 'b', .* cells away"):
        plot.overview(result, truth, others={"b": truth.assign_coords(latitude=truth.latitude + 0.05)})
    with pytest.raises(TypeError, match="Invalid others 'b' of type Dataset"):
        plot.overview(result, truth, others={"b": result})


def test_an_overview_refuses_the_input_of_another_result(result, truth):
    with pytest.raises(ValueError, match=r"Invalid coarse of \(3, 5\) cells. It must be the input of a result of"):
        plot.overview(result, coarse=truth[:3, :5])


def test_a_comparison_has_a_row_of_heights_and_one_of_errors(truth):
    axes = plot.compare({"a": truth + 0.02, "b": truth - 0.05}, truth)
    assert list(axes) == ["a", "b", "truth", "error of a", "error of b"]
    assert limits(axes["a"]) == limits(axes["b"]) == limits(axes["truth"])
    assert limits(axes["error of a"]) == limits(axes["error of b"]) == pytest.approx((-0.05, 0.05), rel=1e-5)
    assert axes["error of a"].get_title() == "error of a, RMSE 0.02 m"


@pytest.mark.parametrize("labels", [[], ["truth"]])
def test_a_comparison_needs_estimates(truth, labels):
    with pytest.raises(ValueError, match=r"Invalid estimates .* none of them 'truth'"):
        plot.compare(dict.fromkeys(labels, truth), truth)


@pytest.fixture
def ensemble(result):
    members = xr.concat([result.ssh_mean + shift for shift in (-0.1, 0.0, 0.3, 0.0, 0.0)], "member")
    return result.assign(ssh_members=members.assign_coords(member=range(5)))


def test_members_are_drawn_as_departures_on_one_scale(ensemble):
    axes = plot.members(ensemble, count=3)
    assert list(axes) == ["mean", "0", "1", "2"]
    np.testing.assert_allclose(drawn(axes["0"]), -0.1, rtol=1e-5)
    assert limits(axes["0"]) == limits(axes["2"]) == pytest.approx((-0.3, 0.3))


def test_small_multiples_fill_rows_of_nearly_one_length(ensemble):
    places = {key: panel.get_subplotspec().rowspan.start for key, panel in plot.members(ensemble).items()}
    assert [list(places.values()).count(row) for row in (0, 1)] == [3, 3]


def test_members_must_be_there_and_some(ensemble, result):
    with pytest.raises(ValueError, match="It must have members: take keep_members=True"):
        plot.members(result)
    with pytest.raises(ValueError, match=r"Invalid count 0\. It must be at least 1"):
        plot.members(ensemble, count=0)


def test_an_animation_goes_through_the_days_on_one_scale(tmp_path):
    week = synthetic.gulf_stream((8, 12), times=3).ssh
    animation = plot.animate(week)
    axes = animation._fig.axes[0]
    assert limits(axes) == (week.min(), week.max())
    animation.save(tmp_path / "days.gif", writer="pillow")
    np.testing.assert_array_equal(drawn(axes), week[-1].values)
    assert axes.get_title().endswith("2009-07-03")


@pytest.mark.parametrize(("dim", "extra"), [("day", {}), (None, {"member": [0, 1]}), ("latitude", {})])
def test_an_animation_needs_its_dimension(dim, extra):
    week = synthetic.gulf_stream((8, 12), times=2).ssh.expand_dims(extra)
    with pytest.raises(ValueError, match=rf"Invalid dim {dim!r}. It must be the one of \[.*'time'\] to animate along"):
        plot.animate(week, dim=dim)


@pytest.fixture
def crs():
    return pytest.importorskip("cartopy.crs")


@pytest.fixture
def no_network(monkeypatch):
    """Coastlines would be fetched."""
    import socket

    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("A socket was opened."))


def every_map(truth, result):
    coordinates = {"latitude_coarse": [38.0, 39.0], "longitude_coarse": [-62.0, -61.0]}
    return {
        "height": lambda **options: plot.height(truth, **options),
        "error": lambda **options: plot.error(truth + 0.02, truth, **options),
        "spread": lambda **options: plot.spread(abs(truth), **options),
        "departure": lambda **options: plot.departure(truth, **options),
        "conservation_map": lambda **options: plot.conservation_map(result.assign_coords(coordinates), **options),
    }


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", ["height", "error", "spread", "departure", "conservation_map"])
def test_every_map_can_be_on_a_projection(truth, result, crs, name):
    draw = every_map(truth, result)[name]
    mercator = crs.Mercator()
    axes = draw(projection=mercator)
    assert axes.projection == mercator
    own = plt.figure().add_subplot(projection=crs.Orthographic(-60, 38))
    assert draw(ax=own) is own
    flat = draw()
    assert axes.get_title() == own.get_title() == flat.get_title()
    assert limits(axes) == limits(own) == limits(flat)
    np.testing.assert_array_equal(drawn(axes), drawn(flat))
    axes.figure.canvas.draw()


def test_cells_are_where_the_projection_puts_them(truth, crs):
    mercator = crs.Mercator()
    axes = plot.height(truth, projection=mercator)
    corners = mercator.transform_points(
        crs.PlateCarree(), truth.longitude[[0, -1]].values, truth.latitude[[0, -1]].values
    )
    step = np.diff(
        mercator.transform_points(crs.PlateCarree(), truth.longitude.values, truth.latitude.values[:1].repeat(24))[:, 0]
    )[0]
    np.testing.assert_allclose(axes.get_xlim(), corners[:, 0] + np.array([-0.5, 0.5]) * step, rtol=1e-6)


def test_coastlines_are_drawn_when_asked_for(truth, crs, monkeypatch):
    from cartopy.mpl.geoaxes import GeoAxes

    calls = []
    monkeypatch.setattr(GeoAxes, "coastlines", lambda self, **options: calls.append(options))
    plot.height(truth, projection=crs.PlateCarree())
    assert calls == []
    plot.height(truth, projection=crs.PlateCarree(), coastlines=True)
    plot.spread(abs(truth), ax=plt.figure().add_subplot(projection=crs.PlateCarree()), coastlines=True)
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"coastlines": True}, r"Invalid coastlines True. It must come with a projection"),
        ({"time": [0, 1]}, {}, r"Invalid field with dimensions .* It must have the horizontal ones only"),
    ],
)
def test_what_is_refused_leaves_no_empty_figure(truth, change, options, message):
    with pytest.raises(ValueError, match=message):
        plot.height(truth.expand_dims(change), **options)
    assert plt.get_fignums() == []


def test_a_field_without_positions_is_warned_of_once(truth):
    with pytest.warns(xr_dip.DipWarning, match="has no latitude and longitude") as warned:
        plot.height(xr.DataArray(truth.values, dims=("y", "x"), name="ssh"))
    assert len(warned) == 1


def test_what_cannot_be_projected_is_refused(truth, crs):
    with pytest.raises(ValueError, match=r"Invalid coastlines True. It must come with a projection"):
        plot.height(truth, coastlines=True)
    with pytest.raises(ValueError, match=r"Invalid projection with ax. It must be left out"):
        plot.height(truth, ax=plt.figure().add_subplot(), projection=crs.PlateCarree())
    with pytest.raises(TypeError, match=r"Invalid projection 'mercator'. It must be one of cartopy.crs"):
        plot.height(truth, projection="mercator")
    bare = xr.DataArray(truth.values, dims=("y", "x"), name="ssh")
    figures = plt.get_fignums()
    with pytest.raises(ValueError, match="Invalid field 'ssh' without positions"):
        plot.height(bare, projection=crs.PlateCarree())
    assert plt.get_fignums() == figures


def test_a_projection_without_cartopy_says_how_to_get_it(truth, monkeypatch):
    def missing(module):
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(canvas, "import_module", missing)
    with pytest.raises(ImportError, match=r"Pictures need cartopy. .*pip install xr-dip\[cartopy\]"):
        plot.height(truth, projection="mercator")
