"""What became of each day of an archive, as a table and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from xr_dip.cf.netcdf import whole_file

Status = Literal["done", "skipped", "failed", "unwritten"]


@dataclass(frozen=True)
class Outcome:
    """What became of one day.

    Attributes
    ----------
    label : str
        Time stamp, or the path of an unreadable file.
    status : {"done", "skipped", "failed", "unwritten"}
        Skipped: it was there already. Unwritten: computed, but the output took no more.
    seconds : float
        Of reading, fitting and writing.
    conservation_error : float
        Largest difference of its coarse means from the input, in the unit of the field.
    predicted_rmse : float
        In the unit of the field.
    reason : str
        Why it failed.
    warnings : tuple of str
    """

    label: str
    status: Status
    seconds: float = 0.0
    conservation_error: float = math.nan
    predicted_rmse: float = math.nan
    reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """What became of all days; as text it is a table.

    Attributes
    ----------
    outcomes : tuple of Outcome
        In the order of time.
    seconds : float
        Of the whole run.
    estimate : mapping of str to str
        What a run would cost, of a dry run only.

    Examples
    --------
    >>> good, bad = Outcome("2020-01-01", "done", 2.0, 1e-9, 0.013), Outcome("2020-01-02", "failed", reason="all NaN")
    >>> Summary((good, bad), 2.5)
    days done                    1
    days skipped, there already  0
    days failed                  1
    seconds                      2.5
    largest conservation error   1e-09
    mean predicted RMSE          0.013
    failed: 2020-01-02: all NaN
    """

    outcomes: tuple[Outcome, ...]
    seconds: float = 0.0
    estimate: Mapping[str, str] = field(default_factory=dict)

    @property
    def done(self) -> list[str]:
        """Labels of the days computed."""
        return self._with("done")

    @property
    def skipped(self) -> list[str]:
        """Labels of the days that were there already."""
        return self._with("skipped")

    @property
    def failed(self) -> list[str]:
        """Labels of the days that could not be computed."""
        return self._with("failed")

    @property
    def largest_conservation_error(self) -> float:
        """Over the days done; NaN if there is none."""
        return max(_known(outcome.conservation_error for outcome in self.outcomes), default=math.nan)

    @property
    def mean_predicted_rmse(self) -> float:
        """Over the days done; NaN if there is none."""
        return known_mean(outcome.predicted_rmse for outcome in self.outcomes)

    def __repr__(self) -> str:
        """Aligned text, then a line for each day that failed."""
        rows = {**self.estimate} or {
            "days done": str(len(self.done)),
            "days skipped, there already": str(len(self.skipped)),
            "days failed": str(len(self.failed)),
            "seconds": f"{self.seconds:.1f}",
            "largest conservation error": f"{self.largest_conservation_error:.2g}",
            "mean predicted RMSE": f"{self.mean_predicted_rmse:.3g}",
        }
        width = max(map(len, rows))
        lines = [f"{key:<{width}}  {value}" for key, value in rows.items()]
        return "\n".join([*lines, *(f"failed: {day.label}: {day.reason}" for day in self.outcomes if day.reason)])

    def write(self, path: Path) -> Path:
        """Write totals and days as JSON; the file appears when it is complete.

        Parameters
        ----------
        path : Path

        Returns
        -------
        Path

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Summary(()).write(Path(folder) / "summary.json").name
        'summary.json'
        """
        totals = {
            "done": len(self.done),
            "skipped": len(self.skipped),
            "failed": len(self.failed),
            "seconds": self.seconds,
            "largest_conservation_error": self.largest_conservation_error,
            "mean_predicted_rmse": self.mean_predicted_rmse,
            "days": [asdict(outcome) for outcome in self.outcomes],
        }
        with whole_file(path) as partial:
            partial.write_text(json.dumps(_without_nan(totals), indent=1, allow_nan=False) + "\n", encoding="utf-8")
        return path

    def _with(self, status: Status) -> list[str]:
        return [outcome.label for outcome in self.outcomes if outcome.status == status]


def known_mean(numbers: Iterable[float]) -> float:
    """Average what is known.

    Parameters
    ----------
    numbers : iterable of float

    Returns
    -------
    float
        NaN if nothing is.

    Examples
    --------
    >>> known_mean([1.0, math.nan, 2.0])
    1.5
    """
    known = _known(numbers)
    return math.fsum(known) / len(known) if known else math.nan


def _known(numbers: Iterable[float]) -> list[float]:
    return [number for number in numbers if math.isfinite(number)]


def _without_nan(value: object) -> object:
    """Replace what JSON has no number for by null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _without_nan(entry) for key, entry in value.items()}
    return [_without_nan(entry) for entry in value] if isinstance(value, list | tuple) else value
