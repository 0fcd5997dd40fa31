"""The page about a result: whole or not there, on its own, with every number and picture that the result allows."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import browser
import matplotlib.image
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import xr_dip
from xr_dip import canvas
from xr_dip.cli import main
from xr_dip.report import figures, pictures, write_report, writing

EMPTY_ELEMENTS = {"meta", "img", "source", "br", "link", "input"}


class Reader(HTMLParser):
    """Elements with their attributes, in order; elements that are closed in the wrong order are an error."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def with_members(fine, count=3):
    """Members about the mean of a result, by formula: no fit is needed for a page."""
    waves = np.sin(np.arange(fine.ssh_mean.size)).reshape(fine.ssh_mean.shape) * 1e-3
    members = xr.concat([fine.ssh_mean + weight * waves for weight in range(-1, count - 1)], "member")
    return fine.assign(ssh_members=members.assign_coords(member=np.arange(count)).assign_attrs(fine.ssh_mean.attrs))


@pytest.fixture(scope="module")
def truth():
    return xr_dip.synthetic.gulf_stream((24, 36), resolution=1 / 10).ssh


@pytest.fixture(scope="module")
def fine(truth):
    return with_members(xr_dip.interpolate(truth.coarsen(latitude=4, longitude=4).mean(), 4, "kriging"))


@pytest.fixture(scope="module")
def page(fine, truth, tmp_path_factory):
    """A page with everything on it."""
    return write_report(fine, tmp_path_factory.mktemp("report") / "report.html", truth)


@pytest.fixture(scope="module")
def content(page):
    return Reader(page.read_text(encoding="utf-8"))


@pytest.fixture
def quick(monkeypatch):
    """Pictures are laid out in `page` already; other pages are about words, and draw without encoding."""
    monkeypatch.setattr(pictures, "_encode", lambda _figure: ("AAAA", (8, 6)))


def read(path):
    return Reader(path.read_text(encoding="utf-8"))


def test_it_is_one_document_with_headings_in_order_and_links_that_lead_there(content):
    assert [tag for tag, _ in content.elements if re.fullmatch(r"h\d", tag)] == ["h1", *["h2"] * 8]
    names = [attributes["id"] for _, attributes in content.elements if "id" in attributes]
    assert len(names) == len(set(names))
    assert {link["href"].removeprefix("#") for link in content.all("a")} <= set(names)
    assert content.all("html") == [{"lang": "en"}]


def test_it_needs_nothing_but_itself(page, content):
    assert not content.all("script")
    assert not content.all("link")
    loaded = [source.get("src") or source["srcset"] for tag in ("img", "source") for source in content.all(tag)]
    assert loaded
    assert all(place.startswith("data:image/png;base64,") for place in loaded)
    assert "@import" not in page.read_text(encoding="utf-8")
    assert "url(" not in page.read_text(encoding="utf-8")


def test_every_picture_is_one_has_words_and_a_dark_twin(content):
    shown, twins = content.all("img"), content.all("source")
    assert len(shown) == len(twins) == 13
    for picture, twin in zip(shown, twins, strict=True):
        assert len(picture["alt"]) > 20
        decoded = [base64.b64decode(place.partition(",")[2]) for place in (picture["src"], twin["srcset"])]
        light, dark = (matplotlib.image.imread(io.BytesIO(data)) for data in decoded)
        assert light.shape == dark.shape == (int(picture["height"]), int(picture["width"]), 4)
        assert light[..., 3].min() == 0  # the page shines through
        assert (light != dark).any()


def test_the_numbers_are_those_of_the_result_and_of_verify(content, fine, truth):
    scores = fine.dip.verify(truth)
    for key in ("rmse", "skill_kriging", "coverage", "current_rmse"):
        assert f"{key} {float(scores[key]):.3g}" in content.text
    assert f"error {float(scores.rmse):.3g} m root mean square, against the truth" in content.text
    assert "largest error of a coarse value" in content.text
    assert f"mean standard error {float(fine.ssh_std.mean()):.3g} m" in content.text


def test_it_says_what_the_coarse_values_are_and_whether_they_are_met(content, fine, quick, tmp_path):
    assert "Block means of the estimate and of every member are the input to rounding" in content.text
    configuration = json.loads(fine.attrs["xr_dip_configuration"]) | {"operator": "bicubic", "operator_options": {}}
    seen = fine.assign_attrs(xr_dip_configuration=json.dumps(configuration))
    words = read(write_report(seen, tmp_path / "seen.html")).text
    assert "Coarse values (operator bicubic) of the estimate and of every member are the input to rounding" in words
    free = seen.assign(conservation_error=fine.conservation_error + 1e-3)
    words = read(write_report(free, tmp_path / "free.html")).text
    assert "Coarse values (operator bicubic) of the estimate are not those of the input" in words
    assert "to rounding" not in words


def made_otherwise(fine, **options):
    """The same numbers, as if made with other options; those that are None are left out."""
    configuration = json.loads(fine.attrs["xr_dip_configuration"]) | options
    kept = {key: value for key, value in configuration.items() if value is not None or key == "noise_std"}
    return fine.assign_attrs(xr_dip_configuration=json.dumps(kept))


def of_fits(fine, constraint):
    return made_otherwise(fine, method=None, preset="balanced", members=3, constraint=constraint)


def noisy(fine, noise_std=0.03):
    return made_otherwise(fine.assign(conservation_error=0 * fine.conservation_error + 0.02), noise_std=noise_std)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda fine: of_fits(fine, "optimal"), "It is calibrated on average, not on each field"),
        (lambda fine: of_fits(fine, "none"), "each fine cell. Spread of the members: not calibrated. Errors"),
        (lambda fine: fine, "that of kriging with the covariance fitted to the coarse values, and not calibrated"),
        (lambda fine: made_otherwise(fine, method=None, student={"sha256": 64 * "a"}), "A student learned it"),
    ],
)
def test_a_standard_error_is_called_calibrated_only_where_it_is(fine, tmp_path, change, text):
    commented = fine.assign(ssh_std=fine.ssh_std.assign_attrs(comment="Spread of the members: not calibrated."))
    words = read(write_report(change(commented), tmp_path / "report.html")).text
    assert text in words
    assert ("calibrated on average" in words) == ("calibrated on average" in text)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("noise", "size"), [(0.03, "0.03 m"), ("given on the coarse grid, 0.01 to 0.02, sha256 0a1b", "0.01 to 0.02 m")]
)
def test_of_noise_it_says_the_size_and_promises_nothing(fine, tmp_path, noise, size):
    words = read(write_report(noisy(fine, noise), tmp_path / "report.html")).text
    assert "Conservation Block means not enforced: noise_std. Those of the estimate miss the input by 0.02 m" in words
    assert f"The noise of the input was said to be {size}." in words
    assert "the noise of the coarse values included" in words
    assert "Each has small scales" in words
    for untrue in ("given that the coarse values are right", "met within", "the coarse values of the estimate, and"):
        assert untrue not in words
    assert "sha256" not in words.partition("How to read it")[2].rpartition("How it was made")[0]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("student", [False, True])
def test_without_members_nothing_is_said_of_them(fine, tmp_path, student):
    change = {"method": None, "student": {"sha256": 64 * "a"}} if student else {}
    bare = made_otherwise(fine.drop_vars("ssh_members"), **change)
    words = read(write_report(bare, tmp_path / "report.html")).text
    assert "The result has no members: only fits make them." in words
    assert "Block means of the estimate are the input to rounding" in words
    for untrue in (
        "A member keeps",
        "each member",
        "every member",
        "Members are plausible",
        "keep_members",
        "of the fits",
    ):
        assert untrue not in words


@pytest.mark.usefixtures("quick")
def test_block_means_that_are_not_kept_by_design_are_no_noise_of_rounding(truth, tmp_path):
    coarse = truth.coarsen(latitude=4, longitude=4).mean()
    words = read(write_report(xr_dip.interpolate(coarse, 4, "bicubic"), tmp_path / "bicubic.html")).text
    assert 'minus the input. Block means not enforced: method "bicubic".' in words
    assert 'Conservation Block means not enforced: method "bicubic". Those of the estimate miss the input by' in words
    assert "ounding" not in words
    words = read(write_report(xr_dip.interpolate(coarse, 4), tmp_path / "conserving.html")).text
    assert "minus the input. Noise of rounding." in words


@pytest.mark.usefixtures("quick")
def test_a_page_of_a_student_names_it(fine, tmp_path):
    student = made_otherwise(fine, method=None, student={"sha256": "0123456789abcdef"})
    words = read(write_report(student, tmp_path / "report.html")).text
    assert "to 24 x 36 fine ones, by the student 0123456789ab." in words


@pytest.mark.parametrize(
    ("lengths", "text"),
    [
        ([1e5, np.inf, np.inf], "100 km, 2 of 3 not resolved"),
        ([1e5, 2e5, np.inf, np.nan], "150 (100 to 200) km, 1 of 3 not resolved"),
        ([np.inf, np.nan], "not resolved"),
        ([np.nan], "none"),
    ],
)
def test_waves_that_are_not_resolved_are_counted_and_land_is_not(lengths, text):
    scores = xr.Dataset({"lambda_x": ("time", lengths, {"units": "m"})})
    assert figures.score_rows(scores)[0][1] == text


def test_it_says_how_it_was_made(content, fine):
    assert fine.attrs["xr_dip_configuration_sha256"] in content.text
    assert "method kriging" in content.text
    assert fine.attrs["history"] in content.text
    assert "From 6 x 9 coarse cells to 24 x 36 fine ones, by kriging interpolation." in content.text


@pytest.mark.usefixtures("quick")
def test_without_a_truth_and_members_it_has_what_there_is(fine, tmp_path):
    content = read(write_report(fine.drop_vars(["ssh_members"]), tmp_path / "report.html"))
    assert "against the truth" not in content.text
    assert "The result has no members" in content.text
    assert len(content.all("img")) == 6


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", ["mean", "gap"])
def test_flags_that_are_no_whole_numbers_have_no_shares(tmp_path, kind):
    """Of a mean over time, and of a series with times that it has not."""
    days = xr_dip.synthetic.gulf_stream((24, 24), times=2).ssh
    fine = xr_dip.interpolate(days.coarsen(latitude=4, longitude=4).mean(), 4)
    assert "cells: seam" not in read(write_report(fine, tmp_path / "whole.html")).text
    with xr.set_options(keep_attrs=True):
        later = xr.concat([days.time, days.time + np.timedelta64(9, "D")], "time")
        changed = fine.mean("time") if kind == "mean" else fine.reindex(time=later)
    assert changed.ssh_flag.dtype.kind == "f"
    content = read(write_report(changed, tmp_path / "report.html"))
    assert "largest conservation error" in content.text


@pytest.mark.usefixtures("quick")
def test_of_several_times_the_first_is_drawn_and_all_are_counted(tmp_path):
    days = xr_dip.synthetic.gulf_stream((24, 24), times=3).ssh
    fine = xr_dip.interpolate(days.coarsen(latitude=4, longitude=4).mean(), 4)
    content = read(write_report(fine, tmp_path / "report.html", days))
    assert "The result has 3 entries along time: maps show the first one (2009-07-01)" in content.text
    rmse = fine.dip.verify(days, baselines=[]).rmse
    assert f"rmse {float(rmse.mean()):.3g} ({float(rmse.min()):.3g} to {float(rmse.max()):.3g}) m" in content.text


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("land", "text"),
    [
        (lambda field: field.latitude < field.latitude[8], "Along x, over the lines without land"),
        (lambda field: field.longitude < field.longitude[8], "Along y, over the lines without land"),
        # A coast across every row and column.
        (lambda field: xr.zeros_like(field) + 1.5 * np.arange(24)[:, None] >= np.arange(36) - 1, "No spectra"),
    ],
)
def test_spectra_keep_clear_of_land(truth, tmp_path, land, text):
    sea = truth.where(~land(truth))
    fine = xr_dip.interpolate(sea.coarsen(latitude=4, longitude=4).mean(), 4, mask=sea.notnull())
    assert text in read(write_report(fine, tmp_path / "report.html")).text


@pytest.mark.samples
@pytest.mark.usefixtures("quick")
def test_a_real_coast_on_a_curvilinear_grid_has_its_page(tmp_path):
    sea = xr_dip.samples.open_dataset("balearic").sossheig[384:432, 64:128]
    means = sea.coarsen(y=8, x=8).mean()
    fine = xr_dip.interpolate(means, 8, "kriging", mask=sea.notnull())
    content = read(write_report(fine, tmp_path / "report.html", sea))
    assert "From 6 x 8 coarse cells to 48 x 64 fine ones" in content.text
    assert f"cells {int(sea.notnull().sum())} cells compared" in content.text
    assert "cells: land" in content.text


@pytest.mark.usefixtures("quick")
def test_a_field_without_positions_has_a_page_without_spectra(truth, tmp_path):
    bare = xr.DataArray(truth.values, dims=("y", "x"), name="ssh").coarsen(y=4, x=4).mean()
    with pytest.warns(xr_dip.DipWarning, match="no latitude and longitude"):
        content = read(write_report(xr_dip.interpolate(bare, 4), tmp_path / "report.html"))
    assert "No spectra: they need positions" in content.text


@pytest.mark.usefixtures("quick")
def test_what_a_file_says_cannot_become_markup(fine, tmp_path):
    evil = fine.assign_attrs(title="<script>alert(1)</script>", institution="a & b")
    content = read(write_report(evil.drop_vars("ssh_members"), tmp_path / "report.html"))
    assert not content.all("script")
    assert "<script>alert(1)</script>" in content.text
    assert "a & b" in content.text


@pytest.mark.usefixtures("quick")
def test_an_earlier_page_is_kept_unless_told_otherwise(fine, tmp_path):
    target = tmp_path / "report.html"
    target.write_text("earlier")
    with pytest.raises(FileExistsError, match="must be a new file"):
        fine.dip.report(target)
    assert fine.drop_vars("ssh_members").dip.report(target, overwrite=True) == target
    assert "earlier" not in target.read_text(encoding="utf-8")


def test_a_page_that_fails_leaves_nothing(fine, tmp_path, monkeypatch):
    def fail(_shown):
        raise RuntimeError("half way")

    monkeypatch.setattr(writing, "SECTIONS", (("maps", "Maps", fail),))
    with pytest.raises(RuntimeError, match="half way"):
        write_report(fine, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_it_must_be_a_result(truth, tmp_path):
    with pytest.raises(ValueError, match=r"Invalid Dataset with the variables .*It must be a result of xr_dip"):
        write_report(truth.to_dataset(), tmp_path / "report.html")
    with pytest.raises(ValueError, match="It must be a result of xr_dip"):
        write_report(xr.Dataset({"ssh_mean": truth}), tmp_path / "report.html")


@pytest.fixture
def files(fine, truth, tmp_path):
    fine.drop_vars("ssh_members").to_netcdf(tmp_path / "fine.nc")
    truth.rename("zos").to_dataset().to_netcdf(tmp_path / "truth.nc")
    xr.Dataset({"zos": truth, "other": 2 * truth}).to_netcdf(tmp_path / "two.nc")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("options", [("truth.nc",), ("two.nc", "--truth-var", "zos")])
def test_the_command_writes_it(files, options):
    done = run(files / "fine.nc", files / "page.html", "--truth", files / options[0], *options[1:])
    assert (done.exit_code, done.stdout) == (0, f"{files / 'page.html'}\n"), done.stderr
    assert "Scores against the truth" in read(files / "page.html").text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("fine.nc", "fine.nc"), "must be another file than the input"),
        (("fine.nc", "two.nc"), "must be a new file"),
        (("none.nc", "page.html"), "there is none of this name"),
        (("truth.nc", "page.html"), "It must be a result of xr_dip"),
        (("fine.nc", "page.html", "--truth", "two.nc"), "It must be named: one of ['zos', 'other']"),
        (("fine.nc", "page.html", "--truth", "truth.nc", "--truth-var", "ssh"), "without a variable 'ssh'"),
    ],
)
def test_errors_are_one_line(files, arguments, text):
    done = run(*(files / word if word.endswith((".nc", ".html")) else word for word in arguments))
    assert done.exit_code == 1
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (files / "page.html").exists()


def test_a_missing_library_is_one_line_with_its_cure(files, monkeypatch):
    def missing(module):
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(canvas, "import_module", missing)
    done = run(files / "fine.nc", files / "page.html")
    assert done.exit_code == 1
    assert "pip install xr-dip[plot]" in done.stderr


@pytest.mark.skipif(browser.COMMAND is None, reason="no browser is installed: `make browser` gets one")
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, False), (390, True)])
def test_a_browser_shows_all_of_it_at_any_width(page, content, tmp_path, width, dark):
    picture = tmp_path / f"report-{width}{'-dark' if dark else ''}.png"
    told = browser.look_at(page, width, dark=dark, picture=picture)
    assert told["faults"] == []
    assert len(told["images"]) == len(content.all("img"))
    assert min(told["images"]) > 0
    assert told["width"] == width
    assert told["needed"] <= width
    assert told["smallest"] >= 12
    assert told["background"] == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
    assert matplotlib.image.imread(picture).shape[:2] == (told["height"], width)


@pytest.mark.skipif(browser.COMMAND is None, reason="no browser is installed: `make browser` gets one")
def test_the_browser_would_tell_of_faults(tmp_path):
    (tmp_path / "bad.html").write_text(
        "<!DOCTYPE html><meta name='viewport' content='width=device-width'><p style='width: 700px'>wide</p>"
        "<img src='none.png'><script>console.error('told'); fail()</script>"
    )
    told = browser.look_at(tmp_path / "bad.html", 390)
    assert told["images"] == [0]
    assert told["needed"] >= 700
    assert {"told", "fail is not defined", "ERR_FILE_NOT_FOUND"} <= set(
        re.findall("told|fail is not defined|ERR_FILE_NOT_FOUND", json.dumps(told["faults"]))
    )
