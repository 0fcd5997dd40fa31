"""Imports point down only: floors without torch, floors without xarray, and a quiet `import xr_dip`."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "xr_dip"


def words(text):
    return text.split()


# Lowest first: a module imports only modules of lines above its own. A new module takes its place here.
FLOORS = words("""
_version docstrings errors threads blocks basins slices progress
geometry geometry.ellipsoid geometry.axis geometry.edges geometry.rectilinear geometry.corners geometry.filling
geometry.curvilinear geometry.projected geometry.indices geometry.grid geometry.overlap
geometry.tangent
cf.provenance cf.netcdf cf.undecoded cf.positions cf.sea_masks cf.lines cf.projection cf.planes cf.roles cf.curved
cf.horizontal cf.refined
arrays sea checks heights land regular_mask masks matching samples synthetic interpolation positive value_range
observing observing.kernel observing.kernels observing.sampling observing.projection constraints cf.summary
kriging kriging.coast kriging.white_noise kriging.matern kriging.block_covariance kriging.trend kriging.factorization
kriging.covariance_sample kriging.covariance kriging.unequal_noise
kriging.whitening kriging.torus kriging.local_variance kriging.estimator kriging.calibration kriging.blending
kriging.block kriging.windows kriging.mosaic kriging.shares kriging.basins
kriging.fronts kriging.local_covariance kriging.front kriging.front_likelihood kriging.along_fronts
fitting fitting.losses fitting.stopping fitting.linear fitting.sparse_map fitting.sampled fitting.operators
generators.base generators.layers generators.mixing generators.bandlimited generators.extent generators.dcgan
generators.skip generators.decoder generators.knitwork generators.pyramid generators.lapsrn generators
fitting.problem fitting.surroundings fitting.correction fitting.penalties
fitting.learned fitting.fit fitting.memory fitting.rates fitting.recording
fitting.stack fitting.batch fitting.batched fitting.ensemble fitting.following
presets parts inputs tiling noise observation pieces relay recipe cf.coordinates cf.cell_methods cf.dataset
cf.flow cf
verification.statistics verification.periodogram verification.derivatives verification.ensembles verification.scores
verification.similarity verification.spectra verification.spread verification.error_bins verification.evaluation
verification
geostrophy versions times
conservation sampled_fields coarsening combination results baselines standard latents problems estimate
joining patchwork tiles downscaling
whole_cells reading distillation distillation.settings distillation.standard distillation.lessons distillation.exercises
distillation.network distillation.training distillation.answer distillation.student distillation.teaching
scoring variables
archive archive.clock archive.daily_mean archive.days archive.chains archive.shard archive.summary archive.configuration
archive.job archive.work archive.folder archive.store archive.transactions archive.place archive.workers archive.cost
archive.driver archive.command drawable canvas plot.scales plot.maps plot.curves plot.pages plot.movie plot
twin.pair twin.methods twin.stored twin.comparison twin.single twin.profiles twin.conserving twin.descent twin.published
twin.names twin.tables twin.plot.diagrams twin.plot.panels twin.plot twin
analysis.impedance analysis.recurrence analysis.plot analysis
report.pictures report.page report.figures report.shown report.sections report.writing report accessor score_command
report_command student_command twin_experiments twin_command named_files
xr_dip cli __main__
""")

# The fits and what they are made of. Nothing else may need torch, not even by way of another module.
WITH_TORCH = words("""
fitting.sparse_map fitting.sampled fitting.surroundings fitting.correction latents problems
fitting.linear fitting.losses fitting.operators fitting.problem fitting.penalties fitting.learned fitting.fit
fitting.ensemble fitting.following fitting.memory fitting.rates
fitting.recording fitting.stack fitting.batch fitting.batched
generators generators.base generators.layers generators.mixing generators.bandlimited generators.extent
generators.dcgan generators.skip generators.decoder generators.knitwork generators.pyramid generators.lapsrn
parts recipe estimate tiles
distillation.network distillation.training distillation.answer
""")

# `fit` and below, geometry and statistics of arrays: plain numbers and arrays.
WITHOUT_XARRAY = [
    *(name for name in FLOORS if name.startswith(("geometry", "kriging", "observing", "fitting", "generators"))),
    *words("errors blocks basins sea interpolation positive value_range constraints combination presets"),
]


def name_of(path):
    """Return the name of a module below xr_dip; `xr_dip` for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts).removesuffix("__init__").rstrip(".") or "xr_dip"


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def targets(node):
    """Yield the full names that one statement imports, `importlib.import_module("name")` included."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "Imports are absolute."
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield whole if whole.removeprefix("xr_dip.") in MODULES else node.module
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))


def statements(node, inside_functions):
    """Yield the nodes below one, without what an import does not run where that is not wanted."""
    for child in ast.iter_child_nodes(node):
        if inside_functions or not is_skipped(child):
            yield child
            yield from statements(child, inside_functions)


def is_skipped(node):
    """Tell whether an import skips a statement: the body of a function, and what only type checkers read."""
    for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not node.orelse
    return for_types or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


@cache
def imports(module, inside_functions=True):
    """Return the names that a module imports: ours without `xr_dip.`, others by their first part."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    found = [target for node in statements(tree, inside_functions) for target in targets(node)]
    return {name.removeprefix("xr_dip.") if name.startswith("xr_dip") else name.partition(".")[0] for name in found}


@cache
def imported_with(module):
    """Return all that an import of a module imports, by way of others too."""
    direct = imports(module, inside_functions=False)
    return direct.union(*(imported_with(other) for other in direct if other in MODULES and other != module))


def test_the_reader_of_imports_sees_every_form():
    at_once = "import a.b\nfrom xr_dip.geometry import axis\nfrom xr_dip.fitting.fit import Fit\n"
    tree = ast.parse(at_once + "def later():\n    import c\n    import_module('d')\nif TYPE_CHECKING:\n    import e")
    found = {inside: [t for n in statements(tree, inside) for t in targets(n)] for inside in (True, False)}
    assert found[False] == ["a.b", "xr_dip.geometry.axis", "xr_dip.fitting.fit"]
    assert found[True] == [*found[False], "c", "d", "e"]
    assert imports("fitting.fit") >= {"torch", "numpy", "fitting.problem"}
    assert "torch" in imported_with("estimate")


def test_every_module_has_its_floor():
    assert len(FLOORS) == len(set(FLOORS))
    assert set(MODULES) == set(FLOORS), f"Not in both: {sorted(set(MODULES) ^ set(FLOORS))}."


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    lower = set(FLOORS[: FLOORS.index(module)])
    ours = imports(module) & set(MODULES)
    assert ours <= lower, f"{module} imports {sorted(ours - lower)}, which stand above it."


@pytest.mark.parametrize("module", sorted(set(MODULES) - set(WITH_TORCH)))
def test_no_torch_outside_the_fits(module):
    assert "torch" not in imports(module)
    assert "torch" not in imported_with(module)


@pytest.mark.parametrize("module", WITHOUT_XARRAY)
def test_no_xarray_in_the_fits_and_below(module):
    assert not imported_with(module) & {"xarray", "cf_xarray", "dask"}


def run_python(code):
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)


def test_importing_the_package_is_offline_quiet_and_light():
    # With every socket refused, every warning an error, and no word on either stream.
    code = """
import socket, sys

class Refused(socket.socket):
    def __init__(self, *arguments, **options):
        raise AssertionError("A socket was opened.")

socket.socket = Refused
import xr_dip
import xarray as xr
assert hasattr(xr.DataArray, "dip") and hasattr(xr.Dataset, "dip")
heavy = {"torch", "distributed", "matplotlib", "skimage", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""
    done = run_python(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


LAZY = ("analysis", "generators", "plot", "presets", "report", "samples", "synthetic", "twin", "verification")


@pytest.mark.parametrize("name", [LAZY[0], *(pytest.param(name, marks=pytest.mark.slow) for name in LAZY[1:])])
def test_a_module_is_there_when_it_is_the_first_one_named(name):
    code = f"import sys, xr_dip; assert 'torch' not in sys.modules; assert xr_dip.{name}.__name__ == 'xr_dip.{name}'"
    assert run_python(code).stderr == ""


def test_modules_are_there_when_they_are_named():
    names = "; ".join(f"assert xr_dip.{name}.__name__ == 'xr_dip.{name}'" for name in LAZY)
    assert run_python(f"import xr_dip; {names}").stderr == ""


def test_tab_lists_modules_without_importing_them():
    code = (
        f"import sys, xr_dip; assert {set(LAZY)} | set(xr_dip.__all__) <= set(dir(xr_dip));"
        "heavy = {'torch', 'matplotlib', 'xr_dip.twin', 'xr_dip.analysis'} & set(sys.modules); assert not heavy, heavy"
    )
    assert run_python(code).stderr == ""


def test_other_names_are_refused_as_ever():
    assert (
        "AttributeError: module 'xr_dip' has no attribute 'twins'" in run_python("import xr_dip; xr_dip.twins").stderr
    )


def test_type_checkers_know_the_modules_that_are_imported_when_named():
    tree = ast.parse(MODULES["xr_dip"].read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if is_skipped(node) and isinstance(node, ast.If)]
    known = {alias.name for node in block.body for alias in node.names} - {"ModuleType"}
    assert known | {"samples", "synthetic"} == set(LAZY)


def test_public_names_exist_and_need_no_torch_to_be_named():
    code = (
        "import sys, xr_dip; missing = [name for name in xr_dip.__all__ if not hasattr(xr_dip, name)];"
        "assert not missing, missing; assert 'torch' not in sys.modules"
    )
    assert run_python(code).stderr == ""
