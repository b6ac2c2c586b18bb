"""Spin accumulation by drift and diffusion, and the torque that it exerts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, StrictInt, ValidationInfo, model_validator

from micromag.cell_values import cell_values, quantity_of
from micromag.constants import E_CHARGE, HBAR, MU_B
from micromag.keyed import read_class
from micromag.mesh import Mesh
from micromag.parameters import (
    Collector,
    Parameter,
    Quantity,
    ScalarParameter,
    VectorParameter,
    custom_error,
    name_of,
)
from micromag.suggest import did_you_mean
from micromag.terms._layer import in_region
from micromag.terms.base import NonlocalField, Torque
from micromag.transport.charge_current import Current, charge_current, given_current
from micromag.transport.conductors import (
    CONTINUOUS_PLANES,
    MIXING_PLANES,
    Layers,
    Materials,
    interface_between,
    iterations,
    layers_of,
    mixing,
    planes,
    uniform_gradient,
)
from micromag.transport.interface import Interface

if TYPE_CHECKING:
    from micromag.backend.base import Backend
    from micromag.model import Model
    from micromag.surroundings import Surroundings

FloatArray = NDArray[np.float64]
REFERENCE = 1e12
"""Current density [A/m^2] for which drift velocities are told."""


def _interfaces(data: Any, info: ValidationInfo) -> Any:
    """Return the interfaces by pairs of regions, with one for all others as ``default``."""
    if isinstance(data, Interface):
        return {"default": data}
    if not isinstance(data, Mapping):
        what = f"a mapping with Gr and Gi is needed, not {name_of(data)}"
        raise custom_error("interface", what, "{Gr: ..., Gi: ...}, or such by pairs of regions")
    if "default" not in data and not any(":" in str(key) for key in data):
        return {"default": read_class(Interface, data, info)}
    collect, found = Collector(), {}
    for key, body in data.items():
        if key != "default" and str(key).count(":") != 1:
            what = f"{key!r} is no pair of regions"
            collect.add((key,), custom_error("interface", what, "default, or a:b"), body)
            continue
        found[key] = collect.run((key,), lambda d: read_class(Interface, d, info), body, None)
    collect.raise_if_any()
    return found


class Transport(Torque):
    r"""Torque of the spin accumulation that a current makes in magnets and in metals beside them.

    The accumulation S (a moment density) is in steady state with the magnetization at every instant:

    .. math::

        0 = -\nabla \cdot J_S - D_e \left[\frac{S}{\lambda_{sf}^2} + \frac{S \times m}{\lambda_J^2} +
        \frac{m \times (S \times m)}{\lambda_\phi^2}\right], \qquad
        J_{S,ik} = -\frac{\mu_B}{e} P J_i m_k - D_e \partial_i S_k +
        \frac{\mu_B}{e} \theta_{SH} \varepsilon_{ikl} J_l

    and the magnet takes up what precession and dephasing take from it:

    .. math::

        T = \frac{D_e}{M_s} \left[\frac{S \times m}{\lambda_J^2} +
        \frac{m \times (S \times m)}{\lambda_\phi^2}\right], \qquad
        \lambda_J^2 = \frac{\hbar D_e}{J_{sd}}

    J is the conventional current density, so for P > 0 textures move against J; theta_SH > 0 (Pt) sends
    moments along -y upwards where J is along +x. Where m changes slowly this is the torque of Zhang and
    Li with a beta of its own; beside a metal it is the spin-orbit torque of the bilayer. A metal is a
    region with a conductivity and Ms = 0, an insulating magnet one with Ms and no conductivity.

    Within conductors S/sigma is continuous. With ``interface`` the faces between magnets and metals have
    a spin-mixing conductance G: there the flux (mu_B/e) (Gr - Gi m x) V_s across m goes into the magnet,
    V_s = 2 e D_e S/(mu_B sigma) being the spin potential on the metal's side, and all of it is torque on
    the magnet's first cells; along m the potential is continuous.

    The spin accumulation decays within nanometres: where more than one layer conducts, or there is a spin
    Hall effect, the layers of the mesh are divided along z into ``sub_cells``, by default five per length
    of decay. In the plane the mesh itself has to resolve the texture. At the ends of the mesh currents
    go on as they are, and no spins diffuse out.

    ``distribution: solved`` makes the charge current follow from div(sigma grad V) = 0: it enters and
    leaves through the ends of the mesh along the axis of J, and J is its mean in the first
    cross-section, of all conductors or of those in the region ``J_in``. As it is ``given``, J holds in
    every conducting cell.

    ==============  ======  ==================================  ==========================================
    name            unit    shape                               meaning
    ==============  ======  ==================================  ==========================================
    J               A/m^2   vector; per region or cell, time    charge current density
    distribution    --      ``given`` or ``solved``             how J is meant; ``given`` by default
    J_in            --      name                                region whose mean J is, when solved
    conductivity    S/m     scalar; per region or cell          sigma, 0 in insulators
    P               1       scalar; per region or cell          polarisation of the current in magnets
    theta_sh        1       scalar; per region or cell          spin Hall angle
    lambda_sf       m       scalar; per region or cell          spin diffusion length
    lambda_J        m       scalar; per region or cell          precession length, < 0 for J_sd < 0
    lambda_phi      m       scalar; per region or cell          dephasing length, infinite when not given
    J_sd            J       scalar; per region or cell          s-d coupling, instead of lambda_J
    D_e             m^2/s   scalar; per region or cell          diffusion constant, for S and with J_sd
    interface       --      ``{Gr: ..., Gi: ...}``              `Interface`, also by pairs ``a:b``
    sub_cells       --      number                              per layer along z; by the lengths
    every           --      number                              steps between two solutions; when not
                                                                given, one for every evaluation
    tolerance       1       number                              residual relative to S, by default 1e-5 in
                                                                single and 1e-7 in double precision
    max_iterations  --      number                              per evaluation; by the lengths
    ==============  ======  ==================================  ==========================================

    Snapshots know the quantities ``V_s`` [V] and, with D_e, ``S`` [A/m]: means over the cells of the mesh.

    Raises
    ------
    pydantic.ValidationError
        Nothing drives or nothing takes up spins, something is given twice, or a region is unknown.

    Source: S. Zhang, P. M. Levy and A. Fert, Phys. Rev. Lett. 88, 236601 (2002); C. Petitjean, D. Luc and
    X. Waintal, Phys. Rev. Lett. 109, 117204 (2012); A. Brataas, Yu. V. Nazarov and G. E. W. Bauer, Phys.
    Rev. Lett. 84, 2481 (2000).
    """

    nonlocal_field: ClassVar[bool] = True
    unseen = (
        "J", "conductivity", "P", "theta_sh", "lambda_sf", "lambda_J", "lambda_phi", "J_sd", "D_e",
    )  # fmt: skip
    odd = ("J",)
    numbers = ("spin_mixing",)
    known_quantities = ("V_s", "S")
    example: ClassVar[dict[str, Any]] = {
        "conductivity": 4e6, "lambda_sf": 6e-9, "lambda_J": 2e-9, "lambda_phi": 3e-9, "D_e": 1e-3,
        "J_sd": 3e-20, "sub_cells": 2, "tolerance": 1e-13, "max_iterations": 100,
    }  # fmt: skip

    J: Annotated[VectorParameter, Quantity("A/m^2", time_dependent=True)]
    """Charge current density [A/m^2]."""
    distribution: Literal["given", "solved"] = "given"
    """Whether J is given everywhere or follows from the conductivity."""
    J_in: str | None = None
    """Region whose mean current density is J where it is solved for."""
    conductivity: Annotated[ScalarParameter, Quantity("S/m", ge=0)]
    """Conductivity [S/m]."""
    P: Annotated[ScalarParameter, Quantity("1", ge=-1, le=1)] | None = None
    """Polarisation of the current in magnets."""
    theta_sh: Annotated[ScalarParameter, Quantity("1")] | None = None
    """Spin Hall angle."""
    lambda_sf: Annotated[ScalarParameter, Quantity("m", gt=0)]
    """Spin diffusion length [m]."""
    lambda_J: Annotated[ScalarParameter, Quantity("m")] | None = None
    """Precession length, with the sign of J_sd [m]."""
    lambda_phi: Annotated[ScalarParameter, Quantity("m", gt=0)] | None = None
    """Dephasing length [m]."""
    J_sd: Annotated[ScalarParameter, Quantity("J")] | None = None
    """s-d coupling [J]."""
    D_e: Annotated[ScalarParameter, Quantity("m^2/s", gt=0)] | None = None
    """Diffusion constant of the electrons [m^2/s]."""
    spin_mixing: Annotated[dict[str, Interface], BeforeValidator(_interfaces)] | None = Field(
        None, alias="interface"
    )
    """Spin-mixing conductance of the faces between magnets and metals."""
    sub_cells: Annotated[StrictInt, Field(ge=1, le=1000)] | None = None
    """Cells along z into which every layer of the mesh is divided."""
    every: Annotated[StrictInt, Field(ge=1)] | None = None
    """Steps between two solutions."""
    tolerance: Annotated[float, Quantity("1", gt=0, lt=1)] | None = None
    """Residual of the equation relative to the spin accumulation."""
    max_iterations: Annotated[StrictInt, Field(ge=1, le=10000)] | None = None
    """Iterations per evaluation, at most."""

    @model_validator(mode="after")
    def _consistent(self) -> Transport:
        if self.P is None and self.theta_sh is None:
            what = "nothing drives spins: neither the polarisation P nor theta_sh is given"
            raise custom_error("term", what, "P of the magnets, or theta_sh of metals")
        if self.J_sd is not None and self.lambda_J is not None:
            what = "the precession is given twice: lambda_J and J_sd"
            raise custom_error("term", what, "one of the two", "J_sd")
        if self.J_sd is not None and self.D_e is None:
            what = "J_sd needs the diffusion constant beside it: lambda_J^2 = hbar D_e/J_sd"
            raise custom_error("term", what, "D_e (m^2/s), or lambda_J instead of J_sd", "J_sd")
        if self.lambda_J is not None and _has_zero(self.lambda_J):
            what = "a precession length of 0 turns spins infinitely fast"
            raise custom_error("term", what, "a length, < 0 for J_sd < 0", "lambda_J")
        if not any(
            x is not None for x in (self.lambda_J, self.J_sd, self.lambda_phi, self.spin_mixing)
        ):
            what = "nothing turns m: spins need a length over which they give it their moment"
            raise custom_error("term", what, "lambda_J, J_sd, lambda_phi or interface")
        self._check_distribution()
        return self

    def _check_distribution(self) -> None:
        if self.distribution == "given":
            if self.J_in is not None:
                what = "J_in tells where the mean of a current is J that is solved for"
                raise custom_error("term", what, "distribution: solved, or no J_in", "J_in")
            return
        if not self.J.is_uniform:
            what = "a current that is solved for has one J, the mean in its first cross-section"
            raise custom_error("term", what, "J: [J, 0, 0], or distribution: given", "J")
        if sum(map(bool, self.J.value)) > 1:
            what = "a current that is solved for flows along one axis, between two ends of the mesh"
            raise custom_error("term", what, "J along x, y or z, or distribution: given", "J")

    @property
    def mixes(self) -> bool:
        """Whether faces between magnets and metals have a spin-mixing conductance."""
        return self.spin_mixing is not None

    @property
    def quantities(self) -> Mapping[str, tuple[str, str]]:
        """See the base class."""
        found = {"V_s": ("V", "spin potential mu_s/e, the full splitting")}
        return found if self.D_e is None else {**found, "S": ("A/m", "spin accumulation")}

    # ---------------------------------------------------------------- the run around it

    def resolved(self, surroundings: Surroundings) -> Transport:
        """Return the torque if it goes with the run around it; see the base class."""
        if surroundings.mesh.window is not None:
            what = "transport does not go with a moving window"
            raise custom_error("term", what, "zhang_li, or a mesh that holds all of the way")
        names = ("default", *surroundings.regions)
        pairs = [key for key in self.spin_mixing or () if key != "default"]
        mentioned = [(self.J_in, "J_in")] if self.J_in is not None else []
        mentioned += [(name.strip(), "interface") for key in pairs for name in key.split(":")]
        for name, key in mentioned:
            if name not in names:
                what = f"no region is called {name!r}{did_you_mean(str(name), names)}"
                raise custom_error("region", what, ", ".join(names), key)
        self._check_pairs(surroundings, pairs)
        conductivity = self.conductivity
        if not conductivity.is_per_cell and not any(
            (conductivity.value, *conductivity.regions.values())
        ):
            what = "nothing conducts: the conductivity is 0 everywhere"
            raise custom_error("term", what, "a conductivity (S/m) > 0", "conductivity")
        return self

    def _check_pairs(self, surroundings: Surroundings, pairs: list[str]) -> None:
        Ms = surroundings.material.Ms
        for key in pairs if not Ms.is_per_cell else ():
            magnets = [Ms.of_region(name.strip()) > 0 for name in key.split(":")]
            if magnets[0] == magnets[1]:
                state = "magnetic" if magnets[0] else "without Ms"
                what = f"interface {key}: both regions are {state}; it belongs between magnet and metal"
                raise custom_error("term", what, "a region with Ms and one without", "interface")

    def structure(self, surroundings: Surroundings) -> Hashable:
        """Return the numbers of sub-cells and of iterations; see the base class."""
        found = self._materials_in(surroundings)
        layers = layers_of([found], surroundings.mesh, self.sub_cells)
        return layers.counts, self.max_iterations or iterations(found, surroundings.mesh)

    def field_bytes(self, surroundings: Surroundings, itemsize: int) -> int:
        """See the base class."""
        from micromag.spin_diffusion import operator_bytes

        count = MIXING_PLANES if self.mixes else CONTINUOUS_PLANES
        layers = self._layers(surroundings).count
        return operator_bytes(surroundings.mesh.cells, layers, count, itemsize)

    def _layers(self, surroundings: Surroundings) -> Layers:
        mesh = surroundings.mesh
        if self.sub_cells is not None:
            return Layers((self.sub_cells,) * mesh.cells[2], mesh)
        return layers_of([self._materials_in(surroundings)], mesh, None)

    def _materials_in(self, surroundings: Surroundings) -> Materials:
        region, names = surroundings.region_index
        inside = surroundings.geometry.mask(surroundings.mesh)
        return self._materials(region, names, inside, surroundings.magnet(), surroundings.mesh)

    def notes(self, surroundings: Surroundings) -> list[str]:
        """Return the limit of slow textures and the sub-cells in words; see the base class."""
        counts = self._layers(surroundings).counts
        found = []
        if max(counts) > 1:
            found.append(f"sub-cells per layer, from below: {', '.join(map(str, counts))}")
        Ms, P = surroundings.material.Ms, self.P
        given = (
            Ms,
            self.conductivity,
            P,
            self.lambda_sf,
            self.lambda_J,
            self.lambda_phi,
            self.J_sd,
        )
        if P is None or any(x is not None and x.is_per_cell for x in given):
            return found
        names = surroundings.region_index.names
        magnets = [r for r in names if Ms.of_region(r) > 0 and self.conductivity.of_region(r) > 0]
        for region in magnets:
            f, beta = uniform_gradient(self.lambda_sf.of_region(region), *self.rates(region))
            u = -P.of_region(region) * MU_B * REFERENCE / (E_CHARGE * Ms.of_region(region))
            if u:
                place = in_region(region, len(magnets))
                found.append(
                    f"where m changes slowly{place}: u = {f * u:.5g} m/s per 1e12 A/m^2, beta = {beta:.5g}"
                )
        return found

    def rates(self, region: str = "default") -> tuple[float, float]:
        """Return 1/lambda_J^2, with the sign of J_sd, and 1/lambda_phi^2 in a region [1/m^2]."""
        precession, dephasing = 0.0, 0.0
        if self.lambda_J is not None:
            length = self.lambda_J.of_region(region)
            precession = abs(length) / length**3
        elif self.J_sd is not None and self.D_e is not None:
            precession = self.J_sd.of_region(region) / (HBAR * self.D_e.of_region(region))
        if self.lambda_phi is not None:
            dephasing = self.lambda_phi.of_region(region) ** -2
        return precession, dephasing

    # ---------------------------------------------------------------- cells

    def make_nonlocal(self, model: Model, backend: Backend) -> NonlocalField:
        """Return the spin accumulation in the cells of this mesh."""
        from micromag.spin_diffusion import SpinAccumulation

        number = next(i for i, other in enumerate(model.terms) if other is self)
        terms = [cast(Transport, model.terms_of(i)[number]) for i in range(model.replicas)]
        return SpinAccumulation(model, backend, terms, number)

    def materials(self, model: Model, replica: int) -> Materials:
        """Return the transport data of every cell of a replica."""
        return self._materials(
            model.region, model.region_names, model.inside, model.filled(replica), model.mesh
        )

    def _materials(
        self,
        region: NDArray[Any],
        names: tuple[str, ...],
        inside: NDArray[np.bool_],
        magnetic: NDArray[np.bool_],
        mesh: Mesh,
    ) -> Materials:
        def over(name: str, otherwise: float = 0.0) -> FloatArray:
            parameter = getattr(self, name)
            if parameter is None:
                return np.full(mesh.shape, otherwise)
            return self._over(name, region, names, mesh)[0]

        per_J2, per_phi2 = np.zeros(mesh.shape), np.zeros(mesh.shape)
        if self.lambda_J is not None:
            length = over("lambda_J")
            per_J2 = np.sign(length) / length**2
        elif self.J_sd is not None:
            per_J2 = over("J_sd") / (HBAR * over("D_e"))
        if self.lambda_phi is not None:
            per_phi2 = over("lambda_phi") ** -2.0
        return Materials(
            sigma=over("conductivity") * inside,
            magnetic=magnetic,
            P=over("P"),
            theta_sh=over("theta_sh"),
            lambda_sf=over("lambda_sf"),
            per_J2=per_J2 * magnetic,
            per_phi2=per_phi2 * magnetic,
        )

    def _over(
        self, name: str, region: NDArray[Any], names: tuple[str, ...], mesh: Mesh
    ) -> FloatArray:
        """Return a parameter in every cell, shape ``(1 or 3, nz, ny, nx)``, waveforms left out."""
        parameter: Parameter[Any] = getattr(self, name)
        if parameter.is_per_cell:
            return cell_values(parameter, quantity_of(type(self), name), mesh)
        by_region = np.array([parameter.of_region(r) for r in names]).reshape(len(names), -1)
        return np.moveaxis(by_region[region], -1, 0)

    def planes(
        self, model: Model, replica: int, materials: Materials, layers: Layers
    ) -> FloatArray:
        """Return what the kernels know of the cells of a replica; see `conductors.planes`."""
        conductance = None
        if self.spin_mixing is not None:
            between = interface_between(self.spin_mixing, model.region_names)
            conductance = mixing(
                materials.magnetic, materials.sigma, between, model.region, model.mesh
            )
        return planes(materials, self._current(model, materials.sigma), layers, conductance)

    def _current(self, model: Model, sigma: FloatArray) -> Current:
        if self.distribution == "given":
            J = self._over("J", model.region, model.region_names, model.mesh)
            return given_current(J, sigma, model.mesh)
        axis = int(np.abs(self.J.value).argmax())
        if not self.J.value[axis]:
            return Current(*np.zeros((3, 3, *sigma.shape)))
        counted = None
        if self.J_in is not None:
            counted = model.region == list(model.region_names).index(self.J_in)
        return charge_current(sigma, axis, model.mesh, counted).times(self.J.value[axis])

    def quantity(
        self, name: str, model: Model, replica: int, V: FloatArray, t: float
    ) -> FloatArray:
        r"""Return one of `quantities` at the time t [s], from the potential V [V] without the waveform.

        .. math:: S = \frac{\mu_B \sigma}{2 e D_e} V_s
        """
        if self.J.waveform is not None:
            V = V * self.J.waveform(t)
        if name == "V_s":
            return V
        sigma = self.materials(model, replica).sigma
        D = self._over("D_e", model.region, model.region_names, model.mesh)[0]
        return MU_B * sigma / (2 * E_CHARGE * D) * V


def _has_zero(parameter: ScalarParameter) -> bool:
    if parameter.array is not None:
        return bool((parameter.array == 0).any())
    return not all((parameter.value, *parameter.regions.values()))
