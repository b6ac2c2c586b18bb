r"""The macrospin of a run: what a magnet with parallel moments needs, from the finished result.

Nothing of it is typed in. The field engine weighs the uniformly magnetized magnet, with every energy
term of the run but applied fields, in several directions; where the energy is quadratic in m, as
uniaxial anisotropies and the demagnetizing field are, it gives the tensor of the magnet's own field,

.. math:: E(m) = E_0 - \tfrac12 \int M_s\, dV\; m \cdot N m

Currents, fields and damping come from the stored configuration. It is done on the CPU.

Source: W. F. Brown, Micromagnetics (1963).
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from micromag.analysis._macrospin import Macrospin, Part
from micromag.config import Run, RunConfig
from micromag.transport.interface import torque_field
from micromag.wall_drive import NoModelError, drive_of_config, uniform
from micromag.wall_drive import number as number_of
from micromag.wall_model import LARGEST, stage_config, start_of, stored_config, texture_data

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile

FloatArray = NDArray[np.float64]

DIRECTIONS = np.array(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=float
)
"""Directions whose energies give the six entries of the tensor."""
ELSEWHERE = np.array([[1, 2, 3], [-3, 1, 2], [2, -3, -1]], dtype=float)
"""Directions in which the tensor must give the energy as well."""
LEAST_ANGLE = 1e-3
"""Between m and sigma [rad], for the fields of a current to be told from the direction of m."""
ROUNDING = 1e-6
"""Part of the largest difference of the own field by which it may be off there."""


def macrospin_of(run: RunFile, stage: int) -> Macrospin:
    """Return the macrospin of a stage, fields and torques against the time of the run.

    Raises NoModelError where something differs from place to place, for torques without a model, and
    for an energy that is not quadratic in m.
    """
    return _of_config(run, stage_config(run, stage))


def parts_from(run: RunFile, stage: int) -> list[Part]:
    """Return the macrospin of a run stage and of all run stages after it; raises as `macrospin_of`."""
    parts = []
    for number, entry in enumerate(stored_config(run).schedule[stage:], start=stage):
        if isinstance(entry, Run):
            begin = start_of(run, number)
            parts.append(Part(macrospin_of(run, number), begin, begin + entry.duration))
    return parts


class SpinOrbitFields(NamedTuple):
    """What a spin-orbit torque does to a magnet at rest.

    Attributes
    ----------
    damping_like, field_like
        B_DL and B_FL [T], along m x sigma and along sigma, as they follow from the direction of m.
    per_angle
        hbar J/(2 e Ms t): the field of an efficiency of 1 [T].
    field_like_theory
        B_FL of the run file [T], with all fields of the current along sigma.
    term
        The torque of the run file (`spin_orbit`), resolved.
    """

    damping_like: float
    field_like: float
    per_angle: float
    field_like_theory: float
    term: Any


def spin_orbit_fields(run: RunFile, stage: int, m: FloatArray) -> SpinOrbitFields:
    r"""Return the fields of the current that hold a magnet at rest along m, a unit vector.

    .. math:: m \times \left(N m + B + B_{FL}\, \sigma + B_{DL}\, m \times \sigma\right) = 0

    are two equations across m, and have two unknowns.

    Raises NoModelError as `macrospin_of`, where spin_orbit is not the one torque of the run, and where m
    lies along sigma.

    Source: M. Hayashi et al., Phys. Rev. B 89, 144425 (2014).
    """
    config = stage_config(run, stage)
    terms: list[Any] = [term for _, term in config.torques]
    if [key for key, _ in config.torques] != ["spin_orbit"]:
        raise NoModelError("the run is to have one torque, spin_orbit")
    term: Any = config.resolved(terms[0])
    Ms, thickness = number_of(config.material.Ms, "Ms"), number_of(term.thickness, "thickness")
    J = uniform(term.J, "torques.spin_orbit.J")
    if J.waveform is not None:
        raise NoModelError("the current changes in time")
    sigma = np.cross(J.value, uniform(term.normal, "torques.spin_orbit.normal").value)
    size = float(np.linalg.norm(sigma))
    if not size:
        raise NoModelError("no current flows across the normal")
    sigma = sigma / size
    still = drive_of_config(config, currents=False).field_at(start_of(run, stage))
    own = _tensor_of(run, config) @ m + still
    tangent = np.array([np.cross(m, sigma), np.cross(m, np.cross(m, sigma))])
    if np.linalg.norm(tangent[0]) < LEAST_ANGLE:
        raise NoModelError("m lies along sigma, where neither of the two acts")
    matrix = tangent @ np.stack([np.cross(m, sigma), sigma], axis=1)
    damping_like, field_like = np.linalg.solve(matrix, -tangent @ own)
    driven = drive_of_config(config).field_at(start_of(run, stage))
    return SpinOrbitFields(
        damping_like=float(damping_like),
        field_like=float(field_like),
        per_angle=torque_field(1.0, size, Ms, thickness),
        field_like_theory=float((driven - still) @ sigma),
        term=term,
    )


def _tensor_of(run: RunFile, config: RunConfig) -> FloatArray:
    """Return the tensor of a run's own field [T]; raises NoModelError."""
    if run.mesh.count > LARGEST:
        raise NoModelError(f"weighing a magnet of {run.mesh.count} cells would take minutes")
    return _weighed(json.dumps(texture_data(config), sort_keys=True))


def _of_config(run: RunFile, config: RunConfig) -> Macrospin:
    drive = drive_of_config(config)
    return Macrospin(_tensor_of(run, config), drive)


@functools.lru_cache(maxsize=64)
def _weighed(text: str) -> FloatArray:
    """Return the tensor of a magnet's own field [T]."""
    from micromag.simulation import Simulation

    config = RunConfig.model_validate(json.loads(text))
    sim = Simulation(config)
    filled = np.abs(sim.m).max(axis=0) > 0
    moment = filled.sum() * np.prod(config.mesh.cell_size) * config.material.Ms.value

    def energy(direction: FloatArray) -> float:
        m = direction / np.linalg.norm(direction)
        sim.m = filled * m[:, None, None, None]
        return sim.energies()["total"]

    energies = np.array([energy(d) for d in DIRECTIONS])
    rows = np.array([_quadratic(d / np.linalg.norm(d)) for d in DIRECTIONS])
    xx, yy, zz, xy, yz, zx = -2 / moment * np.linalg.solve(rows, energies)
    tensor = np.array([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]])
    for direction in [*ELSEWHERE, *-DIRECTIONS[:3]]:
        m = direction / np.linalg.norm(direction)
        off = abs(energy(direction) + moment * (m @ tensor @ m) / 2)
        if off > ROUNDING * moment * max(np.ptp(np.linalg.eigvalsh(tensor)), 1e-3):
            raise NoModelError("the energy of the uniform magnet is not quadratic in m")
    return tensor


def _quadratic(m: FloatArray) -> list[float]:
    """Return what xx, yy, zz, xy, yz and zx of a quadratic form add for a direction."""
    x, y, z = m
    return [x * x, y * y, z * z, 2 * x * y, 2 * y * z, 2 * z * x]
