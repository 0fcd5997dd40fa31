"""What holds of every result, whatever the grid, the factor and the coast: found by trying."""

import dataclasses
import warnings

import numpy as np
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nesting import assert_nested, block_means
from scipy.ndimage import maximum_filter
from scipy.spatial.transform import Rotation

from xr_dip.errors import DipWarning
from xr_dip.geometry import ellipsoid
from xr_dip.sea import Flag

FLIPS = st.sampled_from([1, -1])
LARGEST = 66
"""Fine cells along an axis."""
NORTH = {"standard_name": "latitude", "units": "degrees_north"}
EAST = {"standard_name": "longitude", "units": "degrees_east"}


def axis(draw, start, largest, count, smallest=0.1):
    """Coordinates at irregular steps, in either direction."""
    steps = st.floats(smallest * largest, largest)
    return np.cumsum([draw(start), *draw(st.lists(steps, min_size=count - 1, max_size=count - 1))])[:: draw(FLIPS)]


@st.composite
def straight(draw, shape):
    """1-D coordinates, in either convention and across its end or not; a single cell says how large it is."""
    low = draw(st.sampled_from([-180.0, 0.0]))
    latitude = axis(draw, st.floats(-80, 60), 4.0, shape[0])
    longitude = (axis(draw, st.floats(-190, 350), 20.0, shape[1]) - low) % 360 + low
    coords = {"lat": ("lat", latitude, NORTH), "lon": ("lon", longitude, EAST)}
    if shape == (1, 1):
        for name in ("lat", "lon"):
            dim, centre, attrs = coords[name]
            coords[name] = dim, centre, attrs | {"bounds": f"{name}_bnds"}
            coords[f"{name}_bnds"] = (dim, "nv"), centre[:, None] + [-1.0, 1.0]
    return ("lat", "lon"), coords


@st.composite
def turned(draw, shape):
    """2-D coordinates: a box of about equal steps, as models have them, turned to anywhere on the sphere."""
    axes = (axis(draw, st.just(0.0), 2.0, count, smallest=0.9) for count in shape)
    flat = ellipsoid.unit_vectors(*np.meshgrid(*axes, indexing="ij"))
    angles = draw(st.tuples(st.floats(0, 360), st.floats(0, 180), st.floats(0, 360)))
    vectors = Rotation.from_euler("zyz", angles, degrees=True).apply(flat.reshape(-1, 3)).reshape(flat.shape)
    latitude, longitude = ellipsoid.latitude_longitude(vectors)
    return ("y", "x"), {"nav_lat": (("y", "x"), latitude), "nav_lon": (("y", "x"), longitude)}


@dataclasses.dataclass
class Case:
    """A coarse field of a Dataset, the factor, and the fine mask."""

    dataset: xr.Dataset
    factor: tuple[int, int]
    mask: np.ndarray

    def wet(self):
        """Coarse cells with some sea."""
        return np.isfinite(block_means(np.where(self.mask, 1.0, np.nan), self.factor))

    def interpolate(self, dataset=None, mask=None, **options):
        """Conservative spline, without the warning of coarse cells that are all land."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DipWarning)
            given = self.mask if mask is None else mask
            return (self.dataset if dataset is None else dataset).dip.interpolate(
                "ssh", self.factor, mask=given, **options
            )


@st.composite
def cases(draw, kinds=(straight, turned), largest=LARGEST, cells=5):
    kind = draw(st.sampled_from(kinds))
    shape = tuple(draw(st.integers(2 if kind is turned else 1, cells)) for _ in range(2))
    factor = tuple(draw(st.integers(1, min(33, largest // count))) for count in shape)
    dims, coords = draw(kind(shape))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    fine = shape[0] * factor[0], shape[1] * factor[1]
    size = fine[0] * fine[1]
    count = max(1, round(size * draw(st.sampled_from([0, 0.02, 0.3, 0.7, 0.98, 1]))))
    mask = rng.permutation(size).reshape(fine) < count
    values = rng.normal(0.2, 0.4, shape).astype(draw(st.sampled_from(["f4", "f8"])))
    case = Case(xr.Dataset({"ssh": (dims, values, {"units": "m"})}).assign_coords(coords), factor, mask)
    if draw(st.booleans()):  # as a model has it, whose coarse cells have values where they have sea
        values[~case.wet()] = np.nan
    return case


def assert_conserved(case, mean):
    means = block_means(mean, case.factor)
    np.testing.assert_allclose(means, np.where(case.wet(), case.dataset.ssh, np.nan), rtol=0, atol=1e-6)


@given(cases())
@settings(max_examples=60)
def test_coarse_means_are_the_input_and_fine_cells_lie_in_their_coarse_ones(case):
    out = case.interpolate()
    assert_conserved(case, out.ssh_mean)
    np.testing.assert_array_equal(np.isfinite(out.ssh_mean), case.mask)
    names = ("lat", "lon") if "lat" in out else ("nav_lat", "nav_lon")
    coarse = [case.dataset[name].values for name in names]
    assert_nested([out[name].values for name in names], coarse, case.factor, slack=0.1 if "nav_lat" in out else 0.0)


@given(cases(largest=20))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_coarse_means_of_the_fits_are_the_input(tiny, case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DipWarning)
        options = {"members": 2, "preset": tiny, "keep_members": True, "progress": False, "device": "cpu"}
        out = case.dataset.dip.downscale("ssh", case.factor, mask=case.mask, **options)
    assert_conserved(case, out.ssh_mean)
    for member in range(2):
        assert_conserved(case, out.ssh_members.isel(member=member))


@given(cases(), st.sampled_from([(-1, 1), (1, -1), (-1, -1)]))
@settings(max_examples=30)
def test_flipping_the_input_flips_the_result(case, ways):
    # A single row has no direction.
    ways = [way if count > 1 else 1 for way, count in zip(ways, case.dataset.ssh.shape, strict=True)]
    steps = {dim: slice(None, None, way) for dim, way in zip(case.dataset.ssh.dims, ways, strict=True)}
    one = case.interpolate()
    two = case.interpolate(case.dataset.isel(steps), case.mask[:: ways[0], :: ways[1]]).isel(steps)
    for name in case.dataset.coords.keys() - {"lat_bnds", "lon_bnds"}:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(two.ssh_flag, one.ssh_flag)
    np.testing.assert_allclose(two.ssh_mean, one.ssh_mean, rtol=0, atol=1e-6)


@given(
    st.data(),
    st.integers(3, 12),
    st.floats(-180, 180),
    st.integers(1, 11),
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
)
@settings(max_examples=30)
def test_rolling_a_globe_rolls_the_result(data, count, start, shift, factor):
    longitude = (start + 360.0 / count * np.arange(count)) % 360
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    coords = {"lat": ("lat", [-10.0, 0.0, 15.0], NORTH), "lon": ("lon", longitude, EAST)}
    dataset = xr.Dataset({"ssh": (("lat", "lon"), rng.normal(size=(3, count)))}, coords)
    mask = rng.random((3 * factor[0], count * factor[1])) < 0.8
    mask[0, 0] = True
    case = Case(dataset, factor, mask)
    one = case.interpolate()
    fine = shift * factor[1]
    two = case.interpolate(dataset.roll(lon=shift, roll_coords=True), np.roll(mask, fine, axis=1))
    np.testing.assert_allclose(np.roll(two.ssh_mean, -fine, axis=1), one.ssh_mean, rtol=0, atol=1e-6)
    turns = (np.roll(two.lon, -fine) - one.lon.values) / 360
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)


@given(cases(largest=12, cells=3))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_result_that_is_written_is_read_as_the_same(tmp_path, case):
    out = case.interpolate(case.dataset.expand_dims(time=[np.datetime64("2009-07-01", "ns")]))
    out.to_netcdf(tmp_path / "fine.nc")
    with xr.open_dataset(tmp_path / "fine.nc", decode_coords="all") as read:
        xr.testing.assert_identical(with_bounds(read.load()), out)


def with_bounds(dataset):
    """The names of bounds are in the attributes of what is made, and in the encoding of what xarray reads."""
    return dataset.assign_coords(
        {
            name: coord.assign_attrs({"bounds": coord.encoding["bounds"]})
            for name, coord in dataset.coords.items()
            if "bounds" in coord.encoding
        }
    )


@given(cases(), st.integers(0, 2**31))
@settings(max_examples=30)
def test_what_is_extrapolated_is_beside_data_and_flagged(case, seed):
    """Nine coarse cells around a used one are the most that it can speak for."""
    rng = np.random.default_rng(seed)
    shape = case.dataset.ssh.shape
    missing = rng.random(shape) < 0.5
    missing.flat[rng.integers(missing.size)] = False
    case = dataclasses.replace(case, mask=case.mask | (np.kron(~missing, np.ones(case.factor)) == 1))
    gaps = case.dataset.assign(ssh=case.dataset.ssh.fillna(0.1).where(~missing))
    out, plain = case.interpolate(gaps, extrapolate=True), case.interpolate(gaps)
    flagged = (out.ssh_flag.values & Flag.extrapolated) != 0
    np.testing.assert_array_equal(np.isfinite(out.ssh_mean), np.isfinite(plain.ssh_mean) | flagged)
    np.testing.assert_array_equal(np.isfinite(plain.ssh_mean), np.kron(~missing, np.ones(case.factor)) == 1)
    assert not (flagged & ~case.mask).any()
    beside = maximum_filter(~missing, size=3, mode="constant")
    assert not (flagged & ~np.kron(beside, np.ones(case.factor, dtype=bool))).any()
    assert_conserved(dataclasses.replace(case, dataset=gaps, mask=np.isfinite(plain.ssh_mean.values)), plain.ssh_mean)
