"""What every term is: a validated set of parameters, and the name of a kernel snippet.

A term is two files. ``micromag/terms/x.py`` defines one subclass of `EnergyTerm` or `Torque`; its
fields are the run file's keys. ``kernels/terms/x.cuh`` defines one device function of the same name::

    INLINE V x(const Site& s, const X& p, real& energy)   // energy term: returns B [T], sets J/m^3
    INLINE V x(const Site& s, const X& p)                 // torque: returns T [1/s]
    INLINE V x(const Site& s, const X& p, real alpha, V noise)   // noise: returns B [T]

where ``X`` is the name of the Python class and carries a member for each of its parameters.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from micromag.arguments import Checked
from micromag.parameters import Parameter, ScalarParameter

if TYPE_CHECKING:
    from micromag.backend.base import Backend
    from micromag.errors import NumericalError
    from micromag.model import Model
    from micromag.surroundings import Surroundings


Kind = Literal["energy", "torque", "noise"]
"""What a term contributes to dm/dt; noise stands under ``energy`` in the run file, as a field."""


@dataclass(frozen=True)
class DeviceState:
    """The arrays of an engine that the operators behind nonlocal fields read.

    Attributes
    ----------
    work, clock
        State and record of every replica; see ``kernels/clock.h``.
    table, base_table
        Parameters, shape ``(replica, region, column)``: as they are now, and without waveforms.
    """

    work: Any
    clock: Any
    table: Any
    base_table: Any


class NonlocalField:
    """A field that needs more than a cell and its neighbours, evaluated between two stages.

    Attributes
    ----------
    field
        Device array ``(replica, 3, nz, ny, nx)`` that `commands` fill; the snippet sees it as ``p.field``.
    carries
        Whether a field is found from that of the evaluation before. Then `start` and `refresh` are there
        as well.
    """

    field: Any
    carries: ClassVar[bool] = False
    ends: Any = None
    """With a moving window: device array as `field`, of the magnet beyond the mesh (`update_ends`)."""

    def commands(self, state: DeviceState, source: int) -> list[Any]:
        """Return the commands that fill `field` from slot ``source`` of the work array.

        Of a field that `carries`, only replicas that step are sure to be up to date.
        """
        raise NotImplementedError

    def start(self, state: DeviceState) -> None:
        """Fill `field` before the first step of the replicas that run; the host may wait."""

    def refresh(self, state: DeviceState) -> None:
        """Fill `field` for the present state of all replicas; what their steps carry on stays."""
        raise NotImplementedError

    def describe_failure(self, replica: int, when: str) -> NumericalError | None:
        """Return what is wrong where a replica has the status FAILED_FIELD; None if not with this field."""
        return None

    def quantity(self, name: str, state: DeviceState) -> list[NDArray[np.float64]]:
        """Return one of the term's `Term.quantities` of every replica, shape ``(3, nz, ny, nx)``."""
        raise NotImplementedError

    def update_Ms(self, replica: int, Ms: NDArray[np.float64]) -> None:
        """Take over the saturation magnetization [A/m] of a replica whose window has moved."""
        raise NotImplementedError

    def update_ends(self, replica: int, m: NDArray[Any], Ms: NDArray[np.float64]) -> None:
        """Fill `ends` of a replica from its state ``(3, nz, ny, nx)`` and Ms [A/m]."""
        raise NotImplementedError


class Term(Checked):
    """Base of energy terms and torques; see the module's text for the kernel half."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
        populate_by_name=True,
    )

    kind: ClassVar[Kind]
    interface: ClassVar[tuple[str, ...]] = ()
    """Parameters that belong to the face between two cells (harmonic mean of both sides)."""
    stiffness: ClassVar[str] = ""
    """Parameter that is the exchange stiffness A [J/m] in 2 A dm/dn + d_n x m = 0 at surfaces."""
    twists: ClassVar[bool] = False
    """Whether the energy is linear in the gradient of m, e = sum_k d_k.(m x dm/dk). The snippet then also
    defines ``INLINE V x_twist(const X& p, V axis)``, which returns d_k [J/m^2] of a cell along an
    axis, 0 where the term has no part in the condition at surfaces; see ``kernels/twist.h``."""
    unseen: ClassVar[tuple[str, ...]] = ()
    """Parameters that only the operator behind ``p.field`` looks at: they may differ in any form, but the
    snippet does not see them."""
    known_quantities: ClassVar[tuple[str, ...]] = ()
    """Names that `quantities` may have."""
    filled_in: ClassVar[tuple[str, ...]] = ()
    """Parameters that `resolved` gives a value where the user has given none."""
    runs_code: ClassVar[bool] = False
    """Whether the snippet holds text of the run file, which only runs where that is allowed."""
    odd: ClassVar[tuple[str, ...]] = ()
    """Parameters that change sign when time is reversed; fields and currents do, energies do not."""
    numbers: ClassVar[tuple[str, ...]] = ()
    """Fields that are no parameters and of which only the values differ in what runs compute: those that
    differ in them share their kernels."""
    nonlocal_field: ClassVar[bool] = False
    """Whether the snippet reads ``p.field``, made by `make_nonlocal` where `needs_field` says so."""

    @classmethod
    def key(cls) -> str:
        """Return the run file's key, which is the name of the file and of the device function."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def declared_parameters(cls) -> dict[str, int]:
        """Return name -> components (1 or 3) of every parameter, given or not."""
        declared = {}
        for name, info in cls.model_fields.items():
            text = str(info.annotation)
            if "VectorParameter" in text:
                declared[name] = 3
            elif "ScalarParameter" in text:
                declared[name] = 1
        return declared

    def parameters(self) -> dict[str, Parameter]:
        """Return the parameters that are given, by name, in the order of declaration."""
        values = {name: getattr(self, name) for name in self.declared_parameters()}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def function(cls) -> str:
        """Return the name of the device function."""
        return cls.key()

    def snippet(self, text: str) -> str:
        """Return the text of the device function, given that of the term's file."""
        return text

    @property
    def needs_field(self) -> bool:
        """Whether ``p.field`` is made; where not, it is 0."""
        return self.nonlocal_field

    def flags(self) -> Mapping[str, int]:
        """Return integer members of the snippet's struct, known when the kernel is compiled."""
        return {}

    def resolved(self, surroundings: Surroundings) -> Term:
        """Return the term with what follows from the run around it filled in, such as a thickness.

        Raises PydanticCustomError where that does not follow.
        """
        return self

    def added_damping(self, surroundings: Surroundings) -> ScalarParameter | None:
        """Return what a resolved term adds to alpha, uniform or by region; None if nothing."""
        return None

    def notes(self, surroundings: Surroundings) -> list[str]:
        """Return in sentences what a resolved term has derived from what was given."""
        return []

    @property
    def acts_undriven(self) -> bool:
        """Whether a torque does something where all that may depend on time is 0."""
        return False

    @property
    def conducts(self) -> bool:
        """Whether `current_density` tells the current that a given voltage drives."""
        return False

    def current_density(
        self, model: Model, replica: int, m: NDArray[np.float64], t: float
    ) -> NDArray[np.float64]:
        """Return the current density [A/m^2] in every cell, shape ``(nz, ny, nx)``, NaN where none is.

        Of the state m, shape ``(3, nz, ny, nx)``, at the time t [s]; only for terms with `conducts`.
        """
        raise NotImplementedError

    def structure(self, surroundings: Surroundings) -> Hashable:
        """Return what of the values decides the shape of arrays: replicas of a batch must share it."""
        return None

    def field_bytes(self, surroundings: Surroundings, itemsize: int) -> int:
        """Return the memory that the operator behind ``p.field`` takes [bytes]; not of energy terms."""
        count = surroundings.mesh.count
        return 3 * count * itemsize + 4 * count  # a vector per cell, and where it is looked up

    @property
    def quantities(self) -> Mapping[str, tuple[str, str]]:
        """Vector fields per cell that its operator knows, for snapshots: unit and meaning by name."""
        return {}

    def make_nonlocal(self, model: Model, backend: Backend) -> NonlocalField:
        """Return the operator behind ``p.field``; only for terms with ``nonlocal_field``."""
        raise NotImplementedError


class EnergyTerm(Term):
    """A term with an energy density e(m) [J/m^3] and the field B = -(1/Ms) de/dm [T]."""

    kind: ClassVar[Kind] = "energy"


class Torque(Term):
    """A torque T [1/s], perpendicular to m, in dm/dt = -gamma m x B + alpha m x dm/dt + T."""

    kind: ClassVar[Kind] = "torque"


class Noise(Term):
    """A random field B [T], linear in three independent white noises per cell.

    The snippet gets ``noise``, normal deviates divided by the square root of the time over which they
    stay as they are [1/sqrt s]; see ``kernels/noise.cu``. It acts in ``run`` stages alone, and on
    nothing that is measured: it has no energy, and no part in the largest torque.
    """

    kind: ClassVar[Kind] = "noise"


def energy_names(terms: Sequence[tuple[str, Term]]) -> list[str]:
    """Return the names in results of the terms under ``energy`` that have an energy."""
    return unique_names([key for key, term in terms if term.kind == "energy"])


def term_quantities(terms: Sequence[tuple[str, Term]]) -> dict[str, tuple[str, str]]:
    """Return the vector fields that operators of the terms know: unit and meaning by name."""
    return {name: what for _, term in terms for name, what in term.quantities.items()}


def unique_names(keys: Sequence[str]) -> list[str]:
    """Return the names of terms in results: the key, or with its index where a list gives several.

    ``zeeman`` alone is ``zeeman``; of ``zeeman: [{...}, {...}]`` they are ``zeeman_0`` and
    ``zeeman_1``, as the key paths ``energy.zeeman[0]`` and ``energy.zeeman[1]``.
    """
    seen: dict[str, int] = {}
    names = []
    for key in keys:
        names.append(f"{key}_{seen.get(key, 0)}" if keys.count(key) > 1 else key)
        seen[key] = seen.get(key, 0) + 1
    return names
