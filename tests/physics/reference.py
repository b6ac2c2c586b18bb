"""The table of physics checks beside the tests, and how a measured value is held against it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray

import micromag as mm
from micromag.constants import GAMMA_E, MU_0

TESTS = Path(__file__).parents[1]
NM, PS, NS, GHZ, MT = 1e-9, 1e-12, 1e-9, 1e9, 1e-3

comparisons: list[tuple[str, str, float, float, float]] = []
"""Every value held against the table: id, what, expected, measured, allowed deviation."""


@dataclass(frozen=True)
class Check:
    """One entry of ``checks.yaml``."""

    id: str
    setup: str
    quantity: str
    expected: float | str
    tolerance: str
    rtol: float | None
    atol: float | None
    source: str
    verified_by: str

    @property
    def value(self) -> float:
        """The expected value of an entry that has just one."""
        return float(self.expected)

    def number(self, text: str) -> float:
        """Return a number as the entry prints it; AssertionError if it does not."""
        printed = " ".join(
            (self.setup, self.quantity, str(self.expected), self.tolerance, self.source)
        )
        assert text in printed, f"{text!r} is not in the entry {self.id} of checks.yaml: {printed}"
        return float(text)

    def numbers(self, *texts: str) -> list[float]:
        """Return several numbers as the entry prints them."""
        return [self.number(text) for text in texts]

    def agrees(
        self,
        measured: ArrayLike,
        expected: ArrayLike | None = None,
        what: str = "",
        *,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> None:
        """Assert that a measured value, or each of several, lies within the tolerance.

        The tolerance is the entry's own unless one is given, which then has to stand in its text.
        """
        if rtol is None and atol is None:
            rtol, atol = self.rtol, self.atol
        wanted = np.atleast_1d(self.value if expected is None else expected).astype(float)
        found = np.broadcast_to(np.atleast_1d(measured).astype(float), wanted.shape)
        for want, have in zip(wanted, found, strict=True):
            allowed = (rtol or 0.0) * abs(want) + (atol or 0.0)
            note(self.id, what, want, have, allowed)
            assert abs(have - want) <= allowed, (
                f"{self.id} {what}: {have:.9g}, expected {want:.9g} within {allowed:.3g}"
            )


def note(id: str, what: str, expected: float, measured: float, allowed: float = np.nan) -> None:
    """Put a value into the table that ``pytest -v`` ends with."""
    comparisons.append((id, what, expected, measured, allowed))


@cache
def _table() -> dict[str, Check]:
    entries = yaml.safe_load((TESTS / "checks.yaml").read_text())["checks"]
    for entry in entries:
        # YAML 1.1, which PyYAML reads, takes 1e-12 for a text.
        for name in ("rtol", "atol"):
            entry[name] = None if entry[name] is None else float(entry[name])
    return {entry["id"]: Check(**entry) for entry in entries}


def check(id: str) -> Check:
    """Return an entry of ``checks.yaml`` by its id."""
    return _table()[id]


def curve(name: str) -> dict[str, NDArray[np.float64]]:
    """Return the columns of ``tests/data/<name>``."""
    with (TESTS / "data" / name).open() as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


def macrospin(m: ArrayLike, **sections: object) -> mm.Simulation:
    """Return one moment in double precision under every local term, each zero until it is set.

    Since kernels are compiled for the structure of a run and not for its values, all tests on one
    moment share them.
    """
    given: dict[str, object] = {
        "precision": "double",
        "mesh": mm.Mesh(cells=(1, 1, 1), cell_size=(10 * NM, 10 * NM, 10 * NM)),
        "energy": energy(),
        "torques": [spin_torque()],
        "solver": {"max_error": 1e-10},
    }
    direction = [float(x) for x in np.asarray(m, dtype=float)]
    initial = {"uniform": {"direction": direction}}
    return mm.Simulation(device="cpu", initial=initial, **(given | sections))


def energy(
    B: ArrayLike = (0, 0, 0), Ku1: float = 0.0, Kc1: float = 0.0, Ku2: float = 0.0, Kc2: float = 0.0
) -> list[object]:
    """Return the energy terms of `macrospin`, axes along z and along x, y."""
    return [
        mm.Zeeman(B=tuple(np.asarray(B, dtype=float))),
        mm.UniaxialAnisotropy(Ku1=Ku1, Ku2=Ku2, axis=(0, 0, 1)),
        mm.CubicAnisotropy(Kc1=Kc1, Kc2=Kc2, axis1=(1, 0, 0), axis2=(0, 1, 0)),
    ]


def spin_torque(sigma: ArrayLike = (0, 0, 1), B_DL: float = 0.0, B_FL: float = 0.0) -> object:
    """Return the torque of `macrospin`."""
    return mm.SpinTorque(sigma=tuple(np.asarray(sigma, dtype=float)), B_DL=B_DL, B_FL=B_FL)


def rows(every: float, *columns: str) -> dict[str, object]:
    """Return an ``output`` section with a row every so often [s]."""
    return {"table": {"every": every, "columns": columns or ("m",)}}


def angle_turned(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angle from x to y [rad], whole turns included, 0 at the first sample."""
    angle = np.unwrap(np.arctan2(y, x))
    return angle - angle[0]


def frequency_of(signal: NDArray[np.float64], every: float) -> float:
    """Return the frequency [Hz] of an undamped sine sampled every so often [s].

    A sine of any phase obeys s(t + d) + s(t - d) = 2 cos(omega d) s(t).
    """
    middle, sides = signal[1:-1], signal[2:] + signal[:-2]
    cosine = (middle @ sides) / (2 * middle @ middle)
    return float(np.arccos(cosine) / (2 * np.pi * every))


__all__ = [
    "GAMMA_E",
    "GHZ",
    "MT",
    "MU_0",
    "NM",
    "NS",
    "PS",
    "Check",
    "angle_turned",
    "check",
    "comparisons",
    "curve",
    "energy",
    "frequency_of",
    "macrospin",
    "note",
    "rows",
    "spin_torque",
]
