"""Demagnetizing field."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from micromag.terms.base import EnergyTerm, NonlocalField

if TYPE_CHECKING:
    from micromag.backend.base import Backend
    from micromag.model import Model


class Demag(EnergyTerm):
    r"""Magnetostatic field of the magnet's own magnetization.

    .. math::

        B(r_i) = -\mu_0 \sum_j N(r_i - r_j)\, M_s m_j, \qquad e = -\tfrac12 M_s\, m \cdot B

    N is the demagnetizing tensor averaged over both cells, exact near and by an asymptotic series
    far away; the sum is a convolution done by FFT. On periodic axes the images that ``mesh.periodic``
    asks for are added on each side.

    It has no parameters of its own.

    Source: A. J. Newell, W. Williams and D. J. Dunlop, J. Geophys. Res. 98, 9551 (1993).
    """

    nonlocal_field: ClassVar[bool] = True

    def make_nonlocal(self, model: Model, backend: Backend) -> NonlocalField:
        """Return the convolution of this mesh."""
        from micromag.demag.convolution import DemagField

        return DemagField(model, backend)
