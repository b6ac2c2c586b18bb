"""Compiled kernels on disk: content-hashed, private, safe for many processes at once.

An entry is one file ``<key>-<hash of its bytes><suffix>``, written beside its place and renamed
into it. So a reader sees all of a file or none, and one that was damaged later is recognised and
rebuilt. Loading a library is code execution: the folder is the user's own and nobody else may
write to it.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from micromag.errors import DeviceError

SIZE_LIMIT = 256 * 2**20
"""Bytes of compiled kernels that are kept, the least recently used go first."""
_STALE = 3600.0
_BUILD = "build-"


def cache_root() -> Path:
    """Return the folder of all caches: MICROMAG_CACHE_DIR, or the platform's place."""
    chosen = os.environ.get("MICROMAG_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("micromag", appauthor=False))


def content_key(**parts: object) -> str:
    """Return the SHA-256 of everything that decides what the compiler will produce."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:40]


class Cache:
    """The entries of one folder."""

    def __init__(self, directory: Path, limit: int = SIZE_LIMIT) -> None:
        self.directory = directory
        self.limit = limit

    def get(self, key: str, suffix: str, build: Callable[[Path], Path]) -> Path:
        """Return the file of ``key``; on a miss ``build(folder)`` makes it in that folder."""
        return self.find(key, suffix) or self.build(key, suffix, build)

    def find(self, key: str, suffix: str) -> Path | None:
        """Return the intact file of ``key`` and mark it as used; a damaged one is removed."""
        for path in self.directory.glob(f"{key}-*{suffix}"):
            try:
                if _digest(path) == path.name[len(key) + 1 : -len(suffix)]:
                    os.utime(path)
                    return path
                path.unlink()
            except OSError:
                continue
        return None

    def build(self, key: str, suffix: str, build: Callable[[Path], Path]) -> Path:
        """Make the file of ``key`` anew."""
        folder = Path(tempfile.mkdtemp(prefix=_BUILD, dir=self.directory))
        try:
            made = build(folder)
            final = self.directory / f"{key}-{_digest(made)}{suffix}"
            os.replace(made, final)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self.prune(keep=final)
        return final

    def drop(self, path: Path) -> None:
        """Remove an entry that could not be loaded."""
        path.unlink(missing_ok=True)

    def prune(self, keep: Path | None = None) -> None:
        """Delete the least recently used entries beyond the size limit, and builds that died."""
        entries = []
        for path in self.directory.iterdir():
            try:
                status = path.stat()
            except OSError:
                continue
            if path.name.startswith(_BUILD):
                if time.time() - status.st_mtime > _STALE:
                    shutil.rmtree(path, ignore_errors=True)
            else:
                entries.append((status.st_mtime, status.st_size, path))
        excess = sum(size for _, size, _ in entries) - self.limit
        for _, size, path in sorted(entries):
            if excess <= 0:
                break
            if path != keep:
                path.unlink(missing_ok=True)
                excess -= size


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def kernel_cache() -> Cache:
    """Return the cache of compiled kernels; without a folder, one that ends with the process."""
    return Cache(_private_folder(str(cache_root() / "kernels")))


@cache
def _private_folder(name: str) -> Path:
    path = Path(name)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
        if status.st_uid != os.getuid():
            raise DeviceError(
                "the cache folder belongs to another user, and code loaded from it could be theirs",
                value=path,
                next_step="set MICROMAG_CACHE_DIR to a folder of your own",
            )
        if status.st_mode & 0o077:
            path.chmod(0o700)
        tempfile.TemporaryFile(dir=path).close()
    except OSError:
        # A read-only home, as on some clusters: compile for this process alone.
        path = Path(tempfile.mkdtemp(prefix="micromag-kernels-"))
        atexit.register(_remove_if_mine, path, os.getpid())
    return path


def _remove_if_mine(path: Path, pid: int) -> None:
    """Remove a folder, but not at the exit of a forked child."""
    if os.getpid() == pid:
        shutil.rmtree(path, ignore_errors=True)
