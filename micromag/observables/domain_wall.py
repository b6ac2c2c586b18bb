"""Position, width, tilt, angle and velocity of a domain wall."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.observables._walls import followed_walls, velocity
from micromag.observables.base import Part, PartObservable, Sample


class DomainWall(PartObservable):
    r"""A wall that lies across x: where it is, how wide, how inclined, its angle, and how fast.

    The component c of m that differs between the domains is scaled to s = -1 .. 1 from the one to
    the other. In a wall

    .. math:: s = \tanh\frac{x - x_0(y, z)}{\Delta_x}, \qquad
              \operatorname{artanh} s = \frac{x - x_0(y, z)}{\Delta_x}

    so artanh s is a straight line in every row of cells. All rows together give one slope, each gives
    its own x_0 (weights :math:`(1 - s^2)^2`, cells with \|s\| < 0.9); of a tanh wall the results are
    exact, wherever it stands between the cells.

    =============  =====  =================================================================
    column         unit   meaning
    =============  =====  =================================================================
    wall_position  m      mean of x_0 over the rows, in the laboratory: with a moving window
                          its offset is added; the origin is the centre of the mesh
    wall_width     m      :math:`\Delta = \Delta_x \cos\chi`, across the wall (whose full
                          width is pi Delta)
    wall_tilt      rad    :math:`\chi = \arctan dx_0/dy` of the straight line through x_0(y): 0 is
                          straight across, positive if x_0 grows with y; NaN of a single row
    wall_angle     rad    phi in the wall, -pi to pi, see below
    wall_velocity  m/s    velocity along x at this instant, from dm/dt
    =============  =====  =================================================================

    The angle is that of the sum of the moments across the domains, weighted by
    :math:`1 - s^2 = \operatorname{sech}^2`: for domains along z :math:`\phi = \operatorname{atan2}(m_y,
    m_x)`, from +x towards +y (0 and pi: Neel, +-pi/2: Bloch); for domains along x (head to head)
    from +y towards +z; for domains along y from +x towards +z.

    The velocity is what moves the moment of the wall,

    .. math:: v = -\frac{\sum \dot m_c\, a_x}{\sum (m_c(x + a_x) - m_c(x - a_x))/2}
                = \frac{L \langle \dot m_c \rangle}{m_c^{left} - m_c^{right}}

    with both sums over the cells of the wall and :math:`\dot m` from the whole right-hand side of the
    equation of motion, precession and currents of the stage included. It is exact for a rigidly
    moving wall of any shape, and assumes that the domains beside it are at rest: what turns them
    (a changing field, spin waves) adds to it. The integral of v over time is the way of the wall.

    A name may be followed by a part of the magnet: ``wall_position@free`` is measured in the cells of
    the region ``free`` (``default``: in no region), ``wall_position@z0`` in the lowest layer.

    Where there are several walls the first row takes the one nearest to the middle of the part, and
    all later rows the same wall. It is known again by its place and by the sense in which m_c
    changes, which adjacent walls do not share; it must not move further between two rows than half
    the distance to the next wall of its sense. When it leaves the mesh or is annihilated the columns
    are NaN from there on; another wall is not taken for it. (A state that relaxes has no path: if the
    wall has gone after it, the choice is made anew.) Each part has a wall of its own. All
    columns are NaN where no wall is found: domains with the same sign of m_c, or \|m_c\| differing by
    less than 0.5. Walls are looked for along x without periodic images.

    Sources: L. D. Landau and E. M. Lifshitz, Phys. Z. Sowjetunion 8, 153 (1935) (profile); O. Boulle
    et al., Phys. Rev. Lett. 111, 217203 (2013) (tilt).
    """

    names: ClassVar[tuple[str, ...]] = (
        "wall_position",
        "wall_width",
        "wall_tilt",
        "wall_angle",
        "wall_velocity",
    )
    meanings: ClassVar[dict[str, tuple[str, str]]] = {
        "wall_position": ("m", "position of the wall along x in the laboratory"),
        "wall_width": ("m", "wall parameter Delta"),
        "wall_tilt": ("rad", "tilt of the wall, positive if its x grows with y"),
        "wall_angle": ("rad", "angle of m inside the wall, across the domains"),
        "wall_velocity": ("m/s", "velocity of the wall along x at this instant, from dm/dt"),
    }

    def measure(self, column: str, part: Part, sample: Sample) -> NDArray[np.float64]:
        """Return one column for a part of the magnet, shape ``(replica,)``."""
        if column == "wall_velocity":
            return velocity(sample, part)
        walls = followed_walls(sample, part)
        return {
            "wall_position": walls.position,
            "wall_width": walls.width,
            "wall_tilt": walls.tilt,
            "wall_angle": walls.angle,
        }[column]
