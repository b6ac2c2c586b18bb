"""What the equation of spin diffusion needs of every cell and face, in the units of the kernels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micromag.constants import E_CHARGE, MU_B
from micromag.mesh import Mesh
from micromag.transport.charge_current import Current, FloatArray, beyond

if TYPE_CHECKING:
    from micromag.transport.interface import Interface

LENGTH = 1e-9
"""Unit of lengths [m]."""
SIGMA_0 = 1e6
"""Unit of conductivities [S/m]."""
J_0 = 1e12
"""Unit of current densities [A/m^2]."""
POTENTIAL = 2 * LENGTH * J_0 / SIGMA_0
"""Unit of the spin potential V = mu_s/e [V]: (sigma/2) V is a multiple of J_0 LENGTH."""
TORQUE = MU_B * J_0 / (E_CHARGE * LENGTH)
"""Unit of torques per volume [A/(m s)]."""
PER_LENGTH = 5
"""Sub-cells per length over which the spin accumulation decays: its error is below half a percent."""
LEAST_ITERATIONS, MOST_ITERATIONS = 20, 1000
PER_CELL_LENGTH = 10
"""Iterations per cell of the spin diffusion length, at most: an error then falls ten thousandfold."""
CONTINUOUS_PLANES = 26
MIXING_PLANES = 42


@dataclass(frozen=True)
class Materials:
    """Transport data of every cell of one replica in SI units, each of the shape ``(nz, ny, nx)``.

    Attributes
    ----------
    sigma
        Conductivity [S/m], 0 outside the conductors.
    magnetic
        Cells with a moment.
    P, theta_sh
        Polarisation and spin Hall angle.
    lambda_sf
        Spin diffusion length [m].
    per_J2, per_phi2
        1/lambda_J^2 with the sign of J_sd, and 1/lambda_phi^2 [1/m^2]; 0 outside magnets.
    """

    sigma: FloatArray
    magnetic: NDArray[np.bool_]
    P: FloatArray
    theta_sh: FloatArray
    lambda_sf: FloatArray
    per_J2: FloatArray
    per_phi2: FloatArray

    def decay_lengths(self) -> FloatArray:
        r"""Return the shortest length over which the spin accumulation decays [m], inf in insulators.

        .. math:: 1/\mathrm{Re} \sqrt{\lambda_{sf}^{-2} + \lambda_\phi^{-2} - i \lambda_J^{-2}}

        across m in magnets, lambda_sf in metals.
        """
        k = np.sqrt(self.lambda_sf**-2.0 + self.per_phi2 - 1j * self.per_J2).real
        return np.where(self.sigma > 0, 1 / k, np.inf)


@dataclass(frozen=True)
class Layers:
    """How the layers of the mesh are divided into sub-cells along z.

    Attributes
    ----------
    counts
        Number of sub-cells of every layer of the mesh.
    mesh
        The mesh.
    """

    counts: tuple[int, ...]
    mesh: Mesh

    @property
    def count(self) -> int:
        """Number of layers of sub-cells."""
        return sum(self.counts)

    @property
    def parent(self) -> NDArray[np.int32]:
        """Layer of the mesh of every layer of sub-cells."""
        return np.repeat(np.arange(len(self.counts)), self.counts).astype(np.int32)

    @property
    def first(self) -> NDArray[np.int32]:
        """First layer of sub-cells of every layer of the mesh, and the number of all."""
        return np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int32)

    @property
    def widths(self) -> FloatArray:
        """Thickness of the sub-cells of every layer of the mesh [m]."""
        return self.mesh.cell_size[2] / np.array(self.counts)

    def columns(self) -> FloatArray:
        """Return the columns ``LayerColumn`` of ``kernels/conductor.h``, shape ``(layer, column)``."""
        rows = [
            (width / LENGTH, i / n, (i + 1) / n)
            for n, width in zip(self.counts, self.widths, strict=True)
            for i in range(n)
        ]
        return np.array(rows)


def layers_of(materials: Sequence[Materials], mesh: Mesh, sub_cells: int | None) -> Layers:
    """Return the division of the layers that resolves the decay of the spin accumulation along z.

    Parameters
    ----------
    materials
        Of the replicas.
    mesh
        The mesh.
    sub_cells
        Number in every layer; by default as many as `PER_LENGTH` asks for. A single layer without
        spin Hall effect has one: nothing varies along z.
    """
    nz = mesh.cells[2]
    if sub_cells is not None:
        return Layers((sub_cells,) * nz, mesh)
    counts = np.ones(nz, np.int64)
    for one in materials:
        conducts = (one.sigma > 0).any(axis=(1, 2))
        if conducts.sum() > 1 or one.theta_sh.any():
            least = one.decay_lengths().min(axis=(1, 2))
            needed = np.ceil(PER_LENGTH * mesh.cell_size[2] / least - 1e-9)
            counts = np.maximum(counts, np.where(conducts, needed, 1).astype(np.int64))
    return Layers(tuple(map(int, counts)), mesh)


def iterations(materials: Materials, mesh: Mesh) -> int:
    """Return how many iterations a solution may take that starts from the one of the stage before.

    Spins diffuse over so many cells of the plane before they flip, and an iteration carries them on by
    two; along z every iteration solves the equation.
    """
    edges = [d for d, n in zip(mesh.cell_size[:2], mesh.cells[:2], strict=True) if n > 1]
    lengths = materials.lambda_sf[materials.sigma > 0]
    if not edges or not lengths.size:
        return LEAST_ITERATIONS
    wanted = math.ceil(PER_CELL_LENGTH * lengths.max() / min(edges))
    return min(max(wanted, LEAST_ITERATIONS), MOST_ITERATIONS)


def links(sigma: FloatArray, layers: Layers) -> FloatArray:
    """Return the flux of moments per difference of the potential V between neighbours [S/m^2].

    To the next (sub-)cell along x, y, z; shape ``(3, nz, ny, nx)``; 0 where one of both insulates.
    """
    mesh = layers.mesh
    dx, dy, _ = mesh.cell_size
    dz = np.broadcast_to(layers.widths[:, None, None], sigma.shape)
    found = np.zeros((3, *sigma.shape))
    for axis, d in enumerate((np.full(sigma.shape, dx), np.full(sigma.shape, dy), dz)):
        there, beside = beyond(sigma, axis, 1, mesh), beyond(d, axis, 1, mesh)
        resistance = d * there + beside * sigma
        found[axis] = np.divide(
            sigma * there, resistance, out=np.zeros_like(sigma), where=resistance > 0
        )
    return found


def mixing(
    magnetic: NDArray[np.bool_],
    sigma: FloatArray,
    interface: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.complex128]],
    region: NDArray[Any],
    mesh: Mesh,
) -> NDArray[np.complex128]:
    """Return the spin-mixing conductance to the next cell along x, y, z [S/m^2].

    Shape ``(3, nz, ny, nx)``; 0 but between a magnet and a metal that conducts. ``interface`` tells it
    from the numbers of two regions.
    """
    metal = (sigma > 0) & ~magnetic
    found = np.zeros((3, *sigma.shape), complex)
    for axis in range(3):
        magnet_there = beyond(magnetic.astype(float), axis, 1, mesh) > 0
        metal_there = beyond(metal.astype(float), axis, 1, mesh) > 0
        face = (magnetic & metal_there) | (metal & magnet_there)
        there = np.roll(region, -1, 2 - axis)
        found[axis] = np.where(face, interface(region, there), 0)
    return found


def interface_between(
    interfaces: dict[str, Interface], names: Sequence[str]
) -> Callable[[NDArray[Any], NDArray[Any]], NDArray[np.complex128]]:
    """Return what tells the conductance between two regions [S/m^2] from their numbers.

    ``interfaces`` has keys ``default`` and ``a:b``, as in the run file.
    """
    default = interfaces.get("default")
    table = np.full((len(names),) * 2, 0 if default is None else default.G, complex)
    numbers = {name: i for i, name in enumerate(names)}
    for key, one in interfaces.items():
        if key != "default":
            a, b = (numbers[name.strip()] for name in key.split(":"))
            table[a, b] = table[b, a] = one.G
    return lambda here, there: table[here, there]


def planes(
    materials: Materials,
    current: Current,
    layers: Layers,
    conductance: NDArray[np.complex128] | None = None,
) -> FloatArray:
    """Return the planes of ``ConductorPlane`` in ``kernels/conductor.h``, shape ``(plane, nz, ny, nx)``.

    Parameters
    ----------
    materials, current, layers
        What conducts, and how.
    conductance
        What `mixing` returned; None makes the planes of a stack without mixing faces.
    """
    sigma = materials.sigma / SIGMA_0
    flip = np.divide(LENGTH**2, materials.lambda_sf**2, where=sigma > 0, out=np.zeros_like(sigma))
    hall = materials.theta_sh * current.centre / J_0
    parts = [
        sigma[None],
        (sigma * flip)[None],
        (sigma * materials.per_J2 * LENGTH**2)[None],
        (sigma * materials.per_phi2 * LENGTH**2)[None],
        # The kernels' flux is sigma grad W, that of V is (sigma/2) grad V.
        2 * links(materials.sigma, layers) * LENGTH / SIGMA_0,
        *_sources(materials, current, layers, hall),
    ]
    if conductance is not None:
        unit = 2 * LENGTH / SIGMA_0
        parts += [
            materials.P[None],
            hall,
            current.lower / J_0,
            current.upper / J_0,
            conductance.real * unit,
            conductance.imag * unit,
        ]
    found = np.concatenate(parts)
    assert len(found) == (CONTINUOUS_PLANES if conductance is None else MIXING_PLANES)
    return found


def _sources(
    materials: Materials, current: Current, layers: Layers, hall: FloatArray
) -> list[FloatArray]:
    """Return the planes of what flows without a spin potential: drift, and spin Hall currents.

    The flux is the same on both sides of a face, so that of the two cells' own sources the one in the
    larger resistance counts more. At a surface the drift goes on and the spin Hall current ends.
    """
    mesh, sigma, P = layers.mesh, materials.sigma, materials.P
    lower, upper = current.lower / J_0, current.upper / J_0
    thickness = np.broadcast_to(layers.widths[:, None, None], sigma.shape)
    own = np.zeros_like(sigma)
    sides, sideways = [], np.zeros((3, *sigma.shape))
    for axis in range(3):
        d = thickness if axis == 2 else np.full(sigma.shape, mesh.cell_size[axis])
        there, beside = beyond(sigma, axis, 1, mesh), beyond(d, axis, 1, mesh)
        linked = sigma * there > 0
        total = d * there + beside * sigma
        share = np.where(
            linked, np.divide(d * there, total, where=total > 0, out=np.ones_like(d)), 1
        )
        rest = 1 - share
        up_own = -upper[axis] * share * P
        up_next = -upper[axis] * rest * beyond(P, axis, 1, mesh)
        normal = np.eye(3)[axis]
        mine, others = _across(hall, normal), _across(beyond(hall, axis, 1, mesh), normal)
        up_hall = np.where(linked, share * mine + rest * others, 0)
        bottom = np.where(beyond(sigma, axis, -1, mesh) * sigma > 0, 0, -lower[axis] * P)
        if axis == 2:
            inner = np.stack([-lower[2] * P, -upper[2] * P])
            above = [up_own[None], up_next[None], up_hall, bottom[None], inner, mine]
            break
        width = mesh.cell_size[axis] / LENGTH
        below_own, below_next = (beyond(part, axis, -1, mesh) for part in (up_own, up_next))
        own += (bottom + below_next - up_own) / width
        sides += [below_own[None] / width, -up_next[None] / width]
        sideways += (beyond(up_hall, axis, -1, mesh) - up_hall) / width
    return [own[None], *sides, sideways, *above]


def _across(vectors: FloatArray, normal: FloatArray) -> FloatArray:
    """Return the vector products with a normal, shape ``(3, nz, ny, nx)``."""
    return np.cross(vectors, normal, axisb=0, axisa=0, axisc=0)


def uniform_gradient(
    lambda_sf: float, per_J2: float, per_phi2: float, width: float = math.inf
) -> tuple[float, float]:
    r"""Return f and beta of the torque on a wall, with m = m(x) and everything else the same everywhere.

    .. math::

        T_M = \frac{\mu_B P J}{e} f \left(\frac{dm}{dx} - \beta\, m \times \frac{dm}{dx}\right), \quad
        f = \frac{j^2/q + \lambda_\phi^{-2}}{p + j^2/q}, \quad
        \beta = \frac{j (q - \lambda_\phi^{-2})}{j^2 + q \lambda_\phi^{-2}}

    with j = 1/lambda_J^2, signed as J_sd, and the rates p and q at which spins along dm/dx and along
    m x dm/dx decay,

    .. math::

        p = \lambda_{sf}^{-2} + \lambda_\phi^{-2} + \Delta^{-2}, \quad
        q = \lambda_{sf}^{-2} + \lambda_\phi^{-2} + \tfrac{1}{3} \Delta^{-2} .

    Without the width Delta it is the limit where m changes slowly against every length. The wall's
    parts are what diffusion does to spins that follow the slope theta' = 1/(Delta cosh(x/Delta)) of a
    rigid wall, by the mean of theta''^2, and of theta''^2 + theta'^4, over that of theta'^2. They hold as
    long as spins turn within the wall, lambda_J or lambda_phi below Delta.

    Parameters
    ----------
    lambda_sf
        Spin diffusion length [m].
    per_J2, per_phi2
        1/lambda_J^2 with the sign of J_sd, and 1/lambda_phi^2 [1/m^2].
    width
        Wall parameter Delta [m].

    Source: S. Zhang and Z. Li, Phys. Rev. Lett. 93, 127204 (2004), extended by dephasing; C. A. Akosa et
    al., Phys. Rev. B 91, 094411 (2015), for the diffusion out of walls.
    """
    flip = lambda_sf**-2
    p, q = flip + per_phi2 + width**-2, flip + per_phi2 + width**-2 / 3
    denominator = per_J2**2 + q * per_phi2
    if math.isclose(denominator, 0.0, abs_tol=1e-300):
        return 0.0, 0.0
    return denominator / (p * q + per_J2**2), per_J2 * (q - per_phi2) / denominator
