"""The sections of the run file that are not terms, shapes or recipes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)

from micromag.arguments import Checked
from micromag.constants import GAMMA_E
from micromag.keyed import Keyed
from micromag.parameters import Quantity, ScalarParameter, custom_error, name_of
from micromag.registry import Registry
from micromag.suggest import did_you_mean
from micromag.terms import TERMS

STAGE_SECTIONS = ("material", "energy", "torques", "solver", "output")
"""Sections of which a stage may override keys."""
FIXED_OUTPUT = ("directory", "compression", "columns", "quantities")
"""Keys of ``output`` that hold for the whole run, since they shape its one file."""


class Section(Checked):
    """Base of the sections: frozen, and unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


def _gyromagnetic(data: Any) -> Any:
    if isinstance(data, str) and "Hz" in data:
        what = f"{data!r} is gamma / 2 pi: multiply by 2 pi and give it in rad/(s T)"
        raise custom_error("quantity", what, "a number in rad/(s T), about 1.76e11")
    return data


def _magnetic(Ms: ScalarParameter) -> ScalarParameter:
    if not Ms.is_per_cell and not any([Ms.value, *Ms.regions.values()]):
        what = "Ms is 0 everywhere, so there is no magnet"
        raise custom_error("material", what, "a magnetization (A/m) > 0 somewhere")
    return Ms


class Material(Section):
    r"""What every term shares: saturation magnetization, damping and gyromagnetic ratio.

    =====  ==========  ==============================  =========================================
    name   unit        shape                           default
    =====  ==========  ==============================  =========================================
    Ms     A/m         scalar; per region or cell      required; 0 makes a cell empty
    alpha  1           scalar; per region or cell      required; Gilbert damping, at most 100
    gamma  rad/(s T)   number                          1.76085963e11, the free electron's
    =====  ==========  ==============================  =========================================
    """

    Ms: Annotated[ScalarParameter, Quantity("A/m", ge=0), AfterValidator(_magnetic)]
    """Saturation magnetization [A/m]."""
    alpha: Annotated[ScalarParameter, Quantity("1", ge=0, le=100)]
    """Gilbert damping."""
    gamma: Annotated[float, Quantity("rad/(s T)", gt=0), BeforeValidator(_gyromagnetic)] = GAMMA_E
    """Gyromagnetic ratio [rad/(s T)]."""


def _method(data: Any) -> str:
    from micromag.integrators.tableaus import TABLEAUS

    if not isinstance(data, str) or data not in TABLEAUS:
        near = did_you_mean(str(data), TABLEAUS)
        raise custom_error("method", f"unknown method {name_of(data)}{near}", ", ".join(TABLEAUS))
    return str(data)


Method = Annotated[str, BeforeValidator(_method), Field(json_schema_extra={"examples": ["rk45"]})]
"""Name of a Runge-Kutta method."""


class Solver(Section):
    """How ``run`` stages are integrated in time.

    =========  ====  ====================================================================
    name       unit  default
    =========  ====  ====================================================================
    method     --    ``rk45``
    max_error  1     1e-5, largest local error of m in one step
    dt         s     none; given, every step has this length and max_error has no effect
    min_dt     s     1e-18; a step below it ends the run with an error
    max_dt     s     none
    =========  ====  ====================================================================
    """

    method: Method = "rk45"
    """Runge-Kutta method."""
    max_error: Annotated[float, Quantity("1", gt=0, lt=1)] = 1e-5
    """Largest local error of m in one step."""
    dt: Annotated[float, Quantity("s", gt=0)] | None = None
    """Fixed step [s]."""
    min_dt: Annotated[float, Quantity("s", gt=0)] = 1e-18
    """Least step [s]."""
    max_dt: Annotated[float, Quantity("s", gt=0)] | None = None
    """Largest step [s]."""

    @model_validator(mode="after")
    def _consistent(self) -> Solver:
        from micromag.integrators.tableaus import TABLEAUS

        if self.max_dt is not None and self.max_dt < self.min_dt:
            what = f"max_dt ({self.max_dt:g} s) is below min_dt ({self.min_dt:g} s)"
            raise custom_error("solver", what, "max_dt >= min_dt", "max_dt")
        if self.dt is None and TABLEAUS[self.method].error_weights is None:
            what = f"{self.method} has no error estimate, so it needs a fixed step dt"
            raise custom_error("solver", what, "dt, or a method such as rk45", "method")
        return self


class Stage(Section):
    """One entry of the schedule."""

    overrides: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Values of this stage by key path, e.g. ``{torques.zhang_li.J: [0, 0, 0]}``."""


class Relax(Stage):
    """Integrate damping alone, precession and noise off, until m stands still.

    ==============  ====  =================================================================
    name            unit  default
    ==============  ====  =================================================================
    max_torque      T     1e-5; done when the largest \\|m x B\\| is below it
    max_error       1     1e-5, largest local error of m in one step
    max_iterations  --    100000; an error if it is not done by then
    method          --    ``rk23``
    currents        --    false: torques are off
    with            --    overrides for this stage
    ==============  ====  =================================================================
    """

    max_torque: Annotated[float, Quantity("T", gt=0)] = 1e-5
    """Torque that counts as none [T]."""
    max_error: Annotated[float, Quantity("1", gt=0, lt=1)] = 1e-5
    """Largest local error of m in one step."""
    max_iterations: Annotated[StrictInt, Field(ge=1)] = 100_000
    """Most steps."""
    method: Method = "rk23"
    """Runge-Kutta method; one with an error estimate."""
    currents: StrictBool = False
    """Whether torques act."""

    @model_validator(mode="after")
    def _adaptive(self) -> Relax:
        from micromag.integrators.tableaus import TABLEAUS

        if TABLEAUS[self.method].error_weights is None:
            what = f"{self.method} has no error estimate, which relaxing needs"
            raise custom_error("solver", what, "a method such as rk23", "method")
        return self


class Minimize(Stage):
    """Descend in energy with Barzilai-Borwein steps; torques and noise are off.

    ==============  ====  =================================================================
    name            unit  default
    ==============  ====  =================================================================
    max_torque      T     1e-5; done when the largest \\|m x B\\| is below it
    max_iterations  --    100000; an error if it is not done by then
    with            --    overrides for this stage
    ==============  ====  =================================================================
    """

    max_torque: Annotated[float, Quantity("T", gt=0)] = 1e-5
    """Torque that counts as none [T]."""
    max_iterations: Annotated[StrictInt, Field(ge=1)] = 100_000
    """Most steps."""


class Run(Stage):
    """Integrate in time.

    ====  ====  =====================================
    name  unit  default
    ====  ====  =====================================
    for   s     required: duration
    with  --    overrides for this stage
    ====  ====  =====================================
    """

    duration: Annotated[float, Quantity("s", gt=0)] = Field(alias="for")
    """Duration [s]."""


def has_currents(stage: Stage) -> bool:
    """Return whether torques act in a stage."""
    return isinstance(stage, Run) or (isinstance(stage, Relax) and stage.currents)


class _Stages(Registry[Stage]):
    """The kinds of stages, which live in this one file."""

    classes: ClassVar[dict[str, type[Stage]]] = {"relax": Relax, "minimize": Minimize, "run": Run}

    def keys(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the kinds."""
        return tuple(self.classes)

    def get(self, key: str) -> type[Stage]:  # type: ignore[override]
        """Return the class of a kind."""
        return self.classes[key]

    def key_of(self, cls: type[Stage]) -> str:
        """Return the kind of a class."""
        return cls.__name__.lower()


STAGES: Registry[Stage] = _Stages("micromag.config_sections", Stage)
"""The kinds of stages by key."""


def _short_stage(data: Any) -> Any:
    return {data: {}} if isinstance(data, str) else data


StageField = Annotated[Stage, Keyed(STAGES, "stage"), BeforeValidator(_short_stage)]
"""A stage of the schedule: ``{run: {for: 1 ns}}``, or ``relax`` alone."""


def _quantity(data: Any) -> str:
    kind, _, term = str(data).partition("_")
    if data == "m" or (kind in ("B", "e") and term):
        return str(data)
    known = ("m", *(name for key in TERMS.keys() for name in TERMS.get(key).known_quantities))
    if data not in known:
        what = f"{name_of(data)} is no field of a snapshot"
        raise custom_error(
            "quantity", what, f"{', '.join(known)}, B_<energy term> or e_<energy term>"
        )
    return str(data)


class Snapshots(Section):
    """When whole fields are written: a period or times; also at the begin and the end of the run.

    ==========  ====  ============================================
    name        unit  default
    ==========  ====  ============================================
    every       s     none
    at          s     none; list of times
    quantities  --    ``[m]``; also ``B_<term>``, ``e_<term>``
    ==========  ====  ============================================

    ``B_demag`` is the field of that energy term [T], ``e_demag`` its energy density [J/m^3].
    Of terms given as a list, ``B_zeeman_0`` belongs to ``energy.zeeman[0]``, and so on. A term may have
    fields of its own: with ``transport``, ``V_s`` is the spin potential [V] and ``S`` the spin
    accumulation [A/m].
    """

    every: Annotated[float, Quantity("s", gt=0)] | None = None
    """Period [s]."""
    at: tuple[Annotated[float, Quantity("s", ge=0)], ...] = ()
    """Times [s]."""
    quantities: tuple[Annotated[str, BeforeValidator(_quantity)], ...] = ("m",)
    """Fields."""

    @model_validator(mode="after")
    def _one_of(self) -> Snapshots:
        if self.every is not None and self.at:
            raise custom_error("snapshots", "both every and at are given", "one of the two", "at")
        if list(self.at) != sorted(set(self.at)):
            raise custom_error("snapshots", "the times do not ascend", "ascending times", "at")
        return self


def _column(data: Any) -> str:
    from micromag.observables import column_names, observable_of

    try:
        observable_of(str(data))
    except KeyError:
        names = column_names()
        near = did_you_mean(str(data), names)
        near = "; 'energy' gives those of all terms" if str(data).startswith("E_") else near
        raise custom_error(
            "column", f"unknown column {name_of(data)}{near}", ", ".join(names)
        ) from None
    return str(data)


class Table(Section):
    """When a row of numbers is written, and which; ``t step dt stage`` are always there.

    =======  ====  ==============================================================
    name     unit  default
    =======  ====  ==============================================================
    every    s     none: a row at stage boundaries only
    columns  --    ``[m, energy, max_torque]``
    =======  ====  ==============================================================
    """

    every: Annotated[float, Quantity("s", gt=0)] | None = None
    """Period [s]."""
    columns: tuple[Annotated[str, BeforeValidator(_column)], ...] = ("m", "energy", "max_torque")
    """Observables."""

    @model_validator(mode="after")
    def _distinct(self) -> Table:
        repeated = [name for i, name in enumerate(self.columns) if name in self.columns[:i]]
        if repeated:
            what = f"the column {repeated[0]!r} is given twice"
            raise custom_error("columns", what, "every column once", "columns")
        return self


class Output(Section):
    """What is written, where and when.

    ===========  ====  ==============================================
    name         unit  default
    ===========  ====  ==============================================
    directory    --    ``runs/<name of the run file>``
    snapshots    --    whole fields at the begin and the end
    table        --    rows at stage boundaries
    compression  --    none; ``gzip``
    ===========  ====  ==============================================
    """

    directory: Annotated[str, Field(min_length=1)] = "runs/run"
    """Folder of the result, relative to the current one."""
    snapshots: Snapshots = Snapshots()
    """Whole fields."""
    table: Table = Table()
    """Rows of numbers."""
    compression: Literal["gzip"] | None = None
    """Filter of the snapshots."""


def stage_path_error(path: tuple[str | int, ...]) -> str | None:
    """Return why a stage cannot override the value at ``path``, or None if it can."""
    if path[0] not in STAGE_SECTIONS:
        near = did_you_mean(str(path[0]), STAGE_SECTIONS)
        return f"a stage cannot override {str(path[0])!r}{near}"
    fixed = [step for step in path[1:] if step in FIXED_OUTPUT] if path[0] == "output" else []
    return f"{fixed[0]!r} holds for the whole run" if fixed else None


def named_parameters(data: Any) -> Mapping[str, Any]:
    """Return the values by key of a term or section, given as raw data or as an object."""
    if isinstance(data, BaseModel):
        return {name: getattr(data, name) for name in type(data).model_fields}
    return data if isinstance(data, Mapping) else {}
