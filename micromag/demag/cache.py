"""Disk cache of tensor spectra: private, checksummed, safe for many processes at once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .tensor import TensorSpectrum, Triple, padded_lengths, tensor_spectrum

ALGORITHM_VERSION = 1
"""Raise this whenever the numbers of the tensor can change: older files are then never read."""

SIZE_LIMIT = 4 << 30
"""Bytes that the cache may hold; the files unused for longest go first."""

_MAGIC = b"micromag demag tensor\n"
_ABANDONED_AFTER = 3600.0
_log = logging.getLogger(__name__)


def cached_spectrum(
    cells: Triple,
    cell_size: tuple[float, float, float],
    periodic: Triple = (0, 0, 0),
    directory: Path | None = None,
) -> TensorSpectrum:
    """Return the spectrum of the tensor, from the cache where it is there and whole.

    Parameters and errors as for :func:`~micromag.demag.tensor.tensor_spectrum`; ``directory`` is
    the cache folder (default :func:`cache_directory`). A file that is damaged, or written by
    another version, is computed again and replaced. A cache that cannot be written costs time and
    no more: a warning goes to the log.
    """
    key = _key(cells, cell_size, periodic)
    path = (directory or cache_directory()) / f"{hashlib.sha256(key).hexdigest()[:32]}.tensor"
    octant = _read(path, key)
    if octant is not None:
        return TensorSpectrum(padded_lengths(cells, periodic), octant)
    spectrum = tensor_spectrum(cells, cell_size, periodic)
    try:
        _write(path, key, spectrum.octant)
        _prune(path.parent, SIZE_LIMIT)
    except OSError as error:
        _log.warning("the demagnetizing tensor was not cached in %s: %s", path.parent, error)
    return spectrum


def cache_directory() -> Path:
    """Return the folder of tensors, in ``$MICROMAG_CACHE_DIR`` or else in the user's cache."""
    configured = os.environ.get("MICROMAG_CACHE_DIR")
    if configured:
        return Path(configured).expanduser() / "demag"
    import platformdirs

    return Path(platformdirs.user_cache_dir("micromag")) / "demag"


def _key(cells: Triple, cell_size: tuple[float, float, float], periodic: Triple) -> bytes:
    """Return everything that the numbers depend on, as text; edges to the last bit."""
    fields = {
        "version": ALGORITHM_VERSION,
        "cells": [int(n) for n in cells],
        "cell_size": [float(edge).hex() for edge in cell_size],
        "periodic": [int(images) for images in periodic],
        "lengths": list(padded_lengths(cells, periodic)),
        "order": np.dtype(np.float64).str,
    }
    return json.dumps(fields, sort_keys=True).encode()


def _read(path: Path, key: bytes) -> NDArray[np.float64] | None:
    """Return the array of a file, or None unless the file is whole and made for this key."""
    try:
        with path.open("rb") as file:
            head = [file.readline(4096) for _ in range(3)]
            if head[0] != _MAGIC or head[1] != key + b"\n":
                return None
            shape, checksum = json.loads(head[2])
            octant = np.fromfile(file, dtype=np.float64)
            whole = _checksum(octant) == checksum
            octant = octant.reshape(shape)
    except OSError:
        return None
    except (ValueError, TypeError):
        whole = False
    if not whole:
        _log.warning("the cached demagnetizing tensor %s is damaged and is computed again", path)
        return None
    # The time of the last use decides what is removed first.
    with contextlib.suppress(OSError):
        os.utime(path)
    return octant


def _write(path: Path, key: bytes, octant: NDArray[np.float64]) -> None:
    """Write under a name of our own, then rename: other processes see the whole file or none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            shape_and_sum = json.dumps([octant.shape, _checksum(octant)]).encode()
            file.write(_MAGIC + key + b"\n" + shape_and_sum + b"\n")
            file.write(octant.data)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _checksum(octant: NDArray[np.float64]) -> str:
    """Return a checksum of the bytes of a contiguous array."""
    return hashlib.blake2b(octant.data, digest_size=16).hexdigest()


def _prune(directory: Path, limit: int) -> None:
    """Remove abandoned parts, and the files unused for longest until the rest is in the limit."""
    entries: list[tuple[float, int, Path]] = []
    for path in directory.iterdir():
        with contextlib.suppress(OSError):
            status = path.stat()
            if path.suffix == ".tensor":
                entries.append((status.st_mtime, status.st_size, path))
            elif path.suffix == ".part" and time.time() - status.st_mtime > _ABANDONED_AFTER:
                path.unlink()
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= limit:
            break
        # Another process may have removed it, or may still read it: both are harmless.
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size
