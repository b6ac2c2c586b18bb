"""The charge current in a conductor of any shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micromag.errors import ConfigError, NumericalError
from micromag.mesh import AXES, Mesh

FloatArray = NDArray[np.float64]
Transform = Callable[..., NDArray[Any]]

TOLERANCE = 1e-9
"""Of the residual of the potential, relative to what the terminals drive."""
MOST_ITERATIONS = 2000


@dataclass(frozen=True)
class Current:
    """A charge current [A/m^2].

    Attributes
    ----------
    centre
        In the middle of every cell, shape ``(3, nz, ny, nx)``.
    lower, upper
        Through the lower and upper faces of every cell along x, y, z.
    """

    centre: FloatArray
    lower: FloatArray
    upper: FloatArray

    def times(self, factor: float) -> Current:
        """Return the current multiplied by a factor."""
        return Current(factor * self.centre, factor * self.lower, factor * self.upper)


def beyond(values: FloatArray, axis: int, side: int, mesh: Mesh) -> FloatArray:
    """Return what lies beside every cell along an axis (0, 1, 2) at the side 1 or -1, 0 beyond an end.

    Array axes end with ``(nz, ny, nx)``.
    """
    number = values.ndim - 1 - axis
    there = np.roll(values, -side, number)
    if not mesh.periodic[axis]:
        end: list[Any] = [slice(None)] * values.ndim
        end[number] = -1 if side == 1 else 0
        there[tuple(end)] = 0
    return there


def given_current(J: FloatArray, sigma: FloatArray, mesh: Mesh) -> Current:
    """Return the current that is given in every cell, shape ``(3, nz, ny, nx)``, and 0 in insulators.

    Through a face flows the mean of both cells; at a surface the current goes on as it is.
    """
    conducts = (sigma > 0).astype(np.float64)
    J = J * conducts
    faces = []
    for side in (-1, 1):
        through = np.empty_like(J)
        for axis in range(3):
            there = beyond(conducts, axis, side, mesh) > 0
            other = beyond(J[axis], axis, side, mesh)
            through[axis] = np.where(there, (J[axis] + other) / 2, J[axis]) * conducts
        faces.append(through)
    return Current(J, *faces)


def charge_current(
    sigma: FloatArray, axis: int, mesh: Mesh, counted: NDArray[np.bool_] | None = None
) -> Current:
    r"""Return the current that a voltage between the ends of the mesh drives.

    .. math:: \nabla \cdot (\sigma \nabla \varphi) = 0, \qquad J = -\sigma \nabla \varphi

    with the potential given on both end faces of the mesh along the axis, and no current through all
    other surfaces of the conductor; on a periodic axis the mean field is given instead. Finite volumes,
    with both cells beside a face in series, so that what flows into a cell flows out of it.

    Parameters
    ----------
    sigma
        Conductivity of every cell [S/m], 0 in insulators, shape ``(nz, ny, nx)``.
    axis
        0, 1, 2: from one end to the other.
    mesh
        The mesh.
    counted
        Cells whose current density is scaled to a mean of 1 in the first cross-section along the axis;
        all that conduct by default.

    Returns
    -------
    Current
        Per unit of the mean current density.

    Raises
    ------
    ConfigError
        No current can flow: nothing conducts from end to end, or nothing in the cells counted.
    NumericalError
        The potential was not found.
    """
    along = 2 - axis
    conducts = sigma > 0
    first = np.take(conducts if counted is None else conducts & counted, 0, axis=along)
    if not first.any():
        where = "the region whose current is given" if counted is not None else "the conductor"
        raise ConfigError(
            f"{where} does not reach the lower end of the mesh along {AXES[axis]}, where the current "
            "comes in",
            where="torques.transport",
            next_step="let it reach both ends, or give J by region",
        )
    if (sigma == np.take(sigma, [0], axis=along)).all():
        flow = _straight(sigma, axis)
    else:
        flow = _Conductor(sigma, axis, mesh).current()
    mean = float(np.take(flow.lower[axis], 0, axis=along)[first].mean())
    if abs(mean) < 1e-9 * float(sigma.max()):
        raise ConfigError(
            f"no current flows along {AXES[axis]}: nothing conducts from one end of the mesh to the other",
            where="torques.transport",
            next_step="check conductivity and geometry, or give J by region",
        )
    return flow.times(1 / mean)


def _straight(sigma: FloatArray, axis: int) -> Current:
    """Return the current of a unit field in what is the same all along the axis."""
    J = np.zeros((3, *sigma.shape))
    J[axis] = sigma
    return Current(J, J, J)


class _Conductor:
    """The finite volumes of a conductor between two terminals."""

    def __init__(self, sigma: FloatArray, axis: int, mesh: Mesh) -> None:
        self.sigma, self.axis, self.mesh = sigma, axis, mesh
        self.conducts = sigma > 0
        # Conductance of the face to the next cell and to the terminals, over the cell's volume.
        self.upper = np.zeros((3, *sigma.shape))
        for number, d in enumerate(mesh.cell_size):
            there = beyond(sigma, number, 1, mesh)
            total = sigma + there
            mean = np.divide(2 * sigma * there, total, out=np.zeros_like(sigma), where=total > 0)
            self.upper[number] = mean / d**2
        self.lower = np.stack([np.roll(g, 1, 2 - i) for i, g in enumerate(self.upper)])
        self.ends = np.zeros_like(sigma)  # to the terminal at the lower end, and at the upper end
        self.length = mesh.cell_size[axis] * mesh.cells[axis]
        self.source = np.zeros_like(sigma)
        d = mesh.cell_size[axis]
        if mesh.periodic[axis]:
            self.source = (self.lower[axis] - self.upper[axis]) * d
        else:
            low, high = _end(axis, 0), _end(axis, -1)
            self.ends[low] += 2 * sigma[low] / d**2
            self.ends[high] += 2 * sigma[high] / d**2
            self.source[low] += 2 * sigma[low] / d**2 * self.length
        self.diagonal = self.upper.sum(axis=0) + self.lower.sum(axis=0) + self.ends
        self.inverse_laplacian = _Laplacian(mesh, axis, float(sigma[self.conducts].mean()))

    def current(self) -> Current:
        """Return the current of a mean field of 1 along the axis."""
        from scipy.sparse.linalg import LinearOperator, cg

        count = int(self.conducts.sum())
        matrix = LinearOperator((count, count), matvec=self._apply)
        estimate = LinearOperator((count, count), matvec=self._estimate)
        right = self.source[self.conducts]
        found, info = cg(matrix, right, rtol=TOLERANCE, maxiter=MOST_ITERATIONS, M=estimate)
        if info:
            raise NumericalError(
                f"the potential of the charge current was not found in {MOST_ITERATIONS} iterations",
                where="torques.transport",
                next_step="give J by region; very different conductivities make it slow",
            )
        return self._flow(self._spread(found))

    def _spread(self, values: FloatArray) -> FloatArray:
        box = np.zeros_like(self.sigma)
        box[self.conducts] = values
        return box

    def _apply(self, values: FloatArray) -> FloatArray:
        phi = self._spread(np.asarray(values).ravel())
        out = self.diagonal * phi
        for i in range(3):
            out -= self.upper[i] * np.roll(phi, -1, 2 - i) + self.lower[i] * np.roll(phi, 1, 2 - i)
        return out[self.conducts]

    def _estimate(self, values: FloatArray) -> FloatArray:
        return self.inverse_laplacian(self._spread(np.asarray(values).ravel()))[self.conducts]

    def _flow(self, phi: FloatArray) -> Current:
        """Return -sigma grad phi on all faces, with the mean field on a periodic axis."""
        upper, lower = np.zeros_like(self.upper), np.zeros_like(self.upper)
        for i, d in enumerate(self.mesh.cell_size):
            drop = phi - np.roll(phi, -1, 2 - i)
            if i == self.axis and self.mesh.periodic[i]:
                drop = drop + d
            upper[i] = self.upper[i] * d * drop
            lower[i] = np.roll(upper[i], 1, 2 - i)
        if not self.mesh.periodic[self.axis]:
            d = self.mesh.cell_size[self.axis]
            low, high = _end(self.axis, 0), _end(self.axis, -1)
            lower[self.axis][low] = 2 * self.sigma[low] / d * (self.length - phi[low])
            upper[self.axis][high] = 2 * self.sigma[high] / d * phi[high]
        return Current((lower + upper) / 2, lower, upper)


def _end(axis: int, position: int) -> tuple[Any, ...]:
    index: list[Any] = [slice(None)] * 3
    index[2 - axis] = position
    return tuple(index)


class _Laplacian:
    """The inverse of the operator of a box that conducts everywhere alike, by transforms."""

    def __init__(self, mesh: Mesh, axis: int, sigma: float) -> None:
        from scipy.fft import dct, dst, fft, idct, idst, ifft  # here, so that nothing light waits

        settings = {"type": 2, "norm": "ortho"}
        sine, back_sine = partial(dst, **settings), partial(idst, **settings)
        cosine, back_cosine = partial(dct, **settings), partial(idct, **settings)
        self._pairs: list[tuple[int, tuple[Transform, Transform]]] = []
        total = np.zeros(mesh.shape)
        for i, (n, d, images) in enumerate(
            zip(mesh.cells, mesh.cell_size, mesh.periodic, strict=True)
        ):
            if images:
                k, pair = 2 * np.pi * np.arange(n) / n, (fft, ifft)
            elif i == axis:
                k, pair = np.pi * np.arange(1, n + 1) / n, (sine, back_sine)
            else:
                k, pair = np.pi * np.arange(n) / n, (cosine, back_cosine)
            shape = [1, 1, 1]
            shape[2 - i] = n
            total = total + (sigma * (2 - 2 * np.cos(k)) / d**2).reshape(shape)
            self._pairs.append((2 - i, pair))
        # The constant, which a box without terminals leaves free, is left as it is.
        total[total == 0] = total.max() or 1.0
        self._eigenvalues = total

    def __call__(self, values: FloatArray) -> FloatArray:
        out: NDArray[Any] = values
        for axis, (forward, _) in self._pairs:
            out = forward(out, axis=axis)
        out = out / self._eigenvalues
        for axis, (_, backward) in reversed(self._pairs):
            out = backward(out, axis=axis)
        return np.ascontiguousarray(out.real)
