"""The folder of a run: results in it are never touched, and one process at a time writes there."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from micromag.errors import ConfigError, OutputExistsError, UnreadableInputError

LOCK = ".micromag.lock"
RESULTS = ("*.vtkhdf", "sweep.h5")


class RunFolder:
    """A folder that this process may write to until :meth:`release`.

    Attributes
    ----------
    path
        The folder.
    moved_aside
        Where an earlier result went with ``overwrite``, else None.
    resumed
        Whether there is a part of the result already.
    """

    def __init__(
        self,
        path: Path,
        lock: FolderLock,
        moved_aside: Path | None = None,
        resumed: bool = False,
    ) -> None:
        self.path = path
        self.moved_aside = moved_aside
        self.resumed = resumed
        self._lock = lock

    def __fspath__(self) -> str:
        return str(self.path)

    def release(self) -> None:
        """Let other processes write here."""
        self._lock.release()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def existing_results(directory: str | os.PathLike[str]) -> list[Path]:
    """Return the result files in a folder, sorted; none if there is no such folder."""
    folder = Path(directory)
    return sorted({path for pattern in RESULTS for path in folder.glob(pattern)})


def result_in(path: Path) -> Path:
    """Return the result of a single run in a folder, or the path itself if it is no folder.

    Raises
    ------
    UnreadableInputError
        If there is no result in the folder, or several.
    """
    if not path.is_dir():
        return path
    results = [found for found in existing_results(path) if found.suffix == ".vtkhdf"]
    if len(results) == 1:
        return results[0]
    names = ", ".join(result.name for result in results[:5]) + (" ..." if len(results) > 5 else "")
    raise UnreadableInputError(
        "several results in this folder" if results else "no result in this folder",
        where=str(path),
        value=names or None,
        next_step="name one of them" if results else "name a .vtkhdf file, or the folder of one",
    )


def prepare(
    directory: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    skip_existing: bool = False,
    goes_on: Callable[[Path], bool] = lambda folder: False,
) -> RunFolder | None:
    """Create and lock the folder of a run.

    Parameters
    ----------
    directory
        The folder; parents are created.
    overwrite
        Move a folder with results aside, to ``<directory>.001`` or the next free number.
    skip_existing
        Return None if there are results.
    goes_on
        Whether the results in the folder are an unfinished part of this one, which are kept and
        added to; it may raise OutputExistsError to say why not.

    Raises
    ------
    OutputExistsError
        If there are results and neither option is given, or another process is writing there.
    ConfigError
        If there is no such folder and none can be created, or it cannot be written to.
    """
    folder = check_folder(directory)

    def may_enter() -> bool:
        """Return whether to write there, False to leave it alone; raises OutputExistsError."""
        results = existing_results(folder)
        if not results or overwrite:
            return True
        try:
            if goes_on(folder):
                return True
            raise _exists(folder, results)
        except OutputExistsError:
            if skip_existing:
                return False
            raise

    if not may_enter():
        return None
    lock = FolderLock(folder)
    try:
        # Looked at again under the lock: another process may have finished in between.
        if not may_enter():
            lock.release()
            return None
        results = existing_results(folder)
        if not results or not overwrite:
            return RunFolder(folder, lock, resumed=bool(results))
        aside = _move_aside(folder)
    except BaseException:
        lock.release()
        raise
    lock.release(now_in=aside)
    return RunFolder(folder, FolderLock(folder), aside)


def check_folder(directory: str | os.PathLike[str], where: str | None = None) -> Path:
    """Return the absolute path of a folder that is there, or can be created.

    Raises
    ------
    ConfigError
        If a file is in the way, or the folder (or the one to create it in) cannot be written to;
        ``where`` stands for the folder's name in front of the message.
    """
    folder = Path(os.path.abspath(directory))
    # Path.exists() is false, or raises, where a part of the path is a file or a closed folder.
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    reason = ""
    if not there.is_dir():
        reason = f"{there} is a file" if there.exists() else f"{there} is a link to nowhere"
    elif not os.access(there, os.W_OK | os.X_OK):
        reason = f"there is no permission to write to {there}"
    if reason:
        raise ConfigError(
            f"the result cannot be written to this folder: {reason}",
            where=where or str(folder),
            next_step="choose another with -o DIR",
        )
    return folder


def _exists(folder: Path, results: list[Path]) -> OutputExistsError:
    names = ", ".join(path.name for path in results[:3]) + (" ..." if len(results) > 3 else "")
    return OutputExistsError(
        "there is a result already",
        where=str(folder),
        value=names,
        next_step="--overwrite moves it aside, --skip-existing keeps it, -o DIR writes elsewhere; "
        "in Python: overwrite=True, skip_existing=True, another output.directory",
    )


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot create the output folder: {error.strerror}",
            where=str(folder),
            next_step="choose another with -o DIR",
        ) from error


def _move_aside(folder: Path) -> Path:
    here = Path.cwd()
    if folder == here or folder in here.parents:
        raise OutputExistsError(
            "the folder with the result cannot be moved aside: it is, or holds, the current one",
            where=str(folder),
            next_step="choose a folder of its own with -o DIR",
        )
    for number in range(1, 1_000_000):
        aside = folder.with_name(f"{folder.name}.{number:03d}")
        if aside.exists():
            continue
        try:
            os.mkdir(aside)  # claims the number; a rename replaces an empty folder
            os.rename(folder, aside)
        except FileExistsError:
            continue
        except OSError as error:
            with contextlib.suppress(OSError):
                os.rmdir(aside)
            raise OutputExistsError(
                f"the earlier result cannot be moved aside: {error.strerror}", where=str(folder)
            ) from error
        return aside
    raise OutputExistsError("no free number to move the earlier result to", where=str(folder))


class FolderLock:
    """A lock file in a folder, which is created if need be, that dies with its process.

    The operating system's lock on the file tells on one machine (and on most network file
    systems) whether the writer lives. Where it cannot tell, the file's content does: host,
    process id and the start time of that process, so that a recycled id is not taken for the
    writer.

    Raises
    ------
    OutputExistsError
        If another process holds the lock.
    ConfigError
        If the folder cannot be created or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK
        while True:
            _create(folder)  # again, if a process has just moved it aside
            with contextlib.suppress(FileNotFoundError):
                self._fd = self._open()
                if self._locked():
                    break
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(_identity()).encode(), 0)

    def _locked(self) -> bool:
        """Lock the open file; False if its last owner removed it between opening and locking."""
        try:
            self._acquire()
            if os.path.samestat(os.fstat(self._fd), os.stat(self.path)):
                return True
        except BaseException:
            os.close(self._fd)
            raise
        os.close(self._fd)
        return False

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ConfigError(
                f"cannot write to the output folder: {error.strerror}",
                where=str(self.path.parent),
                next_step="choose another with -o DIR",
            ) from error

    def _acquire(self) -> None:
        import fcntl

        try:
            owner = json.loads(os.pread(self._fd, 4096, 0) or b"{}")
        except ValueError:
            owner = {}
        if not isinstance(owner, dict):
            owner = {}
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._held(owner) from None
        except OSError:
            if owner and _may_live(owner):  # a file system without locks
                raise self._held(owner) from None
            return
        if owner and owner.get("host") != socket.gethostname():
            raise self._held(owner)  # the lock may not reach to other machines

    def _held(self, owner: dict[str, object]) -> OutputExistsError:
        who = f"process {owner.get('pid', '?')} on {owner.get('host', '?')}"
        return OutputExistsError(
            "another process is writing here",
            where=str(self.path.parent),
            value=who,
            next_step=f"wait for it, choose another folder with -o DIR, or, if {who} is gone, "
            f"remove {self.path}",
        )

    def release(self, now_in: Path | None = None) -> None:
        """Remove the lock file, which is in ``now_in`` if the folder was moved, and unlock."""
        if self._fd < 0:
            return
        path = now_in / LOCK if now_in else self.path
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(self._fd), os.stat(path)):
                path.unlink()
        os.close(self._fd)
        self._fd = -1


def _identity() -> dict[str, object]:
    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "start": _start_time(pid)}


def _may_live(owner: dict[str, object]) -> bool:
    """Tell whether the process that wrote a lock may still be alive."""
    pid = owner.get("pid")
    if owner.get("host") != socket.gethostname() or not isinstance(pid, int):
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return _start_time(pid) == owner.get("start")


def _start_time(pid: int) -> str:
    """Return when a process started, in the kernel's own count; empty where it does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]
