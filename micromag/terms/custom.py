"""A term that the run file itself defines, by expressions of C."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    create_model,
    model_validator,
)
from pydantic_core import core_schema

from micromag.parameter_forms import read_parameter
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
from micromag.terms._expression import (
    POSITION,
    Expression,
    ExpressionError,
    check_name,
    read_expression,
)
from micromag.terms.base import EnergyTerm
from micromag.units import UnitError, parse

if TYPE_CHECKING:
    from micromag.surroundings import Surroundings

_PREFIX = "value_"
"""Of the members behind parameters, which keeps their names apart from all others."""
_ENERGY, _FIELD = "energy_density", "field"


@dataclass(frozen=True)
class _AnyQuantity(Quantity):
    """A number or a quantity of any dimension."""

    def number(self, data: Any) -> float:
        """Return the number in SI; see the base class."""
        if not isinstance(data, str):
            return super().number(data)
        try:
            return super().number(parse(data)[0])
        except UnitError as error:
            raise custom_error("quantity", str(error), self.allowed) from None

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        return "a number, or a quantity with its unit"


_ANY = _AnyQuantity("1", time_dependent=True)


class Parameters(dict[str, Parameter]):
    """Parameters of expressions by name, in SI."""

    def __str__(self) -> str:
        return "{" + ", ".join(f"{name}: {_told(value)}" for name, value in self.items()) + "}"


def _told(parameter: Parameter) -> str:
    """Return a parameter in a few words."""
    wave = parameter.waveform
    still = str(replace(parameter, waveform=None).dump()).replace("'", "")
    return still if wave is None else f"{still} times {next(iter(wave.keyed_dump()))}"


class _ParametersOf:
    """Metadata of the field with the parameters."""

    def read(self, data: Any, info: ValidationInfo) -> Parameters:
        """Return the parameters; raises ValidationError with all that is wrong."""
        if isinstance(data, Parameters):
            return data
        if not isinstance(data, Mapping):
            what = f"parameters are a mapping of names, not {name_of(data)}"
            raise custom_error("keyed", what, "{K: 3 kJ/m^3, u: [0, 0, 1]}")
        collect, found = Collector(), Parameters()
        for key, body in data.items():
            try:
                check_name(str(key))
            except ExpressionError as error:
                collect.add((key,), custom_error("unknown_key", str(error), error.allowed), body)
                continue
            found[str(key)] = collect.run(
                (key,), lambda item: _read_one(item, info), body, ScalarParameter(0.0)
            )
        collect.raise_if_any()
        return found

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda items: {name: value.dump() for name, value in items.items()}
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        value = {"type": ["number", "string", "array", "object"]}
        return {"type": "object", "additionalProperties": value}


def _read_one(data: Any, info: ValidationInfo) -> Parameter:
    """Return a scalar or a vector, whichever its first value is."""
    if isinstance(data, Parameter):
        return data
    dimensions = {parse(text)[1] for text in _texts(data) if _has_unit(text)}
    if len({unit.dimension for unit in dimensions if unit is not None}) > 1:
        raise custom_error("quantity", "the values are of different dimensions", "one dimension")
    first = data
    while isinstance(first, Mapping):
        first = next((first[key] for key in ("value", "default") if key in first), None)
    vector = isinstance(first, (list, tuple)) or (
        isinstance(first, np.ndarray) and first.ndim in (1, 4)
    )
    return read_parameter(VectorParameter if vector else ScalarParameter, _ANY, data, info)


def _texts(data: Any) -> Iterator[str]:
    """Yield the texts among the values of a parameter."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from () if key in ("waveform", "file") else _texts(value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from _texts(value)


def _has_unit(text: str) -> bool:
    try:
        return parse(text)[1] is not None
    except UnitError:
        return False  # told by what reads the value


def _three(data: Any) -> Any:
    """Refuse a list of expressions that is none of three."""
    if isinstance(data, (list, tuple)):
        # YAML reads a component that is just a number as one.
        texts = [
            str(x) if isinstance(x, (int, float)) and not isinstance(x, bool) else x for x in data
        ]
        if len(texts) != 3 or not all(isinstance(x, str) for x in texts):
            what = "the field has three components, or is one expression of a vector"
            raise custom_error("expression", what, "[expression, expression, expression]")
        return tuple(texts)
    if not isinstance(data, str):
        what = f"{name_of(data)} is not an expression"
        raise custom_error("expression", what, "a text, or a list of three")
    return data


def _text(data: Any) -> Any:
    return str(data) if isinstance(data, (int, float)) and not isinstance(data, bool) else data


class Custom(EnergyTerm):
    r"""A term whose field and energy density the run file gives, as expressions of CUDA C.

    .. math:: e = e(m), \qquad B = -\frac{1}{M_s} \frac{\partial e}{\partial m}

    They are compiled into the kernels like any other term. Since the text runs as a program on this
    machine, it needs ``--allow-custom-code`` (in Python ``allow_custom_code=True``). Before the run the
    field is held against the derivative of the energy, at random m and by finite differences.

    Expressions know ``m``, ``Ms`` [A/m], ``inv_Ms`` (0 where there is no magnet), ``gamma``, the centre
    of the cell ``x``, ``y``, ``z`` [m] in the frame of the mesh, ``pi``, the neighbours ``s.xm``,
    ``s.xp``, ``s.ym``, ``s.yp``, ``s.zm``, ``s.zp`` (the cell itself where there is none) and
    ``s.inv_dx``, ``s.inv_dy``, ``s.inv_dz`` [1/m]; in the energy density also ``B``, the field of this
    term: ``-0.5 * Ms * dot(m, B)`` of a field linear in m, ``-Ms * dot(m, B)`` of one that m has no part
    in. Vectors have ``.x``, ``.y``, ``.z``, ``dot``, ``cross``, ``norm`` and ``vec(x, y, z)``; all
    functions of C are there. Time enters by the waveforms of parameters. Of an energy between neighbours
    each of both cells has half.

    ==============  =====  ==================================  =========================================
    name            unit   shape                               meaning
    ==============  =====  ==================================  =========================================
    energy_density  J/m^3  expression                          e of the cell
    field           T      expression, or three                B of the cell, a vector
    parameters      any    per region or cell, time            numbers and vectors that they may name
    ==============  =====  ==================================  =========================================

    Raises
    ------
    pydantic.ValidationError
        A text is no expression, or a name cannot be one of a parameter.

    Source: W. F. Brown, Micromagnetics (Wiley, 1963), for the field as the derivative of the energy.
    """

    runs_code: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {
        "energy_density": "-K * m.z * m.z * m.z * m.z",
        "field": ["0", "0", "4 * K * inv_Ms * m.z * m.z * m.z"],
        "parameters": {"K": 4e5},
    }

    energy_density: Annotated[str, BeforeValidator(_text)]
    """Energy density, an expression [J/m^3]."""
    field: Annotated[str | tuple[str, str, str], BeforeValidator(_three)]
    """Field, an expression of a vector or three of its components [T]."""
    given: Annotated[Parameters, _ParametersOf()] = Field(Parameters(), alias="parameters")
    """Numbers and vectors by the names that the expressions use."""

    @model_validator(mode="after")
    def _readable(self) -> Custom:
        collect = Collector()
        for label, text in self.texts():
            loc: tuple[str | int, ...] = (label[0],) if label[1] is None else (label[0], label[1])
            try:
                found = read_expression(text, self._members())
                if label[0] == _FIELD and "B" in found.names:
                    what = "B is the field itself, which the energy density may use"
                    raise ExpressionError(what, "an expression without B")
            except ExpressionError as error:
                collect.add(loc, custom_error("expression", str(error), error.allowed), text)
        collect.raise_if_any()
        return self

    @classmethod
    def function(cls) -> str:
        """Return the name of the device function: every set of expressions has its own."""
        return cls.__name__.lower()

    @classmethod
    def declared_parameters(cls) -> dict[str, int]:
        """Return what the kernel reads; of the class itself nothing, for the run file declares it."""
        declared = super().declared_parameters()
        return {name: count for name, count in declared.items() if name.startswith(_PREFIX)}

    def texts(self) -> list[tuple[tuple[str, int | None], str]]:
        """Return the expressions with their keys, and the number of the component or None."""
        fields: list[tuple[tuple[str, int | None], str]] = (
            [((_FIELD, None), self.field)]
            if isinstance(self.field, str)
            else [((_FIELD, i), text) for i, text in enumerate(self.field)]
        )
        return [((_ENERGY, None), self.energy_density), *fields]

    def expressions(self) -> dict[tuple[str, int | None], Expression]:
        """Return the expressions as the kernel has them."""
        return {label: read_expression(text, self._members()) for label, text in self.texts()}

    def _members(self) -> dict[str, str]:
        return {name: f"p.{_PREFIX}{name}" for name in [*self.given, *POSITION]}

    def resolved(self, surroundings: Surroundings) -> Custom:
        """Return the term with its parameters as members of a class of its own; see the base class."""
        names = ("default", *surroundings.regions)
        for name, parameter in self.given.items():
            for region in parameter.region_names:
                if region not in names:
                    what = f"no region is called {region!r}{did_you_mean(region, names)}"
                    raise custom_error("region", what, ", ".join(names), f"parameters.{name}")
        values = dict(self.given)
        used = frozenset().union(*(e.names for e in self.expressions().values()))
        for number, axis in enumerate(POSITION):
            if axis not in used:
                continue
            if surroundings.mesh.is_endless(number):
                what = f"{axis} of a cell changes as the window moves"
                raise custom_error("term", what, f"no {axis}, or no mesh.window", _ENERGY)
            place = np.broadcast_to(surroundings.mesh.grid()[number], surroundings.mesh.shape)
            values[axis] = ScalarParameter(1.0, array=place)
        kinds = tuple((name, type(value)) for name, value in values.items())
        cls = _class_of(self.energy_density, self.field, kinds)
        members = {f"{_PREFIX}{name}": value for name, value in values.items()}
        return cls.model_construct(None, **dict(self), **members)

    def snippet(self, text: str) -> str:
        """Return the device function with the expressions in it; see the base class."""
        name, found = self.function(), self.expressions()
        density = _placed(name, _ENERGY, None, found)
        if isinstance(self.field, str):
            field = _placed(name, _FIELD, None, found)
        else:
            field = f"V{{{', '.join(_placed(name, _FIELD, i, found) for i in range(3))}}}"
        text = text.replace("custom(", f"{name}(").replace("Custom&", f"{type(self).__name__}&")
        return text.replace("= FIELD;", f"= {field};").replace("= ENERGY_DENSITY;", f"= {density};")


def _placed(
    name: str,
    part: str,
    number: int | None,
    found: Mapping[tuple[str, int | None], Expression],
) -> str:
    """Return the expression on a line of its own, between lines that tell what it is."""
    # Functions, so that a value of the wrong kind is found in the expression and not beside it.
    kind = "as_vector" if part == _FIELD and number is None else "as_number"
    label = f"{name}.{part}" + ("" if number is None else f".{number}")
    return f"{kind}(\n// {label}\n{found[part, number].text}\n// {name}\n)"


@lru_cache(maxsize=256)
def _class_of(
    energy_density: str,
    field: str | tuple[str, str, str],
    kinds: tuple[tuple[str, type[Parameter]], ...],
) -> type[Custom]:
    """Return the class of all terms with these expressions and kinds of parameters."""
    words = repr((energy_density, field, [(name, kind.__name__) for name, kind in kinds]))
    members: dict[str, Any] = {
        f"{_PREFIX}{name}": (Annotated[kind, _ANY], ...) for name, kind in kinds
    }
    digest = hashlib.sha256(words.encode()).hexdigest()[:12]
    return create_model(f"Custom_{digest}", __base__=Custom, __module__=__name__, **members)
