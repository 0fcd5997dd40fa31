"""Downscale an archive: plan, check, work, sum up.

1. `days`: which days there are; `chains`: which follow one another; `shard`: which of them are for this run.
2. `job`: every option checked on one day, nothing computed; the configuration and its hash.
3. `folder`, `store`, `transactions`: the output; which days are done already.
4. `work` on each other day, chain by chain, here or on `workers`; what is done is kept whatever comes.
5. `summary`: what became of each day.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from xr_dip.archive.chains import chain_length, make_chains
from xr_dip.archive.cost import estimate_cost
from xr_dip.archive.days import UNREADABLE, Day, Source, count_steps, find_days
from xr_dip.archive.folder import Folder
from xr_dip.archive.job import Job, check_options, make_job
from xr_dip.archive.place import Place
from xr_dip.archive.shard import parse_shard
from xr_dip.archive.store import Store
from xr_dip.archive.summary import Outcome, Summary
from xr_dip.archive.work import Answer, Work, write
from xr_dip.archive.workers import check_workers, work_on
from xr_dip.checks import check_batch
from xr_dip.errors import DipWarning
from xr_dip.inputs import FactorLike
from xr_dip.progress import import_quietly

MOST_TRIES = 5
"""Days on which options are tried: those that cannot be used fail on each."""
LOG = logging.getLogger("xr_dip.archive")
PathLike = str | os.PathLike[str]


def downscale_archive(
    source: Source,
    out: PathLike,
    *,
    variable: str,
    factor: FactorLike,
    members: int = 10,
    preset: str = "balanced",
    zarr: PathLike | None = None,
    icechunk: bool | None = None,
    resume: bool = False,
    shard: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    daily_mean: bool = False,
    warm_start: bool = False,
    chain: int | None = None,
    dry_run: bool = False,
    progress: bool = True,
    **options: Any,
) -> Summary:
    """Downscale every day of an archive; what is done stays done, whatever happens.

    A day is one time step, or the mean of all steps of a date. Its result depends on its values, its time stamp and the
    options alone: the same bits on one or many workers, in shards, in any order, in one run or after many broken ones.
    With `warm_start` it depends on the days before it in its chain, too, and on nothing else.
    A day that cannot be read or downscaled is reported and left out.

    Parameters
    ----------
    source : path, pattern such as ``"data/*.nc"``, list of paths, or Dataset
    out : path
        Folder, made if it is not there: one NetCDF file ``<variable>_<day>.nc`` per day, and ``summary.json``.
    variable : str
    factor : int, (int, int) or mapping
        As for `xr_dip.downscale`.
    members : int
    preset : str
    zarr : path, optional
        One Zarr store instead of the files; `out` then holds the summary only.
    icechunk : bool, optional
        Whether the store `zarr` is one of icechunk, with a transaction per day. By default as the store is that is
        there; else where icechunk is installed and there is no `shard`.
    resume : bool
        Go on in an output that holds some of the days; else that is an error.
    shard : str, optional
        ``"2/3"`` does the second of three shares of the days, for arrays of jobs; with `warm_start` of the chains.
    workers : int, optional
        Processes on this machine. They begin by importing the script that called: guard it by
        ``if __name__ == "__main__":``. Without, members of one day run side by side in this process.
    scheduler : str, optional
        Address of a dask cluster to work on, which must see the files. Where its workers offer ``{"GPU": 1}``, each day
        takes one.
    daily_mean : bool
        Average the time steps of each date, such as hourly ones.
    warm_start : bool
        Begin the fits of a day from those of the day before: several times faster, see the guide for what it changes.
        It is for fields that change little from one time to the next. Members are then fitted one by one, so that there
        must be no `batch` but 1.
    chain : int, optional
        With `warm_start`: days until it begins anew, from a day that is fitted as without; 30 by default. So do the day
        after a gap in time and the one after a day that failed.
    dry_run : bool
        Say what a run would cost, and write nothing: a few members are fitted to one day, and twice as many where there
        are more to fit.
    progress : bool
        Show a bar.
    **options : Any
        Any other keyword of `xr_dip.downscale`.

    Returns
    -------
    Summary
        What became of each day; as text it is a table.

    Raises
    ------
    TypeError, ValueError
        For options that cannot be used, before anything is computed.
    FileNotFoundError
        If there is no input.
    FileExistsError
        If the output holds days and `resume` is false, or is of another configuration: the message names the options.
    OSError
        If the output takes no more: a full disk, a folder that is read-only. Finished days are kept.

    Warns
    -----
    DipWarning
        Once for each kind of what was usable only in part, with the number of days.

    See Also
    --------
    xr_dip.downscale : one field, or a lazy series.

    Examples
    --------
    >>> import tempfile, xr_dip
    >>> days = xr_dip.synthetic.gulf_stream((40, 40), times=2).ssh.coarsen(latitude=4, longitude=4).mean()
    >>> with tempfile.TemporaryDirectory() as out:
    ...     options = {"variable": "ssh", "factor": 4, "members": 2, "preset": "fast", "progress": False}
    ...     summary = downscale_archive(days.to_dataset(), out, **options)
    ...     again = downscale_archive(days.to_dataset(), out, resume=True, **options)
    >>> len(summary.done), len(again.skipped)
    (2, 2)
    """
    begin = time.perf_counter()
    check_workers(workers, scheduler)
    check_options(options)
    check_batch(options.get("batch"), warm=warm_start)
    length = chain_length(chain, warm_start=warm_start)
    share = parse_shard(shard)
    days = find_days(source, variable, daily_mean=daily_mean)
    chains = share.of(make_chains(days, length))
    given = {"members": members, "preset": preset, **options}
    job, template = _make_job(days, variable, factor, given, daily_mean=daily_mean, chain=length)
    place = Place(Path(out), None if zarr is None else Path(zarr), icechunk, share)
    output = place.output(template, variable)
    finished = output.finished(job, days)
    mine = [day for part in chains for day in part.days]
    pending = [day for day in mine if day.label not in finished]
    if length > 1 and not output.shared and (workers, scheduler) != (None, None):
        raise ValueError(
            "Invalid warm_start with workers and a store of icechunk. A day must be written where its chain is: "
            "take icechunk=False, or files."
        )
    if dry_run:
        cost = estimate_cost(job, pending, template, workers=workers or 1)
        return Summary((), time.perf_counter() - begin, cost.rows())
    _warn_of_short_days(mine)
    if len(pending) < len(mine) and not resume:
        raise FileExistsError(
            f"Invalid output '{zarr or out}'. It must hold none of the days, but holds {len(mine) - len(pending)} of "
            f"{len(mine)}: go on with resume=True, or choose another output."
        )
    started = _begin(output, template, days, pending, Path(out))
    work = Work(job, started)
    to_do = [part for part in (part.to_do(finished) for part in chains) if part.days]
    answers = work_on(to_do, work, workers=workers, scheduler=scheduler)
    computed = {outcome.label: outcome for outcome in _watched(answers, work, len(pending), progress)}
    outcomes = (computed.get(day.label, Outcome(day.label, "skipped")) for day in mine)
    summary = Summary(tuple(outcomes), time.perf_counter() - begin)
    summary.write(place.summary)
    _repeat_warnings(summary.outcomes)
    return summary


def _make_job(
    days: Sequence[Day], variable: str, factor: FactorLike, given: Mapping[str, Any], **kind: Any
) -> tuple[Job, xr.Dataset]:
    """Check all options on the first day, or on one of the next: one that cannot be read stops none of the others."""
    first: Exception | None = None
    for day in days[:MOST_TRIES]:
        try:
            return make_job(day, variable, factor, given, **kind)
        except UNREADABLE as error:
            first = first or error
    assert first is not None
    raise first


def _begin(
    output: Folder | Store, template: xr.Dataset, days: Sequence[Day], pending: Sequence[Day], out: Path
) -> Folder | Store:
    """Make the output, with an error that says which one does not take it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK):
            raise PermissionError("it does not allow writing")
        return output.begin(template, days, pending)
    except OSError as error:
        raise OSError(f"Invalid output '{output.path}'. It must be a place to write to: {error}.") from error


def _watched(answers: Iterable[Answer], work: Work, count: int, progress: bool) -> Iterator[Outcome]:
    """Write what is not written yet, report each day, and stop where the output takes no more."""
    tqdm = import_quietly("tqdm.auto").tqdm
    with tqdm(total=count, desc="archive", unit="day", disable=not progress) as bar:
        for done, (solved, result) in enumerate(answers):
            outcome = solved if result is None else write(work.output, solved, result)
            if outcome.status == "unwritten":
                raise OSError(
                    f"Cannot write {outcome.label}: {outcome.reason}. What was done before it is kept: make room, or "
                    "allow writing, and go on with resume=True."
                )
            if outcome.status == "failed":
                LOG.warning("%s failed: %s", outcome.label, outcome.reason)
            else:
                LOG.info("%s done in %.1f s", outcome.label, outcome.seconds)
            bar.update()
            bar.set_postfix(fits=(done + 1) * work.job.members, refresh=False)
            yield outcome


def _warn_of_short_days(days: Iterable[Day]) -> None:
    """Warn of daily means that lack hours."""
    counts = count_steps(days)
    most = max(counts.values(), default=0)
    short = [label for label, count in counts.items() if count < most]
    if short:
        warnings.warn(
            f"Days with fewer than {most} time steps: {len(short)}, the first {short[0]}. Their means are of the steps "
            "there are: leave such days out of the source if that is not wanted.",
            DipWarning,
            stacklevel=3,
        )


def _repeat_warnings(outcomes: Iterable[Outcome]) -> None:
    """Say once what was said of several days, perhaps in other processes."""
    said = Counter(text for outcome in outcomes for text in outcome.warnings)
    for text, count in said.items():
        warnings.warn(f"{text} (Days: {count}.)", DipWarning, stacklevel=3)
