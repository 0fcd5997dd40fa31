"""`xr-dip twin`: what reaches the experiments, what is printed, written and drawn."""

import pytest
import xarray as xr
from click.testing import CliRunner

from xr_dip import synthetic, twin, twin_experiments
from xr_dip.cli import main


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "truth.nc"
    synthetic.gulf_stream((24, 36)).ssh.to_dataset().to_netcdf(path)
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["twin", *map(str, arguments)])


def assert_one_line(result, text):
    assert result.exit_code == 1
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_scores_are_printed_written_and_drawn(truth, tmp_path):
    out, picture = tmp_path / "scores.nc", tmp_path / "scores.png"
    options = ("--factors", "2,4", "--methods", "bilinear, bicubic", "--noise-std", "0,0.02")
    result = run(truth, "--var", "ssh", *options, "--out", out, "--plot", picture)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["rmse", "(m)", "x2", "x4"]
    with xr.open_dataset(out) as scores:
        expected = float(scores.rmse.sel(factor=4, estimator="bicubic", noise_std=0.02))
    assert lines[-1].startswith("bicubic, noise 0.02")
    assert lines[-1].endswith(f"{expected:.4g}")
    assert picture.stat().st_size > 1000
    assert_one_line(run(truth, "--var", "ssh", "--out", out), "It must be a new file")


@pytest.fixture
def seen(monkeypatch):
    """Notes of what reaches the experiments, which then return the least that can be written as a table."""
    noted = {}
    score = (("factor", "estimator", "noise_std"), [[[1.0]]])
    scores = xr.Dataset({"rmse": score}, {"factor": [4], "estimator": ["a"], "noise_std": [0.0]})

    def note(name, found):
        def call(field, *arguments, **options):
            noted[name] = (field.name, *arguments, options)
            return found

        return call

    monkeypatch.setattr(twin, "experiment", note("experiment", scores))
    monkeypatch.setattr(twin_experiments, "evidence", note("claims", (None, None)))
    for name in ("sections", "ensemble", "enforcement", "losses"):
        monkeypatch.setattr(twin, name, note(name, xr.Dataset()))
    return noted


def test_every_option_arrives(truth, seen, tmp_path):
    run(truth, "--var", "ssh", "--members", "3", "--seed", "2", "--device", "cpu", "--cache", tmp_path, "--quiet")
    common = {"members": 3, "seed": 2, "device": "cpu", "progress": False, "cache": tmp_path}
    names = ["bicubic", "kriging", "balanced"]
    assert seen["experiment"] == ("ssh", [4, 8, 16], names, common | {"noise_std": [0.0]})
    run(truth, "--var", "ssh", "--operator", "gaussian", "--operator-option", "width=0.4")
    assert seen["experiment"][3]["operator"] == "gaussian"
    assert seen["experiment"][3]["operator_options"] == {"width": 0.4}
    result = run(truth, "--var", "ssh", "--claims", "--factors", "1,16")
    common = {"members": 10, "seed": 0, "device": "auto", "progress": True, "cache": None}
    assert seen["claims"] == ("ssh", [1, 16], common)
    assert result.stdout.splitlines()[0].startswith("(a) not tested: ")


def test_every_option_of_the_other_experiments_arrives(truth, seen):
    common = {"members": 10, "seed": 0, "device": "auto", "progress": True, "cache": None}
    run(truth, "--var", "ssh", "--experiment", "sections", "--factors", "2", "--methods", "nearest")
    assert seen["sections"] == ("ssh", [2], ["nearest"], common)
    options = ("--methods", "fast", "--constraints", "smooth", "--latent-samples", "4", "--members", "3")
    run(truth, "--var", "ssh", "--experiment", "ensemble", "--factors", "2", *options)
    method = {"preset": "fast", "constraint": "smooth"}
    assert seen["ensemble"] == ("ssh", 2, method, common | {"members": 3, "latent_samples": 4})
    run(truth, "--var", "ssh", "--experiment", "enforcement", "--constraints", "none,smooth")
    assert seen["enforcement"] == ("ssh", 16, ["none", "smooth"], {"preset": "archambault2022"}, common)
    options = ("--losses", "l1,mse", "--noise-std", "0.1", "--every", "10", "--members", "2")
    run(truth, "--var", "ssh", "--experiment", "losses", *options)
    del common["progress"]
    common |= {"noise_std": 0.1, "every": 10, "members": 2}
    assert seen["losses"] == ("ssh", 16, ["l1", "mse"], {"preset": "archambault2022"}, common)


@pytest.mark.parametrize(
    ("words", "first", "lines"),
    [
        ("sections --factors 2,4 --methods bilinear,bicubic", ["rmse", "along", "the", "line", "(m)", "x2", "x4"], 3),
        ("ensemble --factors 4 --methods tiny --constraints additive --members 2", ["rmse", "(m)"], 7),
        ("enforcement --factors 4 --methods tiny --members 2 --constraints none,smooth", ["constraint", "rmse"], 3),
        ("losses --factors 4 --methods fast --losses mse,l1", ["psnr", "(dB)", "best", "at", "iteration"], 3),
    ],
)
def test_each_experiment_is_printed_written_and_drawn(truth, tiny, tmp_path, words, first, lines):
    out, picture = tmp_path / "found.nc", tmp_path / "found.png"
    common = ("--device", "cpu", "--quiet", "--out", out, "--plot", picture)
    result = run(truth, "--var", "ssh", "--experiment", *words.split(), *common)
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == lines
    assert result.stdout.split()[: len(first)] == first
    with xr.open_dataset(out) as found:
        assert found.data_vars
    assert picture.stat().st_size > 1000


def test_claims_are_drawn_into_a_folder(truth, tmp_path, monkeypatch):
    field = xr.open_dataset(truth).load().ssh
    scores = twin.experiment(field, [2, 4], {"dip": {"method": "bilinear"}, "bicubic": {"method": "bicubic"}})
    parts = xr.Dataset({"error": 0.1 * field, "ensemble_std": abs(field), "slope": abs(field), "correlation": 0.4})
    parts = parts.assign(
        rmse=("size", [0.2, 0.1]), member_rmse=("member", [0.2, 0.3]), bicubic_rmse=0.2, size=[1, 2], member=[0, 1]
    )
    monkeypatch.setattr(twin_experiments, "evidence", lambda *_, **__: (scores, parts))
    words = (truth, "--var", "ssh", "--claims", "--plot", tmp_path / "pictures")
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    names = ["by_factor.png", "ensemble_size.png", "members.png", "spreads.png"]
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == names
    assert_one_line(run(*words), "It must be a new file")
    assert run(*words, "--overwrite").exit_code == 0
    file = ("--plot", tmp_path / "pictures.png")
    assert_one_line(run(truth, "--var", "ssh", "--claims", *file), "with --claims. It must be a folder")


def test_what_is_wrong_is_one_line(truth):
    assert_one_line(run(truth, "--var", "zos"), "ssh")
    assert_one_line(run(truth, "--var", "ssh", "--factors", "two"), "Invalid factors 'two'. It must be numbers with")
    assert_one_line(run(truth, "--var", "ssh", "--methods", "magic"), "Invalid method 'magic'")
    assert_one_line(run(truth, "--var", "ssh", "--claims", "--operator", "bicubic"), "Invalid --operator with --claims")
    common = ("--factors", "4", "--methods", "bicubic")
    assert_one_line(run(truth, "--var", "ssh", *common, "--operator", "lanczos"), "Invalid operator 'lanczos'")
    picture = truth.with_name("scores.doc")
    assert_one_line(run(truth, "--var", "ssh", *common, "--plot", picture), "Its name must end with one of ['")
    same = truth.with_name("same.png")
    result = run(truth, "--var", "ssh", *common, "--plot", same, "--out", same)
    assert_one_line(result, "It must be another file than that of --out")


@pytest.mark.parametrize(("experiment", "score"), [("factors", "skill"), ("ensemble", "bias"), ("losses", "crps")])
def test_a_score_that_there_is_not_is_refused_before_any_fit(truth, seen, experiment, score):
    result = run(truth, "--var", "ssh", "--experiment", experiment, "--score", score)
    assert_one_line(result, f"Invalid score '{score}'. It must be one of [")
    assert not seen


def test_a_score_that_no_method_gives_loses_nothing(truth, tmp_path):
    common = ("--factors", "4", "--methods", "bicubic", "--score", "crps", "--out", tmp_path / "scores.nc")
    assert_one_line(run(truth, "--var", "ssh", *common), "Invalid score 'crps'. It must be one of")
    assert "rmse" in xr.load_dataset(tmp_path / "scores.nc")


def test_the_scores_that_are_allowed_are_those_that_there_are(truth, tiny):
    field = xr.load_dataset(truth).ssh
    scores = twin.experiment(field, [4], [tiny], members=2, progress=False, device="cpu")
    assert set(scores) == set(twin_experiments.EXPERIMENTS["factors"].scores)


def test_only_pictures_need_matplotlib(truth, monkeypatch):
    def missing(name):
        raise ImportError(f"Pictures need {name}.")

    monkeypatch.setattr(twin_experiments, "find_library", missing)
    common = ("--var", "ssh", "--factors", "4", "--methods", "bicubic")
    result = run(truth, *common)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("rmse (m)")
    result = run(truth, *common, "--plot", truth.with_name("scores.png"))
    assert_one_line(result, "Pictures need matplotlib")
    assert result.stdout.startswith("rmse (m)")  # what was found is seen where it cannot be drawn


def test_the_folder_of_pictures_is_made_last_and_its_own_must_exist(truth, seen):
    common = (truth, "--var", "ssh", "--claims", "--factors")
    folder = truth.with_name("pictures")
    assert_one_line(run(*common, "two", "--plot", folder), "Invalid factors 'two'")
    assert not folder.exists()
    result = run(*common, "1,16", "--plot", folder / "of claims")
    assert_one_line(result, f"'{folder / 'of claims'}'. Its folder must exist, '{folder}' does not")
    assert not seen


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("--claims", "--methods fast"),
        ("--claims", "--noise-std 0.1"),
        ("--claims", "--score rmse"),
        ("--claims", "--experiment sections"),
        ("--experiment sections", "--noise-std 0.1"),
        ("--experiment sections", "--operator bicubic"),
        ("--experiment ensemble", "--losses mse"),
        ("--experiment enforcement", "--score rmse"),
        ("--experiment losses", "--constraints none"),
        ("--experiment factors", "--every 10"),
    ],
)
def test_options_without_effect_are_refused(truth, words, option):
    result = run(truth, "--var", "ssh", *words.split(), *option.split())
    flag = option.split()[0]
    assert_one_line(result, f"Invalid {flag} with {words}. It must be left out: that takes ['--factors', '--m")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("ensemble --factors 4,8", "Invalid factors [4, 8]. It must be one in this experiment."),
        ("losses --methods fast,balanced", "Invalid methods ['fast', 'balanced']. It must be one in this experiment."),
        ("losses --noise-std 0,1", "Invalid noise_std [0.0, 1.0]. It must be one in this experiment."),
        ("ensemble --factors 4 --methods fast", "Its members must be fits"),
        ("enforcement --factors 4 --constraints magic", "Invalid constraint 'magic'"),
    ],
)
def test_what_an_experiment_cannot_do_is_one_line(truth, words, text):
    assert_one_line(run(truth, "--var", "ssh", "--experiment", *words.split()), text)
