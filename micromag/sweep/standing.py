"""What is done of a sweep already: told by the files in its folder, never by their names alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from micromag.errors import OutputExistsError, UnreadableInputError
from micromag.output.runfile import RunFile
from micromag.output.sweep_file import DONE, SWEEP_RESULT, Replica, SweepFile

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.sweep_points import SweepPoint

APART = ("title", "analysis")
"""Sections that change nothing of what is computed."""
UNFINISHED = ("running", "interrupted")
"""Words in files of replicas that were not computed to their end."""


def replica_path(folder: Path, number: int) -> Path:
    """Return the file of one replica."""
    return folder / f"replica_{number:04d}.vtkhdf"


def goes_on(folder: Path, config: RunConfig, *, retry_failed: bool) -> bool:
    """Return whether a folder holds an unfinished sweep of this very run file.

    Parameters
    ----------
    retry_failed
        Whether replicas that failed count as unfinished.

    Raises
    ------
    OutputExistsError
        It holds a sweep of another run file, or a finished one.
    """
    if not (folder / SWEEP_RESULT).exists():
        return False
    try:
        there = SweepFile(folder)
    except UnreadableInputError as error:
        raise OutputExistsError(
            f"there is a sweep already, but its collected table {error.what}",
            where=str(folder / SWEEP_RESULT),
            next_step="--overwrite moves it aside, -o DIR writes elsewhere",
        ) from error
    if difference := differs(there.config_text, config.resolved_yaml()):
        raise OutputExistsError(
            "there is a sweep of another run file already",
            where=str(folder),
            value=difference,
            next_step="--overwrite moves it aside, -o DIR writes elsewhere; with the run file and "
            "the options that it was begun with it goes on",
        )
    failed = sum(replica.status == "failed" for replica in there.replicas)
    if not there.finished or (failed and retry_failed):
        return True
    raise OutputExistsError(
        "this sweep is finished already",
        where=str(folder),
        value=f"{failed} of {len(there)} replicas failed" if failed else f"{len(there)} replicas",
        next_step=("--retry-failed computes those that failed again, " if failed else "")
        + "--overwrite moves it aside, --skip-existing keeps it, -o DIR writes elsewhere",
    )


def standing(
    folder: Path, points: Sequence[SweepPoint], *, retry_failed: bool
) -> dict[int, Replica]:
    """Return the replicas that need not be computed, by number.

    Parameters
    ----------
    folder
        The folder of the sweep.
    points
        All of its replicas.
    retry_failed
        Whether those that failed are computed again.

    Raises
    ------
    OutputExistsError
        A file with the name of a replica holds another run.
    """
    kept = {}
    for point in points:
        path = replica_path(folder, point.number)
        if not path.exists():
            continue
        try:
            run = RunFile(path)
        except UnreadableInputError:
            continue  # killed before its first snapshot was complete
        if difference := differs(run.config_text, point.config.resolved_yaml()):
            raise OutputExistsError(
                f"this is not the result of replica {point.number} ({point.label})",
                where=str(path),
                value=difference,
                next_step="move the file away, and the replica is computed",
            )
        if run.status in DONE or (run.status == "failed" and not retry_failed):
            kept[point.number] = replica_of(point, path, run)
    return kept


def replica_of(point: SweepPoint, path: Path, run: RunFile | None = None) -> Replica:
    """Return what is known of a replica; without its file it waits."""
    known: Mapping[str, Any] = {} if run is None else run.provenance
    status = "waiting" if run is None else run.status
    return Replica(
        number=point.number,
        place=point.place,
        coordinates=point.coordinates,
        label=point.label,
        status="interrupted" if status in UNFINISHED else status,
        path=path,
        message=str(known.get("message", "")),
        wall_time=float(known.get("wall_time") or float("nan")),
    )


def differs(there: str, here: str) -> str:
    """Return in words where two resolved run files differ; empty if they compute the same."""
    if there == here:
        return ""
    one, other = (_flat(yaml.safe_load(text)) for text in (there, here))
    for key in sorted(one.keys() | other.keys()):
        if one.get(key) != other.get(key):
            there, here = (_short(tree.get(key, "nothing")) for tree in (one, other))
            return f"{key}: {there} there, {here} here"
    return ""


def _flat(data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        return {"": data}
    kept = {key: value for key, value in data.items() if key not in APART}
    output = kept.get("output")
    if isinstance(output, Mapping):  # the folder may have been moved
        kept["output"] = {key: value for key, value in output.items() if key != "directory"}
    return dict(_leaves("", kept))


def _leaves(prefix: str, data: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from _leaves(f"{prefix}.{key}" if prefix else str(key), value)
    elif isinstance(data, list) and data:
        for i, value in enumerate(data):
            yield from _leaves(f"{prefix}[{i}]", value)
    else:
        yield prefix, data


def _short(value: Any) -> str:
    return "nothing" if value in (None, [], {}) else str(value)


def remove_unfinished(path: Path) -> None:
    """Make room for a replica that starts anew."""
    for stale in (path, path.with_name(f"{path.name}.partial")):
        if stale.exists():
            os.remove(stale)
