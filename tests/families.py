"""Small Datasets made like the files of each family: names, dimensions, units and attributes as these write them.

``FAMILIES`` maps a name to a function that makes the Dataset; the field is the variable that ``Dataset.attrs["field"]``
names. Every field is 4 x 5 cells somewhere, with time where the family has it.
"""

import numpy as np
import pyproj
import xarray as xr

NY, NX = 4, 5
LATITUDE, LONGITUDE = 40.0 + 0.25 * np.arange(NY), 5.0 + 0.25 * np.arange(NX)
CURVED = np.meshgrid(LATITUDE, LONGITUDE, indexing="ij")
CURVED = CURVED[0] + 0.05 * (CURVED[1] - 5.0), CURVED[1] - 0.05 * (CURVED[0] - 40.0)
DAYS = np.datetime64("2009-07-01", "ns") + np.arange(2) * np.timedelta64(1, "D")
NORTH = {"standard_name": "latitude", "units": "degrees_north"}
EAST = {"standard_name": "longitude", "units": "degrees_east"}


def _field(dims, sizes):
    shape = [sizes[dim] for dim in dims]
    return dims, np.sin(np.arange(np.prod(shape), dtype=np.float64)).reshape(shape).astype(np.float32) / 10


def make(name, dims, coords, variables=None, attrs=None, **sizes):
    """A Dataset with one field on some dimensions."""
    field = xr.Variable(*_field(dims, sizes), {"units": "m", **(attrs or {})})
    return xr.Dataset({name: field, **(variables or {})}, coords, {"field": name})


def cmems():
    coords = {"time": DAYS, "latitude": ("latitude", LATITUDE.astype("f4"), NORTH | {"axis": "Y"})}
    coords["longitude"] = ("longitude", LONGITUDE.astype("f4"), EAST | {"axis": "X"})
    variables = {"crs": ((), np.int32(0), {"grid_mapping_name": "latitude_longitude"})}
    attrs = {"standard_name": "sea_surface_height_above_geoid", "grid_mapping": "crs"}
    return make("adt", ("time", "latitude", "longitude"), coords, variables, attrs, time=2, latitude=NY, longitude=NX)


def lon_lat_time():
    """Dimensions as a Fortran program of long ago, or a reordering, leaves them."""
    return cmems().transpose("longitude", "latitude", "time")


def imos():
    coords = {"TIME": DAYS, "LATITUDE": ("LATITUDE", LATITUDE[::-1]), "LONGITUDE": ("LONGITUDE", LONGITUDE)}
    return make("GSL", ("TIME", "LATITUDE", "LONGITUDE"), coords, TIME=2, LATITUDE=NY, LONGITUDE=NX)


def nemo(latitude=CURVED[0], longitude=CURVED[1]):
    coords = {"time_counter": DAYS, "nav_lat": (("y", "x"), latitude), "nav_lon": (("y", "x"), longitude)}
    return make("sossheig", ("time_counter", "y", "x"), coords, time_counter=2, y=NY, x=NX)


def nemo_data_variables():
    return nemo().reset_coords(["nav_lat", "nav_lon"])


def _land(value, fill):
    """NEMO without the processors that hold land only: here the last two columns of the first two rows."""
    dataset = nemo(*(np.where(_removed(), value, part) for part in CURVED))
    return dataset.assign(sossheig=dataset.sossheig.where(~xr.DataArray(_removed(), dims=("y", "x")), fill))


def _removed():
    removed = np.zeros((NY, NX), dtype=bool)
    removed[:2, 3:] = True
    return removed


def nemo_zero_positions():
    return _land(0.0, np.nan)


def nemo_missing_positions():
    return _land(np.nan, np.nan)


def roms():
    coords = {"ocean_time": DAYS}
    for point, dims in (("rho", ("eta_rho", "xi_rho")), ("u", ("eta_u", "xi_u"))):
        north, east = (part[:, : NX if point == "rho" else NX - 1] for part in CURVED)
        coords[f"lat_{point}"] = (dims, north, {"units": "degree_north", "standard_name": "latitude"})
        coords[f"lon_{point}"] = (dims, east, {"units": "degree_east", "standard_name": "longitude"})
    variables = {"ubar": (("eta_u", "xi_u"), np.zeros((NY, NX - 1)))}
    return make("zeta", ("ocean_time", "eta_rho", "xi_rho"), coords, variables, ocean_time=2, eta_rho=NY, xi_rho=NX)


def mitgcm():
    """1-D axes named as their dimensions, without attributes, x before y."""
    return make("ETAN", ("XC", "YC", "T"), {"XC": LONGITUDE, "YC": LATITUDE, "T": [0.0, 1.0]}, XC=NX, YC=NY, T=2)


def mitgcm_curved():
    coords = {"XC": (("i", "j"), CURVED[1].T), "YC": (("i", "j"), CURVED[0].T)}
    return make("ETAN", ("i", "j"), coords, i=NX, j=NY)


def mom():
    """1-D axes that are nominal, and the true positions."""
    coords = {
        "yt_ocean": ("yt_ocean", LATITUDE, {"units": "degrees_N", "cartesian_axis": "Y"}),
        "xt_ocean": ("xt_ocean", LONGITUDE, {"units": "degrees_E", "cartesian_axis": "X"}),
        "geolat_t": (("yt_ocean", "xt_ocean"), CURVED[0], {"units": "degrees_N"}),
        "geolon_t": (("yt_ocean", "xt_ocean"), CURVED[1], {"units": "degrees_E"}),
    }
    return make("sea_level", ("yt_ocean", "xt_ocean"), coords, yt_ocean=NY, xt_ocean=NX)


def mom_nominal():
    return mom().drop_vars(["geolat_t", "geolon_t"])


def cmip_rotated():
    time = xr.date_range("2006-01-16", periods=2, calendar="noleap", use_cftime=True)
    coords = {
        "time": time,
        "rlat": ("rlat", np.arange(NY) - 1.5, {"standard_name": "grid_latitude", "units": "degrees"}),
        "rlon": ("rlon", np.arange(NX) - 2.0, {"standard_name": "grid_longitude", "units": "degrees"}),
        "lat": (("rlat", "rlon"), CURVED[0], NORTH),
        "lon": (("rlat", "rlon"), CURVED[1], EAST),
    }
    variables = {"rotated_pole": ((), np.int32(0), {"grid_mapping_name": "rotated_latitude_longitude"})}
    attrs = {"standard_name": "sea_surface_height_above_geoid", "grid_mapping": "rotated_pole"}
    return make("zos", ("time", "rlat", "rlon"), coords, variables, attrs, time=2, rlat=NY, rlon=NX)


def cmip_indices():
    coords = {"latitude": (("j", "i"), CURVED[0], NORTH), "longitude": (("j", "i"), CURVED[1], EAST)}
    coords |= {"j": np.arange(NY), "i": np.arange(NX)}
    return make("zos", ("j", "i"), coords, j=NY, i=NX)


POLAR = {
    "grid_mapping_name": "polar_stereographic",
    "straight_vertical_longitude_from_pole": -45.0,
    "standard_parallel": 70.0,
    "false_easting": 0.0,
    "false_northing": 0.0,
    "semi_major_axis": 6378137.0,
    "inverse_flattening": 298.257223563,
}


def polar(positions=True):
    """Polar stereographic in kilometres, y downward, the grid mapping without its pole, as sea-ice products are."""
    x, y = 25.0 * np.arange(NX) - 800.0, -1000.0 - 25.0 * np.arange(NY)
    coords = {
        "x": ("x", x.astype("f4"), {"standard_name": "projection_x_coordinate", "units": "km"}),
        "y": ("y", y.astype("f4"), {"standard_name": "projection_y_coordinate", "units": "km"}),
    }
    if positions:
        longitude, latitude = pyproj.Proj("EPSG:3413")(*np.meshgrid(1e3 * x, 1e3 * y), inverse=True)
        coords |= {"lat": (("y", "x"), latitude, NORTH), "lon": (("y", "x"), longitude, EAST)}
    attrs = {"standard_name": "sea_surface_height_above_geoid", "grid_mapping": "polar"}
    return make("ssh", ("y", "x"), coords, {"polar": ((), b"", POLAR)}, attrs, y=NY, x=NX)


def polar_without_positions():
    return polar(positions=False)


def utm():
    """Metres, the grid mapping as well-known text in a coordinate, as rioxarray leaves it."""
    coords = {
        "x": ("x", 5e5 + 1e3 * np.arange(NX), {"units": "metre"}),
        "y": ("y", 5e6 - 1e3 * np.arange(NY), {"units": "metre"}),
        "spatial_ref": ((), 0, {"crs_wkt": pyproj.CRS("EPSG:32633").to_wkt()}),
    }
    return make("ssh", ("y", "x"), coords, y=NY, x=NX)


def channel():
    """An idealised model: distances, but nowhere on Earth."""
    coords = {"x": ("x", 5.0 * np.arange(NX), {"units": "km"}), "y": ("y", 10.0 * np.arange(NY), {"units": "km"})}
    return make("eta", ("y", "x"), coords, y=NY, x=NX)


def no_coordinates():
    return make("ssh", ("time_counter", "y", "x"), {}, time_counter=2, y=NY, x=NX)


FAMILIES = {
    "CMEMS, DUACS, Mercator": cmems,
    "longitude, latitude, time": lon_lat_time,
    "IMOS": imos,
    "NEMO": nemo,
    "NEMO, positions as data variables": nemo_data_variables,
    "NEMO, positions 0 on land": nemo_zero_positions,
    "NEMO, positions missing on land": nemo_missing_positions,
    "ROMS, CROCO": roms,
    "MITgcm": mitgcm,
    "MITgcm, curvilinear": mitgcm_curved,
    "MOM": mom,
    "MOM, nominal axes": mom_nominal,
    "CMIP, rotated": cmip_rotated,
    "CMIP, i and j": cmip_indices,
    "polar stereographic": polar,
    "polar stereographic, without latitude and longitude": polar_without_positions,
    "UTM": utm,
    "distances without a grid mapping": channel,
    "no coordinates": no_coordinates,
}
