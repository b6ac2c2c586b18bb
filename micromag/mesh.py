"""The mesh: a regular grid of equal rectangular cells with its origin at the centre."""

from __future__ import annotations

import math
import operator
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from micromag.arguments import Checked
from micromag.parameters import Quantity, Vector, custom_error, name_of

LEAST_WINDOW = 8
"""Cells along the axis of a window, at least."""
AXES = "xyz"
"""Names of the axes in the order of vectors; arrays are ordered the other way round, ``(z, y, x)``."""


def _whole(value: Any, allowed: str = "1, 2, 3, ...") -> int:
    """Accept what is a whole number by type (also NumPy's), not text, booleans or floats."""
    error = custom_error("whole_number", f"{value!r} is not a whole number", allowed)
    if isinstance(value, bool):
        raise error
    try:
        return operator.index(value)
    except TypeError:
        raise error from None


CellCount = Annotated[int, BeforeValidator(_whole), Field(ge=1)]
ImageCount = Annotated[
    int, BeforeValidator(lambda value: _whole(value, "0 (open), 1, 2, 3, ...")), Field(ge=0)
]


def _three(value: Any) -> Any:
    """Refuse what is no list of three, saying what a film needs."""
    what = ""
    if not isinstance(value, (list, tuple, np.ndarray)):
        what = f"{name_of(value)} is not a list [x, y, z]"
    elif len(value) != 3:
        entries = "1 entry is" if len(value) == 1 else f"{len(value)} entries are"
        few = "not enough" if len(value) < 3 else "too many"
        what = f"{entries} {few}: one for each of x, y, z"
    if what:
        raise custom_error("three", what, "three whole numbers; a film has cells [nx, ny, 1]")
    return value


def _not_given() -> Vector:
    return (0.0, 0.0, 0.0)


class Window(Checked):
    r"""A mesh that follows a texture along a strip: what the run file calls ``mesh.window``.

    In ``run`` stages the mesh moves by whole cells whenever the texture has come too far from its
    centre. Shapes stay where they are in the laboratory, so that a notch comes in at one side and
    leaves at the other; a ``box`` without a size goes on for ever along the axis, and what is given
    cell by cell (pictures, masks, parameters) goes on with its outermost cells. Fresh cells continue
    the domain. With ``demag`` the strip continues on both sides, magnetised as its ends are when the
    stage begins and whenever the window moves, so that the cuts carry no charges. The outermost cells
    take up the waves that reach a cut, by a damping that is larger by 1 there. Positions in the table
    are positions in the laboratory; a run that starts from a snapshot begins with its mesh at the
    origin again.

    ======  ==========================================================================================
    name    meaning
    ======  ==========================================================================================
    follow  ``wall``: where the component that differs between the two ends has its mean;
            ``skyrmion``: the moments against the background's m_z; ``core``: those with
            \|m_z\| > 1/2 in a film that lies in its plane
    axis    ``x`` (default) or ``y``: along which the window moves
    ======  ==========================================================================================
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: ClassVar[tuple[str, str]] = ("window_offset_x", "window_offset_y")
    """Columns of the table, and numbers of every snapshot, that tell how far it has moved [m]."""

    follow: Literal["wall", "skyrmion", "core"]
    axis: Literal["x", "y"] = "x"

    @property
    def number(self) -> int:
        """The axis as a number: 0 or 1."""
        return AXES.index(self.axis)


class Mesh(Checked):
    r"""A grid of ``nx * ny * nz`` equal cells around the origin.

    The centre of cell ``i`` along an axis of ``n`` cells of width ``a`` is at

    .. math:: x_i = \left(i - \frac{n - 1}{2}\right) a .

    Exactly one of ``cell_size`` and ``size`` is given; the other follows. Arrays on the mesh have
    the shape ``(nz, ny, nx)``, x fastest.

    ============  =====  ========  =========================================================
    name          unit   shape     meaning
    ============  =====  ========  =========================================================
    cells         1      (3,)      number of cells along x, y, z, each at least 1
    cell_size     m      (3,)      edges of one cell
    size          m      (3,)      edges of the whole mesh
    periodic      1      (3,)      image repetitions on each side of an axis; 0 = open (default)
    window        --     --        `Window` that follows a texture; none by default
    ============  =====  ========  =========================================================

    Raises
    ------
    ConfigErrors
        If both or neither of ``cell_size`` and ``size`` are given, or a value is out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cells: Annotated[tuple[CellCount, CellCount, CellCount], BeforeValidator(_three)]
    cell_size: Annotated[Vector, Quantity("m", gt=0)] = Field(default_factory=_not_given)
    size: Annotated[Vector, Quantity("m", gt=0)] = Field(default_factory=_not_given)
    periodic: Annotated[tuple[ImageCount, ImageCount, ImageCount], BeforeValidator(_three)] = (
        0,
        0,
        0,
    )
    window: Window | None = None

    @model_validator(mode="after")
    def _complete(self) -> Mesh:
        given = self.model_fields_set & {"cell_size", "size"}
        if len(given) != 1:
            found = "both" if given else "neither"
            raise custom_error(
                "mesh", f"{found} of cell_size and size given", "one of cell_size and size"
            )
        self._check_window()
        nx, ny, nz = self.cells
        if "size" in given:
            sx, sy, sz = self.size
            object.__setattr__(self, "cell_size", (sx / nx, sy / ny, sz / nz))
        # Derived also when it was given, so that a mesh and its dump (cell_size) are equal exactly.
        ax, ay, az = self.cell_size
        object.__setattr__(self, "size", (ax * nx, ay * ny, az * nz))
        fields = (self.model_fields_set - {"size"}) | {"cell_size"}
        object.__setattr__(self, "__pydantic_fields_set__", fields)
        return self

    def _check_window(self) -> None:
        if self.window is None:
            return
        axis, number = self.window.axis, self.window.number
        if self.periodic[number]:
            what = (
                f"a window cannot move along {axis}, which is periodic: nothing new would come in"
            )
            raise custom_error("window", what, f"mesh.periodic 0 along {axis}, or no window")
        if self.cells[number] < LEAST_WINDOW:
            what = f"a window of {self.cells[number]} cells along {axis} is too short to follow anything"
            raise custom_error("window", what, f"{LEAST_WINDOW} cells or more along {axis}")

    @model_serializer(mode="wrap")
    def _dump(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        data.pop("size", None)
        if data.get("window") is None:
            data.pop("window", None)
        return data

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape ``(nz, ny, nx)`` of a scalar array on the mesh."""
        nx, ny, nz = self.cells
        return (nz, ny, nx)

    @property
    def count(self) -> int:
        """Number of cells."""
        nx, ny, nz = self.cells
        return nx * ny * nz

    @property
    def cell_volume(self) -> float:
        """Volume of one cell [m^3]."""
        ax, ay, az = self.cell_size
        return ax * ay * az

    @property
    def volume(self) -> float:
        """Volume of the whole mesh [m^3]."""
        return self.cell_volume * self.count

    @property
    def lower_corner(self) -> Vector:
        """Corner of the mesh with the smallest coordinates [m]."""
        x, y, z = self.size
        return (-x / 2, -y / 2, -z / 2)

    @property
    def upper_corner(self) -> Vector:
        """Corner of the mesh with the largest coordinates [m]."""
        x, y, z = self.size
        return (x / 2, y / 2, z / 2)

    @property
    def extent(self) -> Vector:
        """Edges of what fills the whole mesh [m]: its size, without end along the window's axis."""
        x, y, z = self.size
        axis = None if self.window is None else self.window.number
        return (math.inf if axis == 0 else x, math.inf if axis == 1 else y, z)

    def is_endless(self, axis: int) -> bool:
        """Whether the window moves along this axis, so that cells continue beyond the mesh."""
        return self.window is not None and self.window.number == axis

    def centres(self, axis: int | str) -> NDArray[np.float64]:
        """Return the coordinates of the cell centres along one axis, shape ``(n,)`` [m].

        Parameters
        ----------
        axis
            0, 1, 2 or ``"x"``, ``"y"``, ``"z"``.
        """
        k = AXES.index(axis) if isinstance(axis, str) else axis
        n = self.cells[k]
        return (np.arange(n, dtype=np.float64) - (n - 1) / 2) * self.cell_size[k]

    def grid(
        self, shift: tuple[int, int] = (0, 0)
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the centres ``(x, y, z)`` [m], which broadcast together to ``(nz, ny, nx)``.

        ``shift`` is how far the window has moved along x and y [cells].
        """
        x, y = (self.centres(axis) + shift[axis] * self.cell_size[axis] for axis in (0, 1))
        return x[None, None, :], y[None, :, None], self.centres(2)[:, None, None]
