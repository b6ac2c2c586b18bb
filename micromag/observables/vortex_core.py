"""Place and polarity of the core of a vortex."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.observables._textures import core
from micromag.observables.base import Part, PartObservable, Sample


class VortexCore(PartObservable):
    r"""Where \|m_z\| is largest, between the cells, and which way it points there.

    In every layer a parabola is fitted to the 3 x 3 cells around the largest \|m_z\|, not to m_z but to

    .. math:: \tan^2\frac{\theta}{2} = \frac{1 - |m_z|}{1 + |m_z|}

    which is quadratic around a core to a higher order (:math:`m_z = e^{-r^2/2w^2}` and
    :math:`\theta = 2 \arctan(r/w)` alike). The layers' cores are averaged.

    =============  ====  ====================================================================
    column         unit  meaning
    =============  ====  ====================================================================
    core_x         m     place of the core, in the laboratory: with a moving window its offset
                         is added; the origin is the centre of the mesh
    core_y         m     same along y
    core_polarity  1     1: m_z > 0 in the core, -1: m_z < 0; the mean over the layers
    =============  ====  ====================================================================

    NaN where no \|m_z\| exceeds 0.5. In a film whose domains point along z there is no core to speak
    of: see ``skyrmion_x``. A core that has a missing neighbour counts as in the middle of its cell
    along that axis.

    A name may be followed by a part of the magnet: ``core_x@z0`` is measured in the lowest layer,
    ``core_x@free`` in the region ``free``.

    Source: E. Feldtkeller and H. Thomas, Phys. kondens. Materie 4, 8 (1965) (m_z in the core).
    """

    names: ClassVar[tuple[str, ...]] = ("core_x", "core_y", "core_polarity")
    meanings: ClassVar[dict[str, tuple[str, str]]] = {
        "core_x": ("m", "x of the core, where |m_z| is largest, in the laboratory"),
        "core_y": ("m", "y of the core, where |m_z| is largest, in the laboratory"),
        "core_polarity": ("", "sign of m_z in the core"),
    }

    def measure(self, column: str, part: Part, sample: Sample) -> NDArray[np.float64]:
        """Return one column for a part of the magnet, shape ``(replica,)``."""
        found = core(sample, part)
        return {"core_x": found.x, "core_y": found.y}.get(column, found.value)
