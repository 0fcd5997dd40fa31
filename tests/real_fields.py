"""Fine fields of the sample files, float64, NaN on land: windows that an independent prototype measured, too."""

import numpy as np

from xr_dip import samples


def load(name, window):
    dataset = samples.open_dataset(name)
    field = dataset[samples.describe(name).variable].squeeze().values.astype(np.float64)
    return field[window]


def gulf_stream():
    return load("gulf_stream_fine", np.s_[100:356, 20:276])


def osmosis():
    return load("osmosis", np.s_[150:342, 5:197])


def balearic(window=np.s_[50:210, 60:316]):
    return load("balearic", window)
