"""Pictures of twin experiments: what they draw is what the scores say."""

import numpy as np
import pytest
import xarray as xr

from xr_dip import synthetic, twin
from xr_dip.twin import tables
from xr_dip.twin.comparison import SCORES

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(scope="module")
def scores():
    truth = synthetic.gulf_stream((24, 24), times=3).ssh
    return twin.experiment(truth, [2, 4], ["bilinear", "bicubic"], noise_std=[0.0, 0.02])


def parts():
    field = synthetic.gulf_stream((12, 16)).ssh
    maps = {"error": field - field.mean(), "ensemble_std": abs(field), "latent_std": 0.1 * abs(field)}
    maps = {name: values.assign_attrs(field.attrs) for name, values in maps.items()}
    numbers = {"member_rmse": ("member", [0.3, 0.2]), "rmse": ("size", [0.25, 0.15], {"units": "m"})}
    common = {"correlation": 0.5, "latent_correlation": 0.25, "bicubic_rmse": 0.22}
    return xr.Dataset(maps | numbers | common, {"size": [1, 2]})


def test_lines_by_factor_are_the_scores(scores):
    axes = twin.plot.by_factor(scores, "rmse")
    assert len(axes.lines) == 4
    expected = scores.rmse.mean("time").sel(estimator="bilinear", noise_std=0.02)
    np.testing.assert_allclose(axes.lines[1].get_ydata(), expected)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[:2] == ["bilinear", "bilinear, noise 0.02 m"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["x2", "x4"]


def test_errors_by_factor_are_on_a_logarithmic_axis_and_what_has_none_is_at_its_end():
    truth = synthetic.gulf_stream((24, 24)).ssh
    scores = twin.experiment(truth, [1, 2, 4], ["bilinear", "bicubic"])
    axes = twin.plot.by_factor(scores, names={"bicubic": "Keys 1981"})
    assert axes.get_yscale() == "log"
    low = axes.get_ylim()[0]
    assert 0 < low < float(scores.rmse.sel(factor=2).min())
    assert axes.lines[0].get_ydata()[0] == low  # an interpolation at factor 1 is the field itself
    assert axes.lines[1].get_markerfacecolor() == "white"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["bilinear", "Keys 1981"]
    assert twin.plot.by_factor(scores, "ssim").get_yscale() == "linear"


def test_a_missing_error_is_a_gap_and_not_the_smallest_one():
    values = (("factor", "estimator", "noise_std"), [[[0.1]], [[np.nan]], [[0.3]]])
    axes = twin.plot.by_factor(
        xr.Dataset({"rmse": values}, {"factor": [2, 4, 8], "estimator": ["a"], "noise_std": [0.0]})
    )
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_ydata(), [0.1, np.nan, 0.3])


def test_a_point_for_each_day(scores):
    with pytest.raises(ValueError, match=r"Invalid scores with the noise_std \[0.0, 0.02\]. They must be of one: sel"):
        twin.plot.days(scores, "bilinear")
    scores = scores.sel(noise_std=[0.0])
    axes = twin.plot.days(scores, "bilinear")
    for line, factor in zip(axes.lines, (2, 4), strict=False):
        np.testing.assert_allclose(line.get_xdata(), scores.rmse.sel(factor=factor, estimator="bicubic").squeeze())
    with pytest.raises(ValueError, match=r"Invalid method 'spline'. It must be one of"):
        twin.plot.days(scores, "spline")


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ("rmse", "x4, better on 25% of 4"),
        ("crps", "x4, better on 25% of 4"),
        ("mu_score", "x4, better on 75% of 4"),
        ("correlation", "x4, better on 75% of 4"),
        ("bias", "x4"),
        ("coverage", "x4"),
        ("spread_skill", "x4"),
    ],
)
def test_better_is_smaller_or_larger_or_not_said(score, said):
    values = (("factor", "estimator", "time"), [[[1.0, 3.0, 3.0, 3.0], [2.0, 2.0, 2.0, 2.0]]])
    axes = twin.plot.days(
        xr.Dataset({score: values}, {"factor": [4], "estimator": ["dip", "bicubic"]}), "dip", score=score
    )
    assert axes.get_legend().get_texts()[0].get_text() == said


def test_every_score_of_an_experiment_has_a_direction_or_is_best_in_between():
    between = {"cells", "bias", "spread_skill", "coverage"}
    assert set(SCORES) - between == set(tables.SMALLER_IS_BETTER) | (set(tables.LARGER_IS_BETTER) - {"psnr"})


@pytest.mark.parametrize("draw", [twin.plot.by_factor, twin.plot.ensemble_size, twin.plot.losses])
def test_a_score_that_is_not_there_is_refused(draw):
    with pytest.raises(ValueError, match=r"Invalid score 'skill'. It must be one of"):
        draw(parts(), "skill")
    with pytest.raises(ValueError, match=r"Invalid score 'member_skill'. It must be one of"):
        twin.plot.members(parts(), "skill")


def test_tables_and_diagrams_write_units_alike():
    values = xr.DataArray([[[[0.5]], [[0.7]]]], dims=("factor", "estimator", "noise_std", "time"))
    labels = {"factor": [4], "estimator": ["a", "b"], "noise_std": [0.0]}
    for units, shown in (("m", " (m)"), ("1", ""), ("", "")):
        scores = xr.Dataset({"bias": values.assign_attrs(units=units)}, labels)
        assert tables.of_factors(scores, "bias").splitlines()[0].split("  ")[0] == f"bias{shown}"
        assert twin.plot.by_factor(scores, "bias").get_ylabel() == f"bias{shown}"
    with pytest.raises(ValueError, match=r"Invalid score 'skill'. It must be one of \['bias'\]"):
        tables.of_factors(scores, "skill")


def test_members_and_their_number():
    axes = twin.plot.members(parts())
    assert [bar.get_height() for bar in axes.patches] == [0.3, 0.2]
    assert [line.get_ydata()[0] for line in axes.lines] == [0.15, 0.22]
    axes = twin.plot.ensemble_size(parts())
    assert [line.get_ydata()[0] for line in axes.lines] == [0.25, 0.2, 0.22]


def test_spreads_have_their_correlations():
    panels = twin.plot.spreads(parts())
    assert list(panels) == ["error", "ensemble_std", "latent_std"]
    size = float((parts().latent_std ** 2).mean() ** 0.5)
    assert panels["latent_std"].get_title() == f"spread of latents\nrms {size:.3g} m, correlation 0.25"


def test_spreads_are_on_one_scale_so_that_the_smaller_one_looks_smaller():
    panels = twin.plot.spreads(parts())
    limits = {panels[name].collections[0].get_clim() for name in ("ensemble_std", "latent_std")}
    assert len(limits) == 1
    (text,) = panels["error"].figure.texts
    assert text.get_text() == "12 x 16 cells"
    panels = twin.plot.spreads(parts().assign_attrs(factor=4))
    assert panels["error"].figure.texts[0].get_text() == "x4, 12 x 16 cells"
    panels = twin.plot.spreads(parts().drop_vars("latent_std"), title="a window")
    assert panels["error"].figure.texts[0].get_text() == "a window"


def test_sections_have_one_panel_for_each_factor():
    cuts = twin.sections(synthetic.gulf_stream((24, 36)).ssh, [2, 4], ["bicubic"])
    panels = twin.plot.sections(cuts)
    np.testing.assert_allclose(panels["x4"].lines[2].get_ydata(), cuts.estimate.sel(factor=4, estimator="bicubic"))
    assert panels["x4"].get_xlabel() == "distance (km)"


def test_losses_and_enforcement():
    values = (("loss", "member", "iteration"), np.arange(8.0).reshape(2, 2, 2))
    scores = xr.Dataset({"psnr": values}, {"loss": ["mse", "l1"], "iteration": [10, 20]})
    axes = twin.plot.losses(scores)
    assert axes.get_legend().get_texts()[1].get_text() == "l1, 6 in the end"
    table = xr.Dataset({"rmse": ("constraint", [0.1, 0.08])}, {"constraint": ["none", "additive"]})
    panels = twin.plot.enforcement(table.assign(conservation_error=("constraint", [0.02, 0.0])))
    np.testing.assert_allclose(panels["rmse"].collections[0].get_offsets()[:, 0], [0, -20])
    assert panels["rmse"].get_xlabel() == "change of the RMSE (%),\nof 0.1 with 'none'"
    assert [text.get_text() for text in panels["conservation_error"].texts] == ["0.02", "0"]


@pytest.mark.parametrize("errors", [[3e-3, 0.0, 2e-16], [0.0, 0.0, 0.0], [1e-3, 1e-3, 1e-3]])
def test_every_error_of_a_block_mean_is_on_its_axis(errors):
    table = xr.Dataset({"rmse": ("constraint", [0.1, 0.1, 0.1])}, {"constraint": ["geiss", "additive", "smooth"]})
    axes = twin.plot.enforcement(table.assign(conservation_error=("constraint", errors)))["conservation_error"]
    dots = axes.collections[0].get_offsets()[:, 0]
    left, right = axes.get_xlim()
    assert axes.get_xscale() == "log"
    assert left < dots.min() <= dots.max() < right
    np.testing.assert_array_equal(dots[np.array(errors) > 0], np.array(errors)[np.array(errors) > 0])
    open_dots = axes.collections[0].get_facecolors()[:, -1] == 0
    np.testing.assert_array_equal(open_dots, np.array(errors) == 0)
