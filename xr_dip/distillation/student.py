"""A trained student: a value that is applied to fields, saved and loaded."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from xr_dip import cf, results
from xr_dip.cf.netcdf import check_output, whole_file
from xr_dip.distillation.settings import Settings
from xr_dip.inputs import Mask, Periodic, Target, Weights, find_target

KEY = "xr_dip_student"
"""Of the settings, in the header of a file."""
SUM = "xr_dip_student_sha256"
"""Of the digest there: a file may be damaged and still be one of safetensors."""
OUTPUTS = ("mean", "std", "flag", "conservation_error")
LARGEST_RATIO = 1.5
"""By which cells may be larger or smaller than those of the training days."""


@dataclass(frozen=True, eq=False)
class Student:
    """A network that has learned from ensemble results; `xr_dip.distill` makes one.

    Attributes
    ----------
    settings : xr_dip.distillation.settings.Settings
    weights : mapping of str to array of float32
        Of the network, of the shapes that the settings ask for; numbers without unit.

    Examples
    --------
    >>> import xr_dip
    >>> truth = xr_dip.synthetic.gulf_stream((24, 36), times=5).ssh
    >>> coarse = truth.coarsen(latitude=4, longitude=4).mean()
    >>> student = xr_dip.distill(coarse, truth, steps=20, progress=False)
    >>> student
    Student(factor (4, 4), 5 days, ...)
    >>> fine = student.downscale(coarse)
    >>> fine.ssh_mean.shape, bool(abs(fine.conservation_error).max() < 1e-6)
    ((5, 24, 36), True)
    """

    settings: Settings
    weights: Mapping[str, npt.NDArray[np.float32]]

    def __repr__(self) -> str:
        days = self.settings.training.get("days")
        return f"Student(factor {self.settings.factor}, {days} days, {self.digest[:12]})"

    @property
    def digest(self) -> str:
        """SHA-256 of settings and weights: equal for equal students."""
        found = hashlib.sha256(self.settings.to_json().encode())
        for name in sorted(self.weights):
            found.update(name.encode() + np.ascontiguousarray(self.weights[name]).tobytes())
        return found.hexdigest()

    def downscale(
        self,
        da: xr.DataArray,
        *,
        mask: Mask | None = None,
        weights: Weights = "equal",
        land_value: float | None = None,
        extrapolate: bool = False,
        periodic: Periodic = "auto",
        x_dim: str | None = None,
        y_dim: str | None = None,
        x_coord: str | None = None,
        y_coord: str | None = None,
        dataset: xr.Dataset | None = None,
    ) -> xr.Dataset:
        """Make a coarse field fine by the factor of the student.

        Parameters
        ----------
        da : DataArray
            Coarse field, as for `xr_dip.downscale`; any unit, size and time. Lazy in, lazy out.
        mask, weights, land_value, extrapolate, periodic, x_dim, y_dim, x_coord, y_coord, dataset
            As for `xr_dip.downscale`.

        Returns
        -------
        Dataset
            As of `xr_dip.downscale`: ``<name>_mean``, ``<name>_std``, ``<name>_flag`` and ``conservation_error``. No
            members, and no diagnostics of fits. Its configuration holds the settings and the hash of the student.

        Raises
        ------
        TypeError, ValueError
            For any argument or value that cannot be used, and for cells that are more than 1.5 times larger or smaller
            than those of the training days.

        Examples
        --------
        >>> import xr_dip
        >>> truth = xr_dip.synthetic.gulf_stream((24, 36), times=5).ssh
        >>> coarse = truth.coarsen(latitude=4, longitude=4).mean()
        >>> student = xr_dip.distill(coarse, truth, steps=20, progress=False)
        >>> student.downscale(coarse.chunk()).ssh_mean.chunks is None
        False
        """
        begin = time.perf_counter()
        field, target = find_target(
            da,
            self.settings.factor,
            mask=mask,
            weights=weights,
            land_value=land_value,
            extrapolate=extrapolate,
            periodic=periodic,
            x_dim=x_dim,
            y_dim=y_dim,
            x_coord=x_coord,
            y_coord=y_coord,
            dataset=dataset,
        )
        self._check_cells(target)
        name = cf.variable_name(da)
        answers = importlib.import_module("xr_dip.distillation.answer")  # torch is imported here
        answer = answers.Answer(self.settings, self.weights, target, name)
        known = results.output_forms(target, 0, ())
        fields = results.solve(answer, field, target, {key: known[key] for key in OUTPUTS})
        plain: dict[str, Any] = json.loads(self.settings.to_json())
        configuration = {**target.description, "student": {**plain, "sha256": self.digest}}
        method = f"student {self.digest[:12]} of {_teacher_in_short(self.settings)}"
        fine = results.finish(field, target, fields, configuration, method, dataset)
        return results.with_cost(fine, begin, "cpu", lazy=field.chunks is not None)

    def _check_cells(self, target: Target) -> None:
        """Refuse a grid whose scales are others than those that were learned."""
        fine = target.fine_grid.spacing()
        size = fine[0] * target.factor[0], fine[1] * target.factor[1]
        ratios = [here / there for here, there in zip(size, self.settings.cell_size, strict=True)]
        if not all(1 / LARGEST_RATIO <= ratio <= LARGEST_RATIO for ratio in ratios):
            shown, learned = (" x ".join(f"{length:.4g}" for length in two) for two in (size, self.settings.cell_size))
            raise ValueError(
                f"Invalid coarse cells of {shown} m. They must be within {LARGEST_RATIO} times those that the student "
                f"was trained on, {learned} m: train another on days of this grid."
            )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a safetensors file with the settings in its header; it appears only when it is complete.

        Parameters
        ----------
        path : str or path
        overwrite : bool
            Whether a file of that name may be replaced.

        Returns
        -------
        Path

        Raises
        ------
        FileNotFoundError, FileExistsError, IsADirectoryError, PermissionError
            As `xr_dip.cf.netcdf.check_output` does.

        Examples
        --------
        >>> import tempfile, xr_dip
        >>> truth = xr_dip.synthetic.gulf_stream((24, 36), times=5).ssh
        >>> coarse = truth.coarsen(latitude=4, longitude=4).mean()
        >>> student = xr_dip.distill(coarse, truth, steps=20, progress=False)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = student.save(Path(folder) / "student.safetensors")
        ...     xr_dip.load_student(path).digest == student.digest
        True
        """
        target = check_output(path, overwrite=overwrite)
        arrays = importlib.import_module("safetensors.numpy")
        content = arrays.save(dict(self.weights), metadata={KEY: self.settings.to_json(), SUM: self.digest})
        with whole_file(target) as partial:
            partial.write_bytes(content)
        return target


def _teacher_in_short(settings: Settings) -> str:
    """Name the method of the teacher, without the version and the hash of its configuration that settings hold."""
    teacher = str(settings.training.get("teacher", "an unknown teacher"))
    return re.sub(r"^xr_dip [^ ]+, |, configuration \w+$", "", teacher)


def check_student(student: Any) -> Student:
    """Return a student, and refuse anything else.

    Parameters
    ----------
    student : Student

    Returns
    -------
    Student

    Raises
    ------
    TypeError
        If it is none, such as the name of a file.

    Examples
    --------
    >>> check_student("student.safetensors")
    Traceback (most recent call last):
    ...
    TypeError: Invalid student 'student.safetensors'. It must be an xr_dip.Student: read a file by xr_dip.load_student.
    """
    if not isinstance(student, Student):
        raise TypeError(
            f"Invalid student {student!r}. It must be an xr_dip.Student: read a file by xr_dip.load_student."
        )
    return student


def load_student(path: str | os.PathLike[str]) -> Student:
    """Read a student from a file that `Student.save` wrote. Nothing in it is ever executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Student

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, of something else, or of a newer version.

    Examples
    --------
    >>> load_student("student.safetensors")
    Traceback (most recent call last):
    ...
    FileNotFoundError: Invalid path 'student.safetensors'. It must be a file, there is none of this name.
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"Invalid path '{source}'. It must be a file, there is none of this name.")
    safe = importlib.import_module("safetensors")
    try:
        with safe.safe_open(source, framework="numpy") as file:
            header = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except safe.SafetensorError as error:
        raise ValueError(f"Invalid student '{source}'. It must be a whole safetensors file: {error}.") from error
    if KEY not in header:
        raise ValueError(
            f"Invalid student '{source}'. It must be one that xr_dip saved, its header says nothing of it."
        )
    try:
        settings = Settings.from_json(header[KEY])
        importlib.import_module("xr_dip.distillation.network").make_network(settings, weights)
    except ValueError as error:
        raise ValueError(f"Invalid student '{source}'. {error}") from error
    student = Student(settings, weights)
    if header.get(SUM, student.digest) != student.digest:
        raise ValueError(f"Invalid student '{source}'. It must hold the numbers that were saved, some have changed.")
    return student
