"""Generators around the globe: no first and no last column."""

import numpy as np
import pytest
import torch
from torch import nn

from xr_dip.blocks import block_mean
from xr_dip.fitting.linear import Separable, border
from xr_dip.fitting.operators import BlockMean
from xr_dip.generators import GENERATORS, make_bandlimited, make_dcgan
from xr_dip.generators.bandlimited import ACTIVATIONS, WorkingGrid
from xr_dip.generators.dcgan import Level

SMALL = {"ratio": (2, 2), "padding": (2, 2), "channels": 8}


def output(generator):
    with torch.no_grad():
        return generator(generator.draw())


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
class TestAroundTheGlobe:
    @pytest.mark.parametrize(("shape", "factor"), [((3, 4), (2, 5)), ((2, 1), (1, 1)), ((4, 37), (3, 1))])
    def test_any_number_of_columns(self, make, shape, factor):
        generator = make(shape, factor, 7, periodic=True)
        fine = generator.fine(output(generator))
        assert fine.shape == (1, shape[0] * factor[0], shape[1] * factor[1])
        assert fine.isfinite().all()

    def test_the_seam_is_like_any_other_place(self, make):
        """Mean square jump across the seam over that between all neighbours: 1 but for chance, many seeds."""
        jumps = []
        for seed in range(40):
            generator = make((4, 19), (3, 5), seed, periodic=True)
            fine = generator.fine(output(generator))[0]
            jumps.append((fine - fine.roll(1, dims=1)).square().mean(dim=0))
        mean = torch.stack(jumps).mean(dim=0)
        assert 0.5 < mean[0] / mean.mean() < 2
        # On a line the two ends are strangers: further apart than neighbours, of which some networks make rough ones.
        lines = [make((4, 19), (3, 5), seed) for seed in range(20)]
        ends = torch.stack([line.fine(output(line))[0] for line in lines])
        assert (ends[..., 0] - ends[..., -1]).square().mean() > 5 * mean.mean()


def rolled(generator, cells):
    """Fine field of a latent that is rolled along x."""
    with torch.no_grad():
        return generator.fine(generator(generator.draw().roll(cells, dims=3)))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_rolling_the_latent_rolls_the_field(activation):
    # 16 cells, 2 knots each: 32 = 4 * 2^3, so one pixel of the latent is 8 knots, 4 cells, 16 fine cells.
    generator = make_bandlimited((4, 16), (4, 4), 0, activation=activation, periodic=True, **SMALL)
    assert generator.latent.shape[3] == 4
    for cells in (1, 3):
        expected = rolled(generator, 0).roll(16 * cells, dims=2)
        torch.testing.assert_close(rolled(generator, cells), expected, rtol=0, atol=1e-4)


def test_dcgan_grows_to_the_exact_number_of_columns():
    generator = make_dcgan((2, 25), (4, 4), 0, periodic=True)
    widths = [level.grow.columns.shape[1] for level in generator.layers if isinstance(level, Level)]
    assert widths == [4, 7, 13, 25, 50, 100]
    assert output(generator).shape == (1, 8, 100)


def test_knots_of_a_circle_need_no_padding():
    circle = WorkingGrid(cells=5, factor=6, ratio=2, padding=3, periodic=True)
    assert circle.size == 10
    matrix = circle.synthesis()
    torch.testing.assert_close(matrix.sum(dim=1), torch.ones(30, dtype=torch.float64))
    torch.testing.assert_close(matrix.roll((6, 2), (0, 1)), matrix)


def test_both_axes_have_their_own_border():
    features = torch.arange(12.0).reshape(1, 1, 3, 4)
    around = Separable(border(3), border(4, periodic=True))
    assert around(features)[0, 0].tolist() == [
        [7, 4, 5, 6, 7, 4],
        [3, 0, 1, 2, 3, 0],
        [7, 4, 5, 6, 7, 4],
        [11, 8, 9, 10, 11, 8],
        [7, 4, 5, 6, 7, 4],
    ]
    plain = Separable(border(3), border(4))
    torch.testing.assert_close(plain(features), nn.ReflectionPad2d(1)(features), rtol=0, atol=0)


@pytest.mark.parametrize("land", [False, True])
def test_the_block_mean_folds_with_the_circular_synthesis(land):
    generator = make_bandlimited((3, 5), (4, 4), 0, periodic=True, **SMALL)
    weights = np.ones((12, 20))
    weights[2:6, 17:] = 0.0 if land else 1.0
    working = output(generator).double()
    folded = BlockMean(weights, (4, 4)).fold(generator.synthesis)(working)
    expected = block_mean(generator.fine(working)[0].numpy(), weights, (4, 4))
    np.testing.assert_allclose(folded[0].numpy(), expected, atol=1e-12)
