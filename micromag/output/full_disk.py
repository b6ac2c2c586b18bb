"""What an HDF5 file needs of us where the disk is full: h5py and HDF5 alone do not survive it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import h5py

SUPERBLOCK = 48  # bytes of version 2 of it
END_OF_FILE = slice(28, 36)  # where it keeps this


def require_room(path: Path, size: int) -> None:
    """Raise OSError if not even the beginning of a new file, ``size`` bytes, fits on the disk.

    While a file is laid out h5py swallows failures of objects that it frees, and goes on.
    """
    with path.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            path.unlink()
            raise


def superblock(file: h5py.File) -> bytes:
    """Return the superblock of an open file as it is on the disk."""
    return os.pread(file.id.get_vfd_handle(), SUPERBLOCK, 0)


def mend(path: Path, last: bytes) -> None:
    """Make a file as long as its superblock says, or HDF5 refuses it as truncated.

    When a disk is full the library still updates the superblock. The part that is missing holds
    nothing committed, so a hole in its place, which needs no space, is as good. Where a limit forbids
    even that, the superblock ``last`` of the last flush knows all that is committed.
    """
    with contextlib.suppress(OSError), path.open("r+b", buffering=0) as file:
        head = file.read(END_OF_FILE.stop)
        if len(head) < END_OF_FILE.stop:
            return
        end = int.from_bytes(head[END_OF_FILE], "little")
        if os.fstat(file.fileno()).st_size < end < 2**62:
            try:
                os.truncate(path, end)
            except OSError:
                os.pwrite(file.fileno(), last, 0)


def cut_off(file: h5py.File) -> None:
    """Send what the library still writes to a file to nowhere.

    It would try again whenever one of its objects is freed, and fail again; failures there (h5py
    3.16, HDF5 2.0) leave freed objects behind, which end the process with a signal.
    """
    if file.id.valid:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, file.id.get_vfd_handle(), inheritable=False)
        os.close(nowhere)
