"""The drift-diffusion equation of the spin potential V, cell by cell, solved by a sparse factorisation.

In units of charge the flux of moment k through a face with the normal n is
j_k = -P J_n m_k - (sigma/2) dV_k/dn + theta (J x n)_k, and
div j + (sigma/2) [V/lsf^2 + V x m/lJ^2 + m x (V x m)/lphi^2] = 0. S = mu_B sigma V/(2 e D_e).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import spsolve

E, MU_B, HBAR = 1.602176634e-19, 9.2740100783e-24, 1.054571817646e-34

POLAR = ("J",)


def spin(m):
    """Return the matrix of X -> m x X."""
    return np.array([[0, -m[2], m[1]], [m[2], 0, -m[0]], [-m[1], m[0], 0]])


@dataclass
class Stack:
    """Everything that the equation needs, over the cells (z, y, x); moments 0 outside magnets.

    ``sub`` is the number of sub-cells of every layer; ``Gr`` and ``Gi`` are the conductances between
    every magnet and every metal, None where the potential is continuous.
    """

    m: np.ndarray
    J: np.ndarray
    sigma: np.ndarray
    P: np.ndarray
    theta: np.ndarray
    lsf: np.ndarray
    per_lJ2: np.ndarray
    per_lphi2: np.ndarray
    cell_size: tuple[float, float, float]
    periodic: tuple[int, int, int] = (0, 0, 0)
    sub: tuple[int, ...] = (1,)
    G: complex | None = None
    rows: list = field(default_factory=list)

    def solve(self):
        """Return V of every sub-cell (3, layers, ny, nx) and the torque density T_M (3, nz, ny, nx)."""
        nz, ny, nx = self.sigma.shape
        parent = np.repeat(np.arange(nz), self.sub)
        h = np.repeat(self.cell_size[2] / np.array(self.sub), self.sub)
        layers = len(parent)
        number = np.arange(layers * ny * nx).reshape(layers, ny, nx)
        self.blocks, self.right = [], np.zeros((number.size, 3))
        absorbed = np.zeros((3, nz, ny, nx))
        self.pending = []
        eye = np.eye(3)
        for z, y, x in np.ndindex(layers, ny, nx):
            at, i = (parent[z], y, x), number[z, y, x]
            if self.sigma[at] == 0:
                self._add(i, i, eye)
                continue
            m = self.m[(slice(None), *at)]
            S = spin(m)
            reaction = eye / self.lsf[at] ** 2 - self.per_lJ2[at] * S
            reaction -= self.per_lphi2[at] * S @ S
            self._add(i, i, self.sigma[at] / 2 * reaction)
            for axis, n in enumerate((nx, ny, layers)):
                self._faces(number, parent, h, (z, y, x), axis, n)
        rows, columns, values = (np.array(part).ravel() for part in zip(*self.blocks, strict=True))
        matrix = csr_matrix((values, (rows, columns)), shape=(3 * number.size, 3 * number.size))
        V = spsolve(matrix.tocsc(), self.right.ravel()).reshape(layers, ny, nx, 3)
        V = np.moveaxis(V, -1, 0)
        torque = np.zeros((3, nz, ny, nx))
        for z in range(layers):
            k, share = parent[z], h[z] / self.cell_size[2]
            m, here = self.m[:, k], V[:, z]
            across = np.cross(m, here, axis=0)
            bulk = -self.per_lJ2[k] * across - self.per_lphi2[k] * np.cross(m, across, axis=0)
            torque[:, k] += share * self.sigma[k] / 2 * bulk
        for target, i, flux, source, share in self.pending:
            absorbed[(slice(None), *target)] += share * (flux @ V.reshape(3, -1)[:, i] + source)
        return V, MU_B / E * (torque + absorbed)

    def _add(self, i, j, block):
        for a in range(3):
            for b in range(3):
                self.blocks.append((3 * i + a, 3 * j + b, block[a, b]))

    def _faces(self, number, parent, h, place, axis, n):
        """Add the face on the upper side of a cell, and at a surface the one on its lower side."""
        normal = np.eye(3)[axis]
        others = []
        for side in (-1, 1):
            other = list(place)
            other[2 - axis] += side
            is_open = self.periodic[axis] or 0 <= other[2 - axis] < n
            other[2 - axis] %= n
            b = (parent[other[0]], other[1], other[2])
            others.append((other, b))
            if not is_open:
                self._end(number, parent, h, place, axis, side * normal)
            elif self.sigma[b] == 0:
                self._insulator(number, parent, h, place, b, axis, side * normal)
        (other, b), a = others[1], (parent[place[0]], *place[1:])
        if self.sigma[b] == 0 or (place[2 - axis] == n - 1 and not self.periodic[axis]):
            return
        z = place[0]
        ha = h[z] if axis == 2 else self.cell_size[axis]
        hb = h[other[0]] if axis == 2 else self.cell_size[axis]
        i, j = number[place], number[tuple(other)]
        ma, mb = self.m[(slice(None), *a)], self.m[(slice(None), *b)]
        ra, rb = ha / self.sigma[a], hb / self.sigma[b]
        current = (self.J[axis][a] + self.J[axis][b]) / 2
        if a == b:  # within a layer of the mesh the current along z changes linearly
            first = int(np.flatnonzero(parent == a[0])[0])
            low, high = (self._through(a, side) for side in (-1, 1))
            current = low + (z + 1 - first) / self.sub[a[0]] * (high - low)
        sources = [
            -self.P[c] * current * m + self.theta[c] * np.cross(self.J[(slice(None), *c)], normal)
            for c, m in ((a, ma), (b, mb))
        ]
        source = (ra * sources[0] + rb * sources[1]) / (ra + rb)
        into = np.eye(3) / (ra + rb)
        if self.G is not None and ma.any() != mb.any():
            self._interface((i, j), (a, b), (ma, mb), (ra, rb), (ha, hb), sources, axis)
            m = ma if ma.any() else mb
            along = np.outer(m, m)
            into, source = along @ into, along @ source
        self._add(i, i, into / ha)
        self._add(i, j, -into / ha)
        self._add(j, j, into / hb)
        self._add(j, i, -into / hb)
        self.right[i] -= source / ha
        self.right[j] += source / hb

    def _through(self, a, side):
        """Return the current along z through the lower (-1) or upper (1) face of a cell."""
        other, nz = a[0] + side, len(self.sub)
        if not self.periodic[2] and not 0 <= other < nz:
            return self.J[2][a]
        b = (other % nz, *a[1:])
        return self.J[2][a] if self.sigma[b] == 0 else (self.J[2][a] + self.J[2][b]) / 2

    def _insulator(self, number, parent, h, place, b, axis, normal):
        """Add the face towards an insulator, which may be a magnet that takes up spins."""
        a, size = (parent[place[0]], *place[1:]), self.cell_size[axis]
        size = h[place[0]] if axis == 2 else size
        ma, mb = self.m[(slice(None), *a)], self.m[(slice(None), *b)]
        if self.G is None or ma.any() or not mb.any():
            self._end(number, parent, h, place, axis, normal)
            return
        hall = self.theta[a] * np.cross(self.J[(slice(None), *a)], normal)
        pair = ((number[place], None), (a, b), (ma, mb), (size / self.sigma[a], None))
        self._interface(*pair, (size, None), (hall, None), axis)

    def _interface(self, numbers, cells, moments, r, sizes, sources, axis):
        """Add what the magnet takes up across m: (Gr - Gi m x) V at the metal's surface."""
        metal = 0 if moments[1].any() else 1
        magnet = 1 - metal
        m = moments[magnet]
        S = spin(m)
        across = -S @ S
        G = self.G.real * across - self.G.imag * S
        # Flux g (V - V_face) + source = G V_face, with the source counted into the magnet.
        g = np.eye(3) / r[metal]
        outward = 1 if metal == 0 else -1
        take = G @ np.linalg.inv(g + G)
        flux, source = take @ g @ across, take @ (outward * across @ sources[metal])
        i = numbers[metal]
        self._add(i, i, flux / sizes[metal])
        self.right[i] -= source / sizes[metal]
        target = cells[magnet]
        depth = self.cell_size[axis]
        share = 1.0 if axis == 2 else 1 / self.sub[target[0]]
        self.pending.append((target, i, flux, source, share / depth))

    def _end(self, number, parent, h, place, axis, normal):
        """Add the drift through the surface of a conductor: the current goes on as it is."""
        z, y, x = place
        at, i = (parent[z], y, x), number[place]
        size = h[z] if axis == 2 else self.cell_size[axis]
        current = self.J[axis][at] * normal[axis]
        self.right[i] += self.P[at] * current * self.m[(slice(None), *at)] / size


def torque(m, p, magnet):
    """Return T [1/s]; the magnet is all that conducts."""
    inside = magnet.Ms > 0

    def given(x, otherwise):
        return np.broadcast_to(otherwise if x is None else x, inside.shape)

    per_lJ2 = given(None, 0.0)
    if p.lambda_J is not None:
        per_lJ2 = given(np.sign(p.lambda_J) / np.square(p.lambda_J), 0.0)
    if p.J_sd is not None:
        per_lJ2 = given(p.J_sd / (HBAR * p.D_e), 0.0)
    per_lphi2 = 0.0 if p.lambda_phi is None else 1 / np.square(p.lambda_phi)
    stack = Stack(
        m=m * inside,
        J=np.broadcast_to(p.J, m.shape),
        sigma=given(p.conductivity, 0.0) * inside,
        P=given(p.P, 0.0),
        theta=given(p.theta_sh, 0.0),
        lsf=given(p.lambda_sf, 1.0),
        per_lJ2=per_lJ2,
        per_lphi2=given(per_lphi2, 0.0),
        cell_size=magnet.cell_size,
        periodic=magnet.periodic,
        sub=(p.sub_cells,) * len(inside),
    )
    return stack.solve()[1] * magnet.inverse_Ms()
