r"""The one-dimensional model of a run's wall: what the equations need, from the finished result.

Nothing of it is typed in. Position, width Delta and angle are fitted to the relaxed wall of the last
snapshot before the stage. The wall's energy is weighed by the field engine, with every energy term of
the run but applied fields: the wall, as tanh profile of that width, is put in its place at several
angles phi about the easy axis, and the energy per area of its cross-section is a Fourier series,

.. math:: \sigma(\phi) = \sum_n a_n \cos n\phi + b_n \sin n\phi, \qquad
          \Delta K_p = \sqrt{a_2^2 + b_2^2}, \quad \pi D = \sqrt{a_1^2 + b_1^2}

whose harmonics are the hard axis, the Dzyaloshinskii-Moriya interaction and what else there is.
Currents, fields, damping and Ms come from the stored configuration. It is done on the CPU.

Source: A. P. Malozemoff and J. C. Slonczewski, Magnetic Domain Walls in Bubble Materials (1979).
"""

from __future__ import annotations

import functools
import json
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from micromag.analysis._wall_equations import Wall
from micromag.analysis._wall_pushes import Drive
from micromag.config import Relax, Run, RunConfig
from micromag.derived import with_total_damping
from micromag.terms.base import EnergyTerm
from micromag.wall_drive import (
    FIELDS,
    TORQUES,
    NoModelError,
    drift_of,
    drive_of_config,
    number,
    uniform,
)

if TYPE_CHECKING:
    from micromag.output.runfile import RunFile

FloatArray = NDArray[np.float64]

ANGLES = 16
"""Angles at which the wall is weighed."""
HARMONICS = 5
"""Harmonics kept, from 0 on."""
INSTANT = 1e-13
"""Snapshots no later than this after the start of a stage [s] show the state it starts from."""
AROUND = 6.0
"""The profile is fitted this many widths around its middle."""
LARGEST = 1 << 22
"""Cells of the largest mesh in which a wall is weighed: beyond, that takes minutes on a CPU."""
LEAST_HARMONIC = 5e-5
"""Odd or even harmonics of the energy below this part of 2 A / Delta (for Kp: 1e-4 of K) are noise."""
AXES = np.eye(3)


class SpinDrift(NamedTuple):
    """Drift of spins through a wall.

    Attributes
    ----------
    u
        -P mu_B J/(e Ms) along x [m/s].
    alpha
        Damping.
    slow, wall
        f beta where m changes slowly, and with the diffusion out of the wall.
    """

    u: float
    alpha: float
    slow: float
    wall: float


def drive_of(run: RunFile, stage: int) -> Drive:
    """Return what drives the wall in a stage; raises NoModelError for what the model does not know."""
    return drive_of_config(stage_config(run, stage))


def spin_drift_of(run: RunFile, stage: int, width: float) -> SpinDrift:
    """Return what a single torque `transport` does to a wall of a width [m]; raises NoModelError."""
    config = stage_config(run, stage)
    terms: list[Any] = [term for key, term in config.torques if key == "transport"]
    if len(terms) != 1 or len(config.torques) > 1:
        raise NoModelError("the wall is to be driven by one torque, transport, and no other")
    material = with_total_damping(config).material
    Ms = number(material.Ms, "material.Ms")
    u, f, beta = drift_of(terms[0], Ms)
    _, f_wall, beta_wall = drift_of(terms[0], Ms, width)
    alpha = number(material.alpha, "material.alpha")
    return SpinDrift(u, alpha, f * beta, f_wall * beta_wall)


def start_of(run: RunFile, stage: int) -> float:
    """Return the time at which a stage begins [s]."""
    durations = [s.duration for s in stored_config(run).schedule[:stage] if isinstance(s, Run)]
    return float(sum(durations))


def is_relaxed(run: RunFile, stage: int) -> bool:
    """Return whether a stage of relaxation came before a stage."""
    return any(not isinstance(earlier, Run) for earlier in stored_config(run).schedule[:stage])


def wall_of(run: RunFile, stage: int) -> Wall:
    """Return the wall before a stage, measured and weighed.

    Raises NoModelError when there is no snapshot of it, no wall, or one that does not lie across x.
    """
    config = stage_config(run, stage)
    if run.mesh.count > LARGEST:
        raise NoModelError(f"weighing a wall among {run.mesh.count} cells would take minutes")
    m = _relaxed(run, start_of(run, stage))
    mesh = run.mesh
    filled = run.static["Ms"] > 0 if "Ms" in run.static else np.abs(m).max(axis=0) > 0
    x = mesh.centres(0)
    profile = m.sum(axis=(1, 2), dtype=np.float64) / np.maximum(filled.sum(axis=(0, 1)), 1)
    present = filled.any(axis=(0, 1))
    x, profile = x[present], profile[:, present]
    axis = int(np.abs(profile[:, -1] - profile[:, 0]).argmax())
    position, width, polarity = _fit_profile(x, profile[axis])
    e, n1, n2 = AXES[axis], AXES[(axis + 1) % 3], AXES[(axis + 2) % 3]
    weight = 1 / np.cosh(np.clip((x - position) / width, -50, 50))
    angle = float(np.arctan2((n2 @ profile) @ weight, (n1 @ profile) @ weight))
    column = int(np.abs(mesh.centres(0) - position).argmin())
    area = int(filled[:, :, column].sum()) * mesh.cell_size[1] * mesh.cell_size[2]
    frame = (e, n1, n2)
    place = (position, width, polarity)
    sigma, exchange = _weighed(config, mesh.centres(0), filled, frame, place)
    harmonics = np.fft.rfft(sigma / area)[:HARMONICS] / ANGLES
    harmonics[1:] *= 2
    for several in (harmonics[1::2], harmonics[2::2]):
        if np.abs(several).max() < LEAST_HARMONIC * exchange / area:
            several[:] = 0
    return Wall(
        e, n1, n2, polarity, width, angle, exchange / area * width / 2,
        harmonics.real, -harmonics.imag, _field_before(run, stage),
    )  # fmt: skip


def texture_of(run: RunFile, stage: int) -> str:
    """Return a text that is the same for runs whose walls at rest have the same energy."""
    return json.dumps(texture_data(stage_config(run, stage)), sort_keys=True)


def current_of(run: RunFile, stage: int) -> tuple[float, float]:
    """Return current density [A/m^2] and drift velocity [m/s] along x, amplitudes of waveforms.

    NaN where the run has none, or it differs from place to place.
    """
    config = stage_config(run, stage)
    terms: list[Any] = [pair for pair in config.torques if pair[0] in ("zhang_li", "transport")]
    material = config.material
    try:
        Ms = number(material.Ms, "material.Ms")
        pushes = [p for key, term in terms for p in TORQUES[key](term, Ms, material.gamma)]
        J = [uniform(term.J, "J").value[0] for _, term in terms if term.J is not None]
    except NoModelError:
        return np.nan, np.nan
    u = float(sum(push.u for push in pushes)) if pushes else np.nan
    return (float(sum(J)) if J else np.nan), u


def _field_before(run: RunFile, stage: int) -> FloatArray:
    """Return the field [T] that acted at the end of the stage before."""
    if stage == 0:
        return np.zeros(3)
    earlier = stored_config(run).schedule[stage - 1]
    currents = isinstance(earlier, Run) or (isinstance(earlier, Relax) and earlier.currents)
    drive = drive_of_config(stage_config(run, stage - 1), currents=currents)
    return drive.field_at(start_of(run, stage))


def stored_config(run: RunFile) -> RunConfig:
    """Return the run file that made a result, without what needs files that may be gone."""
    return _parsed(run.config_text)


@functools.lru_cache(maxsize=512)
def _parsed(text: str) -> RunConfig:
    """Return a stored configuration, without what needs files that may be gone."""
    import yaml

    data: dict[str, Any] = yaml.safe_load(text) or {}
    for name in ("analysis", "output", "sweep", "title"):
        data.pop(name, None)
    data |= {"initial": {"uniform": {"direction": [0, 0, 1]}}, "device": "cpu"}
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        raise NoModelError(
            f"the stored run file does not fit this version of micromag ({error.error_count()} "
            "problems)"
        ) from error


def stage_config(run: RunFile, stage: int) -> RunConfig:
    """Return the run file with what a stage overrides; raises NoModelError for one of another version."""
    config = stored_config(run)
    overrides = {
        key: value
        for key, value in config.schedule[stage].overrides.items()
        if not key.startswith("output")
    }
    return config.with_overrides(overrides) if overrides else config


def _relaxed(run: RunFile, begin: float) -> NDArray[np.float32]:
    """Return m at the start of a stage: the last snapshot of that instant."""
    there = np.flatnonzero(run.times <= begin + INSTANT)
    if "m" not in run.quantities or not len(there):
        raise NoModelError("no snapshot of m from the start of the stage", where=str(run.path))
    k = int(there[-1])
    if begin - run.times[k] > INSTANT:
        raise NoModelError(
            "the snapshot nearest to the start of the stage is too early",
            where=str(run.path),
            value=f"{(begin - run.times[k]) * 1e9:.3g} ns before it",
            next_step="set output.snapshots.every or output.snapshots.at",
        )
    return run.m(k)


def _fit_profile(x: FloatArray, s: FloatArray) -> tuple[float, float, int]:
    """Return position [m], width [m] and polarity of a tanh through a profile."""
    from scipy.optimize import OptimizeWarning, curve_fit

    left, right = float(s[0]), float(s[-1])
    if abs(right - left) < 1 or left * right > 0:
        raise NoModelError("there is no wall across x at the start of the stage")
    scaled = (2 * s - left - right) / (right - left)
    crossings = np.flatnonzero((scaled[:-1] < 0) & (scaled[1:] >= 0))
    first = int(crossings[np.abs(x[crossings]).argmin()])
    step = float(x[1] - x[0])
    guess = max(step / max(float(scaled[first + 1] - scaled[first]), 0.05), step / 2)
    middle, amplitude = (left + right) / 2, (right - left) / 2

    def profile(x: FloatArray, q: float, width: float, middle: float, half: float) -> FloatArray:
        return middle + half * np.tanh((x - q) / width)

    near = np.abs(x - x[first]) < AROUND * max(guess, 2 * step)
    try:
        with warnings.catch_warnings():
            # A narrow wall has no point to spare for the covariance, which is not used here.
            warnings.simplefilter("ignore", OptimizeWarning)
            values, _ = curve_fit(
                profile, x[near] * 1e9, s[near], (x[first] * 1e9, guess * 1e9, middle, amplitude)
            )
    except (RuntimeError, TypeError) as error:
        raise NoModelError(f"the wall at the start of the stage is not a tanh: {error}") from error
    return float(values[0]) * 1e-9, abs(float(values[1])) * 1e-9, 1 if left > 0 else -1


def texture_data(config: RunConfig) -> dict[str, Any]:
    """Return what of a configuration the wall's own energy depends on: no currents, no fields."""
    data = config.model_dump(mode="json", by_alias=True, exclude_none=True)
    # Thermal noise has no energy, and the model no temperature.
    kept = {key for key, term in config.energy if isinstance(term, EnergyTerm)} - FIELDS.keys()
    data["energy"] = {key: value for key, value in data["energy"].items() if key in kept}
    data["material"] = {**data["material"], "alpha": 1.0}
    data |= {"torques": {}, "schedule": ["relax"], "precision": "double", "seed": 1}
    for name in ("output", "solver"):
        data.pop(name, None)
    return data


def _weighed(
    config: RunConfig,
    x: FloatArray,
    filled: NDArray[np.bool_],
    frame: tuple[FloatArray, FloatArray, FloatArray],
    place: tuple[float, float, int],
) -> tuple[FloatArray, float]:
    """Return the energy of a wall at each angle, fields left out, and that of its exchange [J]."""
    from micromag.simulation import Simulation

    e, n1, n2 = frame
    position, width, polarity = place
    scaled = np.clip((x - position) / width, -50, 50)
    sim = Simulation(RunConfig.model_validate(texture_data(config)))
    totals, exchange = [], 0.0
    for phi in 2 * np.pi * np.arange(ANGLES) / ANGLES:
        n = np.cos(phi) * n1 + np.sin(phi) * n2
        m = np.outer(e, -polarity * np.tanh(scaled)) + np.outer(n, 1 / np.cosh(scaled))
        sim.m = filled * m[:, None, None, :]
        energies = sim.energies()
        totals.append(energies["total"])
        exchange = sum(v for name, v in energies.items() if name.startswith("exchange"))
    if exchange <= 0:
        raise NoModelError("without exchange there is no wall of finite width")
    return np.array(totals), exchange
