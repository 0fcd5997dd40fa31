"""What the benchmark of the published claims runs: windows, factors, numbers of fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from fields import SYNTHETIC, Field

import xr_dip
from xr_dip.cf.provenance import configuration_hash

FIELDS = (
    Field("gulf_stream_200907", "gulf_stream_fine", (164, 292), (84, 212)),
    Field("osmosis_200908", "osmosis", (182, 310), (37, 165)),
    Field("balearic_sea", "balearic", (66, 194), (126, 254)),
)
"""128 x 128 cells, all sea, eNATL60: a published fit takes a quarter of the time of one of 256 x 256."""
SMALL = replace(FIELDS[0], rows=(164, 228), columns=(84, 148))
DAYS = tuple(
    Field(f"gulf_stream_{month}_{row}_{column}", sample, (row, row + 128), (column, column + 128))
    for month, sample in (
        ("200907", "gulf_stream_fine"),
        ("200908", "gulf_stream_fine_200908"),
        ("201001", "gulf_stream_fine_201001"),
    )
    for row, column in ((100, 20), (228, 148))
)
"""Two windows on each of three days."""


@dataclass(frozen=True)
class Plan:
    """What is run: the published method, and a quick network without kriging where many fits are needed."""

    fields: tuple[Field, ...] = FIELDS
    small: Field = SMALL
    days: tuple[Field, ...] = DAYS
    factors: tuple[int, ...] = (1, 4, 16, 32)
    factor: int = 16
    small_factor: int = 8
    members: int = 2
    ensemble: int = 6
    latent_samples: int = 10
    most: int = 50
    every: int = 50
    iterations: int | None = None
    published: Mapping[str, object] = field(default_factory=lambda: {"preset": "archambault2022"})
    quick: Mapping[str, object] = field(default_factory=lambda: {"preset": "fast", "constraint": "smooth"})
    noise: float = 0.02
    seed: int = 0

    def key(self, part: str) -> str:
        """Hash of the plan for one part."""
        plain = {
            name: [asdict(each) for each in value] if name in ("fields", "days") else value
            for name, value in vars(self).items()
        }
        plain["small"] = asdict(self.small)
        return configuration_hash({**plain, "part": part, "version": xr_dip.__version__})[:16]


TINY = replace(SYNTHETIC, rows=(0, 48), columns=(0, 48))
QUICK = Plan(
    fields=(TINY,),
    small=replace(TINY, rows=(0, 32), columns=(0, 32)),
    days=(TINY, replace(TINY, name="synthetic_north", rows=(12, 60), columns=(0, 48))),
    factors=(1, 4, 16),
    factor=8,
    small_factor=4,
    members=2,
    ensemble=3,
    latent_samples=0,
    most=5,
    every=10,
    iterations=30,
    published={"preset": "fast", "constraint": "smooth"},
)
