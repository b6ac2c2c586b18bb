"""An independent random direction in every cell."""

from __future__ import annotations

import math

import numpy as np

from micromag.initial.base import Field, InitialState, assemble
from micromag.mesh import Mesh


class Random(InitialState):
    r"""An independent direction in every cell, uniform on the sphere.

    :math:`m_z = 1 - 2u`, :math:`\phi = 2\pi v` with u, v uniform in [0, 1) (Archimedes' theorem that
    equal heights of a sphere have equal areas; G. Marsaglia, Ann. Math. Stat. 43, 645 (1972)). The
    numbers come from the raw 64-bit words of the generator, two words per cell with x fastest, so a
    seed gives the same state whatever the version of NumPy makes of its distributions.
    """

    def magnetization(self, mesh: Mesh, rng: np.random.Generator) -> Field:
        """Return unit vectors, shape ``(3, nz, ny, nx)``; see ``InitialState.magnetization``."""
        words = rng.bit_generator.random_raw(2 * mesh.count).reshape(*mesh.shape, 2)
        u, v = np.moveaxis((words >> np.uint64(11)) * 2.0**-53, -1, 0)
        mz = 1 - 2 * u
        in_plane = np.sqrt(1 - mz * mz)
        phi = 2 * math.pi * v
        return assemble(mesh, in_plane * np.cos(phi), in_plane * np.sin(phi), mz)
