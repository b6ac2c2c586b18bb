r"""The Thiele equation of a run: how fast currents move its texture as it is, without deforming it.

Nothing of it is typed in. With dm/dt = -(v . grad) m in the equation of motion, multiplied by
:math:`m \times` and then by a derivative of m, and integrated over the magnet, all that is energy
drops out where a shift costs none:

.. math:: \sum_j (G_{ij} - \alpha D_{ij})\, v_j = F_i, \qquad
          G_{ij} = \int m \cdot (\partial_i m \times \partial_j m)\, dA, \quad
          D_{ij} = \int \partial_i m \cdot \partial_j m\, dA, \quad
          F_i = \int \partial_i m \cdot (m \times T)\, dA

:math:`G_{xy} = 4 \pi Q`. T is the torque of all currents as the field engine gives it for this m; the
drift u of the Zhang-Li torque gives :math:`F_i = \sum_j (G_{ij} - \beta D_{ij}) u_j`. It is done on
the CPU.

Source: A. A. Thiele, Phys. Rev. Lett. 30, 230 (1973); A. Thiaville et al., Europhys. Lett. 69, 990
(2005) for the torques.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.wall_drive import NoModelError
from micromag.wall_model import LARGEST, stage_config

if TYPE_CHECKING:
    from micromag.mesh import Mesh
    from micromag.output.runfile import RunFile

FloatArray = NDArray[np.float64]


def rigid_velocity(run: RunFile, stage: int, m: FloatArray) -> FloatArray:
    """Return the velocity (v_x, v_y) [m/s] of a texture under the currents of a stage.

    Parameters
    ----------
    run, stage
        Whose currents, and damping.
    m
        Unit vectors, shape ``(3, nz, ny, nx)``; 0 in empty cells.

    Raises
    ------
    NoModelError
        There is no current, it changes in time, the damping or the magnet is not the same everywhere,
        or the texture has neither a gradient nor a charge.
    """
    from micromag.simulation import Simulation

    config = stage_config(run, stage)
    if not config.torques:
        raise NoModelError("the run has no torque of a current")
    if any(
        p.waveform is not None for _, term in config.torques for p in term.parameters().values()
    ):
        raise NoModelError("the current changes in time")
    if not (config.material.alpha.is_uniform and config.material.Ms.is_uniform):
        raise NoModelError("Ms or the damping differs from place to place")
    if run.mesh.count > LARGEST:
        raise NoModelError(f"weighing a texture of {run.mesh.count} cells would take minutes")
    torques = []
    for made in (config, config.model_copy(update={"torques": []})):
        sim = Simulation(made, device="cpu")
        sim.m = m
        torques.append(np.asarray(sim.torque(), dtype=np.float64))
    driven = config.material.gamma * (torques[0] - torques[1])
    return thiele(m, driven, float(config.material.alpha.value), run.mesh)


def thiele(m: FloatArray, torque: FloatArray, alpha: float, mesh: Mesh) -> FloatArray:
    """Return (v_x, v_y) [m/s] of the Thiele equation for the torque T [1/s] of the currents.

    ``m`` and ``torque`` have the shape ``(3, nz, ny, nx)``. Raises NoModelError for a uniform m.
    """
    slopes = [_slope(m, i, mesh) for i in (0, 1)]
    G = np.array([[(m * np.cross(a, b, axis=0)).sum() for b in slopes] for a in slopes])
    D = np.array([[(a * b).sum() for b in slopes] for a in slopes])
    pushed = np.cross(m, torque, axis=0)
    F = np.array([(a * pushed).sum() for a in slopes])
    matrix = G - alpha * D
    if abs(np.linalg.det(matrix)) <= 1e-12 * max(np.trace(D), 1e-300) ** 2:
        raise NoModelError("the texture has no gradient along x or along y")
    return np.linalg.solve(matrix, F)


def _slope(m: FloatArray, axis: int, mesh: Mesh) -> FloatArray:
    """Return dm/dx or dm/dy by central differences of the highest order up to 4 that cells allow.

    Nearest neighbours alone would miss (d/Delta)^2/6 of a wall; 0 without neighbours on both sides.
    """
    near, near_is_inside = _difference(m, axis, 1, mesh)
    far, far_is_inside = _difference(m, axis, 2, mesh)
    slope = np.where(near_is_inside & far_is_inside, (4 * near - far) / 3, near)
    return np.where(near_is_inside, slope, 0.0)


def _difference(
    m: FloatArray, axis: int, reach: int, mesh: Mesh
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return (m(x + n d) - m(x - n d))/(2 n d), and where both lie in the magnet."""
    along = 3 - axis
    ahead, behind = np.roll(m, -reach, along), np.roll(m, reach, along)
    inside = ((ahead**2).sum(axis=0) > 0) & ((behind**2).sum(axis=0) > 0)
    if not mesh.periodic[axis]:
        place = np.arange(mesh.cells[axis])
        free = (place >= reach) & (place < mesh.cells[axis] - reach)
        inside &= free.reshape([-1 if i == along - 1 else 1 for i in range(3)])
    return (ahead - behind) / (2 * reach * mesh.cell_size[axis]), inside
