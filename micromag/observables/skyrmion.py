"""Centre and radius of a skyrmion."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.observables._textures import reversed_area
from micromag.observables.base import Part, PartObservable, Sample


class Skyrmion(PartObservable):
    r"""Centre and radius of the area with m_z against its surroundings, inside the contour m_z = 0.

    .. math:: R = \sqrt{\frac{A}{\pi}}, \qquad
              (x, y) = \frac{1}{A} \int_A (x, y)\, dA

    The contour is that of m_z interpolated linearly in the two triangles of every square of four
    neighbouring cells; A and its centre are those of the polygon, so both are good to the square of
    the cell size. Squares with an empty cell do not count.

    ===============  ====  ==================================================================
    column           unit  meaning
    ===============  ====  ==================================================================
    skyrmion_x       m     centre, in the laboratory: with a moving window its offset is added
    skyrmion_y       m     same along y
    skyrmion_radius  m     R; of several layers from their mean A
    ===============  ====  ==================================================================

    The surroundings point the way of the mean m_z on the rim of the magnet (the cells without a
    neighbour on one of the four sides in the plane), or where everything is periodic of the mean m_z.
    All three are NaN where nothing points the other way. Several skyrmions are taken together: their
    common centre and the radius of their whole area. Along a periodic axis the centre is that of the
    nearest images and lies in the mesh.

    A name may be followed by a part of the magnet: ``skyrmion_x@z0`` is measured in the lowest layer,
    ``skyrmion_x@free`` in the region ``free``.

    Source: A. Bogdanov and A. Hubert, J. Magn. Magn. Mater. 138, 255 (1994) (the contour m_z = 0 as
    the edge of a skyrmion).
    """

    names: ClassVar[tuple[str, ...]] = ("skyrmion_x", "skyrmion_y", "skyrmion_radius")
    meanings: ClassVar[dict[str, tuple[str, str]]] = {
        "skyrmion_x": ("m", "x of the skyrmion's centre in the laboratory"),
        "skyrmion_y": ("m", "y of the skyrmion's centre in the laboratory"),
        "skyrmion_radius": ("m", "radius of the skyrmion, from the area inside m_z = 0"),
    }

    def measure(self, column: str, part: Part, sample: Sample) -> NDArray[np.float64]:
        """Return one column for a part of the magnet, shape ``(replica,)``."""
        found = reversed_area(sample, part)
        return {"skyrmion_x": found.x, "skyrmion_y": found.y}.get(column, found.value)
