"""Sweeps on a Dask cluster of two workers on this machine, some of which are killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from magnets import config

import micromag
from micromag.cli import main
from micromag.config import load_config
from micromag.errors import DeviceError, Interrupted, MicromagError
from micromag.job import run_job
from micromag.output.runfile import RunFile
from micromag.output.sweep_file import SweepFile
from micromag.progress import SilentReporter
from micromag.stopping import StopRequest
from micromag.sweep import cluster as cluster_module
from micromag.sweep import dispatch, worker
from micromag.sweep.attempts import Attempts, begin, is_given_up
from micromag.sweep.batching import spread
from micromag.sweep.cluster import Cluster
from micromag.sweep.local import Work
from micromag.sweep.standing import replica_of, replica_path
from micromag.sweep_points import SweepPoint, sweep_points

ROOT = Path(micromag.__file__).parents[1]
SECONDS = 60.0
"""A worker on a busy machine takes a while to start."""
SWEEP = """\
title: Walls in a small wire
device: cpu
mesh: {cells: [32, 4, 1], cell_size: [4 nm, 4 nm, 1 nm]}
material: {Ms: 580 kA/m, alpha: 0.5}
energy:
  exchange: {A: 15 pJ/m}
  uniaxial_anisotropy: {Ku1: 0.4 MJ/m^3, axis: +z}
torques:
  zhang_li: {J: [1e11, 0, 0], P: 0.5, beta: 0.5}
initial:
  domain_wall: {kind: bloch, from: +z, to: -z}
schedule: [relax, {run: {for: 200 ps}}]
solver: {method: rk4, dt: 5 fs}
output:
  table: {every: 20 ps, columns: [m, wall_position]}
sweep:
  torques.zhang_li.J[0]: [1e11 A/m^2, 3e11 A/m^2]
  material.alpha: [0.2, 0.5]
"""
"""Short fixed steps keep a worker busy for a second or two, so that it can be met at work."""
REPLICAS = 4


class Dask:
    """A scheduler and its workers, all of them processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(self.file))
        wait(lambda: self.file.exists() and self.file.stat().st_size > 0)
        self.address = json.loads(self.file.read_text())["address"]

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log
            )

    def ready(self, count: int) -> dict[str, int]:
        """Wait until there are so many workers; return their process ids by address."""
        from distributed import Client

        self.workers = [process for process in self.workers if process.poll() is None]
        options = ["--nthreads", "1", "--no-nanny"]
        while len(self.workers) < count:
            self.workers.append(self._start("worker", self.address, *options))
        with Client(self.address, set_as_default=False) as client:
            alive = {process.pid for process in self.workers}
            wait(lambda: set(client.run(os.getpid).values()) == alive)
            return client.run(os.getpid)

    def close(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def wait(ready: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    pytest.importorskip("distributed")
    dask = Dask(tmp_path_factory.mktemp("dask"))
    yield dask
    dask.close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with the run file walls.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walls.yaml").write_text(SWEEP)
    return tmp_path


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> SweepFile:
    """The same sweep, computed without a cluster."""
    folder = tmp_path_factory.mktemp("local")
    (folder / "walls.yaml").write_text(SWEEP)
    return micromag.run(load_config(folder / "walls.yaml", [f"output.directory={folder}/out"]))


class Told(SilentReporter):
    """Keeps what it is told, and does something when it is told how far the sweep is."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        self.lines: list[str] = []
        self.progress: list[str] = []
        self._act = act

    def message(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, text: str) -> None:
        self.lines.append(f"warning: {text}")

    def overall(self, text: str, fraction: float) -> None:
        assert 0 <= fraction <= 1
        self.progress.append(text)
        self._act()

    def text(self) -> str:
        return "\n".join(self.lines)


def run(address: str | None, told: Told, stop: StopRequest | None = None, **options: Any) -> Path:
    stop = StopRequest() if stop is None else stop
    result = run_job(
        load_config("walls.yaml"), scheduler=address, reporter=told, stop=stop, **options
    )
    assert result.path is not None
    return result.path.parent


def begun(folder: Path) -> list[Path]:
    """Return files of replicas that attempts are writing."""
    return list(folder.glob(".attempts.*/*/replica_*.vtkhdf"))


def is_writing(worker: str, folder: Path, told: Told) -> bool:
    """Return whether a worker is in the middle of its first batch."""
    mine = [
        line.split()[1] for line in told.lines if re.match(rf"batch \d+ of \d+ on {worker}:", line)
    ]
    return bool(mine and [*folder.glob(f".attempts.*/batch_{mine[0]:0>4}_try_1/replica_*.vtkhdf")])


def assert_complete(folder: Path, local: SweepFile) -> None:
    """Every replica is there once, and to the last bit what it is without a cluster."""
    sweep = SweepFile(folder)
    assert [replica.status for replica in sweep.replicas] == ["finished"] * REPLICAS
    names = [f"replica_{number:04d}.vtkhdf" for number in range(REPLICAS)]
    assert sorted(path.name for path in folder.iterdir()) == [*names, "sweep.h5"]
    for number in range(REPLICAS):
        mine, theirs = sweep.run(number), local.run(number)
        assert mine.provenance["replica"] == number
        assert (mine.times == theirs.times).all()
        assert all((mine.m(i) == theirs.m(i)).all() for i in range(len(theirs)))
        for name, column in theirs.table.items():
            assert mine.table[name].tobytes() == column.tobytes(), name
    for name in local.columns:
        assert sweep.table(name).tobytes() == local.table(name).tobytes()


# -------------------------------------------------------------------- with real workers


def test_batches_are_computed_by_all_workers(running: Dask, here: Path, local: SweepFile) -> None:
    workers = running.ready(2)
    told = Told()
    folder = run(running.address, told)
    assert_complete(folder, local)
    batches = SweepFile(folder).provenance["batches"]
    assert sorted(n for batch in batches for n in batch["replicas"]) == list(range(REPLICAS))
    assert {batch["worker"] for batch in batches} == set(workers), "as many batches as workers"
    for batch in batches:
        for number in batch["replicas"]:
            own = RunFile(folder / f"replica_{number:04d}.vtkhdf").provenance
            assert (own["worker"], own["batch"]) == (batch["worker"], batch["batch"])
            assert own["scheduler"] == running.address
            assert own["directory"] == str(here)
    assert f"  on the workers of {running.address}" in told.lines
    assert "2 of 2 batches and 4 of 4 replicas done" in told.text()
    assert any("0 of 2 batches (2 running) and 0 of 4 replicas done" in p for p in told.progress)


def test_a_worker_that_is_killed_is_replaced(running: Dask, here: Path, local: SweepFile) -> None:
    workers = running.ready(2)
    victim = min(workers)
    folder = here / "runs/walls"

    def kill() -> None:
        if victim in workers and is_writing(victim, folder, told):
            os.kill(workers.pop(victim), signal.SIGKILL)

    told = Told(kill)
    run(running.address, told)
    assert victim not in workers, "it was killed in the middle"
    assert "starts anew" in told.text() and "the worker is gone" in told.text()
    assert_complete(folder, local)
    batches = SweepFile(folder).provenance["batches"]
    assert sorted(n for batch in batches for n in batch["replicas"]) == list(range(REPLICAS))
    assert victim not in {batch["worker"] for batch in batches}


def test_a_late_attempt_overwrites_nothing(
    running: Dask, here: Path, local: SweepFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that only seems to be lost goes on for a while, in a place of its own."""
    workers = running.ready(2)
    late = min(workers)
    folder = here / "runs/walls"
    addresses = Cluster._addresses
    found: list[set[str]] = []
    hidden: set[str] = set()
    told = Told()

    def hide(self: Cluster) -> set[str]:
        found.append(addresses(self))
        if is_writing(late, folder, told):
            hidden.add(late)
        return found[-1] - hidden

    monkeypatch.setattr(Cluster, "_addresses", hide)
    monkeypatch.setattr(dispatch, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(Attempts, "give_up", lambda self, name: None)
    run(running.address, told)
    assert "starts anew" in told.text()
    assert late in found[-1], "it was there all the time"
    assert_complete(folder, local)
    for number in range(REPLICAS):
        assert RunFile(replica_path(folder, number)).provenance["worker"] != late


def test_ctrl_c_ends_the_workers(running: Dask, here: Path, local: SweepFile) -> None:
    running.ready(2)
    (here / "walls.yaml").write_text(SWEEP.replace("for: 200 ps", "for: 100 ns"))
    folder, stop = here / "runs/walls", StopRequest()

    def press() -> None:
        if len(begun(folder)) == REPLICAS:
            stop.signal_name = "SIGINT"

    with pytest.raises(Interrupted, match="replicas are done") as told:
        run(running.address, Told(press), stop)
    assert "the same command goes on" in str(told.value)
    assert [replica.status for replica in SweepFile(folder).replicas] == ["interrupted"] * REPLICAS
    assert all(RunFile(replica_path(folder, n)).status == "interrupted" for n in range(REPLICAS))
    assert not list(folder.glob(".attempts.*"))
    # The workers are free again, although nothing has waited for the end of the batches.
    (here / "walls.yaml").write_text(SWEEP)
    assert_complete(run(running.address, Told(), overwrite=True), local)


def test_a_failed_replica_is_told_as_without_a_cluster(
    running: Dask, here: Path, capsys: Any
) -> None:
    running.ready(1)
    text = SWEEP.partition("sweep:")[0].replace("schedule: [relax,", "schedule: [relax: {},")
    text += "sweep:\n  schedule[0].relax.max_iterations: [1000, 1, 2000]\n"
    (here / "walls.yaml").write_text(text)
    told = []
    for options in ([], ["--scheduler", running.address]):
        folder = "there" if options else "here"
        assert main(["run", "walls.yaml", "-o", folder, *options]) == 3
        told.append(capsys.readouterr().err.replace("there:", "here:"))
    assert told[0] == told[1]
    assert "1 of 3 replicas failed" in told[0]
    statuses = [replica.status for replica in SweepFile("there").replicas]
    assert statuses == ["finished", "failed", "finished"]


def test_a_scheduler_that_is_killed_leaves_what_is_done(
    here: Path, tmp_path_factory: pytest.TempPathFactory, capfd: Any
) -> None:
    pytest.importorskip("distributed")
    dask = Dask(tmp_path_factory.mktemp("lost"))
    folder = here / "runs/walls"
    # Three structures on one worker, one after the other.
    text = SWEEP.replace("alpha: [0.2, 0.5]", "Ms: [5e5, 6e5]")
    (here / "walls.yaml").write_text(
        text.replace(
            "  torques.zhang_li.J[0]: [1e11 A/m^2, 3e11 A/m^2]", "  mesh.cells[0]: [32, 36, 40]"
        )
    )

    def kill() -> None:
        if len(list(folder.glob("replica_*.vtkhdf"))) == 2 and begun(folder):
            dask.scheduler.kill()

    try:
        dask.ready(1)
        capfd.readouterr()
        with pytest.raises(DeviceError, match="does not answer any more") as told:
            run(dask.address, Told(kill))
    finally:
        dask.close()
    assert told.value.exit_code == 4 and "the same command goes on" in str(told.value)
    assert capfd.readouterr().err == "", "dask's own complaints are kept off the screen"
    there = SweepFile(folder)
    kept = [replica for replica in there.replicas if replica.done]
    assert 2 <= len(kept) < 6
    assert {RunFile(replica.path).status for replica in kept} == {"finished"}
    before = {replica.path: replica.path.stat().st_mtime_ns for replica in kept}
    assert len(SweepFile(run(None, Told())).replicas) == 6
    assert SweepFile(folder).finished
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not list(folder.glob(".attempts.*"))


def test_workers_that_cannot_compute_are_told(
    running: Dask, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    addresses = running.ready(1)
    other = {**worker.same_program(), "micromag": "0.0.1"}
    monkeypatch.setattr(cluster_module, "same_program", lambda: other)
    assert main(["run", "walls.yaml", "--scheduler", running.address]) == 4
    told = capsys.readouterr().err
    for address in addresses:
        assert f"worker {address} takes no part: micromag is {micromag.__version__} there" in told
    assert "0.0.1 here" in told and "none of the workers can compute" in told
    assert not list(here.glob("runs/walls/.attempts.*"))


def test_the_commands_of_the_readme(here: Path, local: SweepFile) -> None:
    pytest.importorskip("distributed")
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("### On several GPUs")[2]
    scheduler, worker_, run_ = re.findall(r"```bash\n(.*?)```", readme, re.DOTALL)[0].splitlines()
    (here / "sweep.yaml").write_text(SWEEP)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    started: list[subprocess.Popen[bytes]] = []

    def start(line: str) -> None:
        started.append(subprocess.Popen(line, shell=True, env=environment, start_new_session=True))

    try:
        start(f"{scheduler} --port 0 --no-dashboard --scheduler-file scheduler.json")
        wait(lambda: Path("scheduler.json").exists() and Path("scheduler.json").stat().st_size > 0)
        address = json.loads(Path("scheduler.json").read_text())["address"]
        for number in range(2):
            start(worker_.replace("tcp://host:8786", address).replace("=0", f"={number}"))
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=SECONDS)
        words = run_.replace("tcp://host:8786", address).split()
        assert words[0] == "micromag" and main(words[1:]) == 0
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert_complete(here / "runs/sweep", local)


# -------------------------------------------------------------------- no cluster


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("tcp://127.0.0.1:1", "Timed out"),
        ("here://x", "unknown address scheme"),
        ("nowhere", "missing port"),
    ],
)
def test_an_address_where_nobody_answers(
    address: str, reason: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    assert main(["run", "walls.yaml", "--scheduler", address]) == 4
    told = capsys.readouterr().err
    assert reason in told and address in told and "dask scheduler" in told
    assert not (here / "runs").exists()


def test_without_dask_the_extra_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["run", "walls.yaml", "--scheduler", "tcp://here:8786"]) == 4
    assert "pip install 'micromag[cluster]'" in capsys.readouterr().err


def test_a_single_run_has_nothing_to_spread(here: Path, capsys: Any) -> None:
    (here / "one.yaml").write_text(SWEEP.partition("sweep:")[0])
    assert main(["run", "one.yaml", "--scheduler", "tcp://here:8786"]) == 2
    assert "this run file has none" in capsys.readouterr().err
    assert not (here / "runs").exists()


def test_what_is_wrong_with_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FOLDER_SECONDS", 0.0)
    request = {"session": str(tmp_path / "runs/.attempts.1"), "device": "cpu", "threads": None}
    problem = cluster_module._problem(worker.look(request))
    assert "does not see the folder" in problem and str(tmp_path / "runs") in problem
    Path(request["session"]).mkdir(parents=True)
    seen = worker.look(request)
    assert cluster_module._problem(seen) == "" and seen["room"]["kind"] == "cpu"
    assert list(Path(request["session"]).iterdir()) == []
    with_gpu = {**request, "device": "cuda:99"}
    assert "cuda" in cluster_module._problem(worker.look(with_gpu)).lower()
    old = {**seen, "program": {**seen["program"], "Python": "3.0"}}
    assert cluster_module._problem(old).startswith("Python is 3.0 there and 3.")
    missing = ModuleNotFoundError("No module named 'micromag'")
    assert "install this version of micromag there" in cluster_module._problem(missing)


@pytest.mark.parametrize("count", [1, 2, 5, 7, 12, 64])
@pytest.mark.parametrize("workers", [1, 2, 4, 9])
@pytest.mark.parametrize("fit", [1, 3, 100])
def test_no_worker_is_without_a_batch(count: int, workers: int, fit: int) -> None:
    one = config()
    points = [SweepPoint(n, (n,), {}, "", one) for n in range(count)]
    parts = spread(points, lambda part: len(part) <= fit, workers)
    assert sorted(point.number for part in parts for point in part) == list(range(count))
    assert len(parts) >= min(workers, count)
    sizes = [len(part) for part in parts]
    assert max(sizes) <= fit and max(sizes) - min(sizes) <= max(1, max(sizes) // 2)
    assert len(parts) <= max(2 * workers, 2 * -(-count // fit)), "and batches are large"


# -------------------------------------------------------------------- places of attempts


def test_attempts_have_places_of_their_own(here: Path) -> None:
    points = sweep_points(load_config("walls.yaml"))
    folder = here / "out"
    folder.mkdir()
    attempts = Attempts(folder)
    early, late = (begin(attempts.path, name) for name in ("try_1", "try_2"))
    with pytest.raises(FileExistsError):
        begin(attempts.path, "try_1")
    attempts.give_up("try_1")
    assert is_given_up(attempts.path, "try_1") and not is_given_up(attempts.path, "try_2")
    replica_path(late, 1).write_text("late")
    replica_path(folder, 1).write_text("interrupted before")
    attempts.take("try_2", points[:2])
    replica_path(early, 1).write_text("early, and later")
    assert replica_path(folder, 1).read_text() == "late"
    assert is_given_up(attempts.path, "try_2"), "its place is gone"
    attempts.remove()
    assert [path.name for path in folder.iterdir()] == ["replica_0001.vtkhdf"]


def test_what_a_killed_session_has_finished_is_kept(here: Path, local: SweepFile) -> None:
    folder = run(None, Told())
    place = folder / ".attempts.0123/batch_0001_try_1"
    place.mkdir(parents=True)
    replica_path(folder, 2).rename(replica_path(place, 2))
    replica_path(folder, 3).rename(replica_path(place, 3))
    import h5py

    with h5py.File(replica_path(place, 3), "r+") as file:
        file["provenance"].attrs["status"] = "running"
    with h5py.File(folder / "sweep.h5", "r+") as file:
        file["status"][1, :] = "waiting"
    before = replica_path(place, 2).stat().st_mtime_ns
    told = Told()
    run(None, told)
    assert "3 replicas are done" in told.text()
    assert replica_path(folder, 2).stat().st_mtime_ns == before
    assert_complete(folder, local)


# -------------------------------------------------------------------- batches that fail


class Client:
    """Answers at once what `answer` makes of a worker's address and a request."""

    status = "running"

    def __init__(self, answer: Callable[[str, Any], Any]) -> None:
        self.answer = answer
        self.given: list[tuple[str, str]] = []

    def submit(self, function: Any, request: Any, *, workers: list[str], **options: Any) -> Any:
        self.given.append((workers[0], request["attempt"]))
        outcome = self.answer(workers[0], request)
        failed = isinstance(outcome, Exception)
        return SimpleNamespace(
            done=lambda: True,
            status="error" if failed else "finished",
            result=lambda: outcome,
            exception=lambda: outcome,
            cancel=lambda: None,
        )

    def subscribe_topic(self, topic: str, handler: Any) -> None:
        """Nobody says anything."""


def dispatched(
    here: Path, answer: Callable[[str, Any], Any], told: Told, look_around: Any = None
) -> Client:
    """Dispatch three batches of one replica to two workers that answer so."""
    client = Client(answer)
    names = ("tcp://a:1", "tcp://b:1")
    workers = {name: SimpleNamespace(address=name, host=name) for name in names}
    cluster: Any = SimpleNamespace(
        client=client,
        workers=workers,
        alive=True,
        address="tcp://s:1",
        threads=None,
        look_around=lambda attempts, reporter: look_around(workers),
    )
    points = sweep_points(load_config("walls.yaml"))
    folder = here / "out"
    folder.mkdir()
    replicas = [replica_of(point, replica_path(folder, point.number)) for point in points]
    provenance = {"command": "", "directory": ""}
    work = Work(points, replicas, folder, provenance, None, told, lambda: False, lambda _: None)
    parts = [[point] for point in points[:3]]
    dispatch.Dispatcher(cluster, work, Attempts(folder), parts, []).run()
    return client


GOOD = {"ended": [], "error": "", "interrupted": False}


def test_what_fails_on_one_worker_is_tried_on_the_other(here: Path) -> None:
    def answer(worker: str, request: Any) -> Any:
        return {**GOOD, "error": "the disk is full"} if worker == "tcp://a:1" else GOOD

    told = Told()
    client = dispatched(here, answer, told)
    assert {attempt for worker, attempt in client.given if worker == "tcp://b:1"} >= {
        f"batch_000{n}_try_2" for n in (1, 3)
    }
    assert "batch 1 starts anew: tcp://a:1: the disk is full" in told.text()
    assert len({attempt for _, attempt in client.given}) == len(client.given)


@pytest.mark.parametrize("failure", [ValueError("a bug"), {**GOOD, "error": "no compiler"}])
def test_a_batch_that_always_fails_is_given_up(here: Path, failure: Any) -> None:
    def answer(worker: str, request: Any) -> Any:
        return failure if "batch_0002" in request["attempt"] else GOOD

    told = Told()
    with pytest.raises(MicromagError, match="1 batch could not be computed") as error:
        dispatched(here, answer, told)
    assert "a bug" in str(error.value) or "no compiler" in str(error.value)
    assert "batch 2 is given up" in told.text()
    assert "2 of 3 batches" in told.progress[-1]


def test_without_any_worker_the_sweep_waits_for_a_while(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(dispatch, "PATIENCE", 0.3)

    def drop(worker: str, request: Any) -> Any:
        return {**GOOD, "error": "the worker is about to go"}

    told = Told()
    with pytest.raises(DeviceError, match="all workers are gone"):
        dispatched(here, drop, told, look_around=dict.clear)
    away = {"tcp://c:1": SimpleNamespace(address="tcp://c:1", host="c")}
    (here / "out").rename(here / "before")
    client = dispatched(
        here,
        lambda worker, request: GOOD if worker == "tcp://c:1" else {**GOOD, "error": "broken"},
        told,
        look_around=lambda workers: (workers.clear(), workers.update(away)),
    )
    assert client.given[-1][0] == "tcp://c:1", "who joins later is given work"
