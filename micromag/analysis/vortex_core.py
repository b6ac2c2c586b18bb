"""Vortices and antivortices in the last snapshot: where, which way around, core up or down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.analysis.base import Analysis
from micromag.errors import AnalysisError

if TYPE_CHECKING:
    from micromag.mesh import Mesh
    from micromag.output.runfile import RunFile

_LEAST_IN_PLANE = 1e-3
"""A moment with less than this in the plane has no direction there."""
_MOST_TOLD = 4


@dataclass(frozen=True)
class Core:
    """A point around which the in-plane magnetization winds.

    Attributes
    ----------
    x, y
        Place [m], from the centre of the mesh.
    winding
        1 of a vortex, -1 of an antivortex.
    circulation
        Of a vortex: 1 counterclockwise, -1 clockwise seen from +z, 0 if m points outwards or inwards.
    m_z
        Mean of m_z in the four cells around the point; its sign is the polarity.
    """

    x: float
    y: float
    winding: int
    circulation: int
    m_z: float

    def __str__(self) -> str:
        turn = {1: "counterclockwise ", -1: "clockwise ", 0: "radial "}[self.circulation]
        kind = f"{turn}vortex" if self.winding > 0 else "antivortex"
        up = "up" if self.m_z > 0 else "down"
        return (
            f"{kind} with its core {up} (m_z = {self.m_z:.2f}) at (x, y) = "
            f"({_rounded(self.x * 1e9)}, {_rounded(self.y * 1e9)}) nm"
        )


class VortexCore(Analysis):
    r"""Cores of vortices and antivortices in the last snapshot, averaged over the thickness.

    Around every corner of four filled cells the angle phi of the in-plane magnetization is followed:

    .. math:: n = \frac{1}{2\pi} \sum_{i=1}^{4} (\phi_{i+1} - \phi_i), \qquad
              -\pi < \phi_{i+1} - \phi_i \le \pi

    n = 1 is a vortex, n = -1 an antivortex; between the four cells the place is where the
    bilinear interpolation of (m_x, m_y) is zero. The core's polarity p gives the texture its
    topological charge n p / 2.

    It has no parameters: ``vortex_core: {}``.

    Source: O. A. Tretiakov and O. Tchernyshyov, Phys. Rev. B 75, 012408 (2007).
    """

    def report(self, run: RunFile) -> str:
        """Return what there is; raises AnalysisError when the snapshots do not hold m."""
        if "m" not in run.quantities or not len(run):
            raise AnalysisError(
                "the file has no snapshot of m",
                where="analysis.vortex_core",
                next_step="add m to output.snapshots.quantities",
            )
        cores = find_cores(run.m(-1), run.mesh)
        if not cores:
            return "There is no vortex at the end."
        if len(cores) == 1:
            return f"At the end there is a {cores[0]}."
        told = "; ".join(f"a {core}" for core in cores[:_MOST_TOLD])
        more = f"; and {len(cores) - _MOST_TOLD} more" if len(cores) > _MOST_TOLD else ""
        return f"At the end there are {len(cores)} cores: {told}{more}."


def find_cores(m: NDArray[Any], mesh: Mesh) -> list[Core]:
    """Return the cores in a magnetization of shape (3, nz, ny, nx), strongest m_z first."""
    filled = (m**2).sum(axis=0) > 0.25
    weight = np.maximum(filled.sum(axis=0), 1)
    mean = m.astype(np.float64).sum(axis=1) / weight
    mx, my = (_corners(component) for component in mean[:2])
    usable = np.stack(_corners(filled.any(axis=0) & (np.hypot(*mean[:2]) > _LEAST_IN_PLANE)))
    angle = np.arctan2(my, mx)
    steps = (np.roll(angle, -1, axis=0) - angle + np.pi) % (2 * np.pi) - np.pi
    winding = np.rint(steps.sum(axis=0) / (2 * np.pi)) * usable.all(axis=0)
    centres = (mesh.centres(0), mesh.centres(1))
    cores = [
        _core(mean[:, j : j + 2, i : i + 2], int(winding[j, i]), (i, j), centres)
        for j, i in np.argwhere(winding)
    ]
    return sorted(cores, key=lambda core: -abs(core.m_z))


def _corners(a: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the values of the four cells around each inner corner, counterclockwise."""
    return a[:-1, :-1], a[:-1, 1:], a[1:, 1:], a[1:, :-1]


def _core(
    m: NDArray[np.float64],
    winding: int,
    corner: tuple[int, int],
    centres: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Core:
    """Return the core between four cells; ``m`` has the shape (3, 2, 2), axes component, y, x."""
    u, v = _zero(m[:2])
    (i, j), (xs, ys) = corner, centres
    x = xs[i] + u * (xs[i + 1] - xs[i])
    y = ys[j] + v * (ys[j + 1] - ys[j])
    dx, dy = xs[i : i + 2] - x, ys[j : j + 2, None] - y
    around, outwards = (dx * m[1] - dy * m[0]).sum(), (dx * m[0] + dy * m[1]).sum()
    turning = winding > 0 and abs(around) > abs(outwards)
    return Core(
        float(x), float(y), winding, int(np.sign(around)) if turning else 0, float(m[2].mean())
    )


def _zero(m: NDArray[np.float64]) -> tuple[float, float]:
    """Return where in the unit square the bilinear interpolation of (m_x, m_y) vanishes."""
    u = v = 0.5
    for _ in range(20):
        left, right = (1 - v) * m[:, 0, 0] + v * m[:, 1, 0], (1 - v) * m[:, 0, 1] + v * m[:, 1, 1]
        low, high = (1 - u) * m[:, 0, 0] + u * m[:, 0, 1], (1 - u) * m[:, 1, 0] + u * m[:, 1, 1]
        value = (1 - u) * left + u * right
        jacobian = np.stack([right - left, high - low], axis=1)
        if abs(np.linalg.det(jacobian)) < 1e-12:
            break
        du, dv = np.linalg.solve(jacobian, -value)
        u, v = float(np.clip(u + du, 0, 1)), float(np.clip(v + dv, 0, 1))
    return u, v


def _rounded(value: float) -> str:
    """Return a number to two decimals, without the sign of a zero."""
    return f"{round(value, 2) + 0.0:.2f}"
