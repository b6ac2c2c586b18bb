"""Topological charge."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.observables._textures import charge
from micromag.observables.base import Part, PartObservable, Sample


class TopologicalCharge(PartObservable):
    r"""How often m covers the sphere, the mean over the layers:

    .. math:: Q = \frac{1}{4\pi} \int \mathbf{m} \cdot (\partial_x \mathbf{m} \times \partial_y \mathbf{m})
              \, dx\, dy

    A skyrmion with its core along -z in a +z background has Q = -1, the reverse +1, an antiskyrmion
    the opposite of a skyrmion of its polarity, a vortex of polarity p in a large disc p/2, an
    antivortex -p/2.

    ======================  ====  ===========================================================
    column                  unit  meaning
    ======================  ====  ===========================================================
    topological_charge      1     sum of the solid angles that m at the corners of triangles
                                  spans, over 4 pi
    topological_charge_fd   1     the integral with central differences
    ======================  ====  ===========================================================

    The first takes the two triangles of every square of four neighbouring cells, counterclockwise
    seen from +z, each with its signed solid angle Omega,

    .. math:: \tan\frac{\Omega}{2} = \frac{\mathbf{m}_1 \cdot (\mathbf{m}_2 \times \mathbf{m}_3)}
              {1 + \mathbf{m}_1 \cdot \mathbf{m}_2 + \mathbf{m}_2 \cdot \mathbf{m}_3
              + \mathbf{m}_3 \cdot \mathbf{m}_1}, \qquad -2\pi < \Omega < 2\pi

    Where the texture closes in itself (periodic along x and y, or uniform along the edges) it is a
    whole number, to the rounding of m, whatever the cell size. Squares with an empty cell do not
    count; periodic images do. The second approaches Q as the square of the cell size; at edges its
    differences are one-sided.

    A name may be followed by a part of the magnet: ``topological_charge@z0`` is that of the lowest
    layer, ``topological_charge@free`` that of the squares inside the region ``free``. NaN in a mesh of
    one cell along x or y.

    Source: B. Berg and M. Luescher, Nucl. Phys. B 190, 412 (1981).
    """

    names: ClassVar[tuple[str, ...]] = ("topological_charge", "topological_charge_fd")
    meanings: ClassVar[dict[str, tuple[str, str]]] = {
        "topological_charge": ("", "topological charge per layer, from solid angles"),
        "topological_charge_fd": ("", "topological charge per layer, from central differences"),
    }

    def measure(self, column: str, part: Part, sample: Sample) -> NDArray[np.float64]:
        """Return one of the two charges of a part of the magnet, shape ``(replica,)``."""
        kernel = "lattice_charge" if column == "topological_charge" else "gradient_charge"
        return charge(sample, part, kernel)
