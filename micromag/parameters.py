"""Physical values of a run: numbers, vectors, and parameters that vary by region, cell and time.

``Annotated[float, Quantity("s", gt=0)]`` in a pydantic model makes a field that takes a number in
SI or a text with a unit; ``Annotated[ScalarParameter, Quantity("J/m")]`` and
``Annotated[VectorParameter, Quantity("T", time_dependent=True)]`` also take a value per region, a
file, an array and a waveform.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from micromag.suggest import did_you_mean
from micromag.units import UnitError, describe, parse_unit, to_si

if TYPE_CHECKING:
    from micromag.excitation.base import Waveform

Vector = tuple[float, float, float]
"""Three Cartesian components (x, y, z)."""

Value = TypeVar("Value")

RESERVED_NAMES = ("default", "value", "waveform", "file")
"""Words of the format, which no region may be called."""

_DIRECTIONS: dict[str, Vector] = {
    f"{sign}{axis}": tuple(  # type: ignore[misc]
        (-1.0 if sign == "-" else 1.0) if axis == other else 0.0 for other in "xyz"
    )
    for axis in "xyz"
    for sign in ("", "+", "-")
}


@dataclass(frozen=True, eq=False)
class Parameter(Generic[Value]):
    """A physical parameter of a term or of the material, in SI.

    Its value in a cell is ``w(t) * value(region) * field(cell)``, with w = 1 without a waveform and
    field = 1 (or the cell's own value, ``value`` being 1) without a file or an array.

    Attributes
    ----------
    value
        Of every cell in no region named in ``regions``; 1 where ``file`` or ``array`` is set.
    regions
        Value by region name.
    pairs
        Value of the interface between two regions, by their sorted names.
    file
        File with one value per cell, absolute.
    array
        One value per cell, shape ``(nz, ny, nx)`` or ``(3, nz, ny, nx)``.
    waveform
        Multiplies the whole parameter by w(t).
    """

    value: Value
    regions: Mapping[str, Value] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], Value] = field(default_factory=dict)
    file: Path | None = None
    array: NDArray[np.float64] | None = None
    waveform: Waveform | None = None

    @property
    def is_uniform(self) -> bool:
        """Whether every cell has the same value at every interface."""
        return not (self.regions or self.pairs or self.is_per_cell)

    @property
    def is_per_cell(self) -> bool:
        """Whether every cell has a value of its own, from a file or an array."""
        return self.file is not None or self.array is not None

    @property
    def region_names(self) -> tuple[str, ...]:
        """Names of all regions that are mentioned."""
        names = [*self.regions, *(name for pair in self.pairs for name in pair)]
        return tuple(dict.fromkeys(name for name in names if name != "default"))

    def of_region(self, name: str) -> Value:
        """Return the value in region ``name`` (``"default"`` for the rest)."""
        return self.regions.get(name, self.value)

    def dump(self) -> Any:
        """Return plain run-file data which, read again, gives an equal parameter.

        An array cannot be written into a run file: it is named there by shape and digest.
        """
        data: Any = _plain(self.value)
        if self.file is not None:
            data = {"file": str(self.file)}
        elif self.array is not None:
            data = {"file": f"<array of shape {self.array.shape} given in Python>"}
        elif self.regions or self.pairs:
            data = {"default": data}
            data |= {name: _plain(value) for name, value in self.regions.items()}
            data |= {":".join(pair): _plain(value) for pair, value in self.pairs.items()}
        if self.waveform is None:
            return data
        return {"value": data, "waveform": self.waveform.keyed_dump()}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Parameter)
        mine = (self.value, self.regions, self.pairs, self.file, self.waveform)
        theirs = (other.value, other.regions, other.pairs, other.file, other.waveform)
        if mine != theirs or (self.array is None) != (other.array is None):
            return False
        return self.array is None or np.array_equal(self.array, other.array)  # type: ignore[arg-type]

    def __hash__(self) -> int:
        return hash((self.value, tuple(self.regions), self.file))


class ScalarParameter(Parameter[float]):
    """A parameter with one number per cell."""


class VectorParameter(Parameter[Vector]):
    """A parameter with a vector per cell."""


@dataclass(frozen=True)
class Quantity:
    """What a physical value must be: unit, limits and forms. Metadata of ``Annotated``.

    Attributes
    ----------
    unit
        SI unit; numbers are in it, texts are converted to it.
    gt, ge, lt, le
        Limits (of each component of a vector).
    unit_vector
        A direction: normalised, zero refused, ``"+z"`` and the like understood.
    time_dependent
        A waveform may multiply the parameter.
    pairs
        Values for interfaces of two regions, ``"a:b"``, may be given.
    """

    unit: str
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    unit_vector: bool = False
    time_dependent: bool = False
    pairs: bool = False

    def number(self, data: Any) -> float:
        """Return one number in SI; raises PydanticCustomError with what is wrong and allowed."""
        if isinstance(data, str):
            try:
                value = to_si(data, self.unit)
            except UnitError as error:
                raise self._error(str(error)) from None
        elif isinstance(data, numbers.Real) and not isinstance(data, (bool, np.bool_)):
            try:
                value = float(data)
            except OverflowError:
                raise self._error("the number is too large") from None
        elif data is None:
            raise self._error("the value is missing")
        else:
            raise self._error(f"{name_of(data)} is not {describe(self.unit)}")
        if not math.isfinite(value):
            raise self._error(f"{value} is not a finite number")
        if not self._within(value):
            raise self._error(f"{data if isinstance(data, str) else value} is out of range")
        return value

    def vector(self, data: Any) -> Vector:
        """Return a vector in SI; raises as `number`, or ValidationError for its components."""
        if self.unit_vector and isinstance(data, str):
            if data.strip() not in _DIRECTIONS:
                raise self._error(f"{data!r} is not a direction")
            return _DIRECTIONS[data.strip()]
        if isinstance(data, np.ndarray):
            data = data.tolist()
        if not isinstance(data, (list, tuple)):
            raise self._error(f"a vector [x, y, z] is needed, not {name_of(data)}")
        if len(data) != 3:
            raise self._error(f"a vector has 3 components, not {len(data)}")
        collect = Collector()
        x, y, z = (collect.run((i,), self.number, item, 0.0) for i, item in enumerate(data))
        collect.raise_if_any()
        return self._normalised((x, y, z)) if self.unit_vector else (x, y, z)

    def _normalised(self, v: Vector) -> Vector:
        largest = max(abs(c) for c in v)
        if largest == 0:
            raise self._error("the zero vector has no direction")
        if abs(v[0] ** 2 + v[1] ** 2 + v[2] ** 2 - 1) <= 1e-15:
            return (
                v  # normalising once more would change the last digit: dumps must read back equal
            )
        x, y, z = (c / largest for c in v)
        norm = math.sqrt(x * x + y * y + z * z)
        return (x / norm, y / norm, z / norm)

    def check_array(self, data: NDArray[np.float64]) -> None:
        """Raise PydanticCustomError if any number in an array is not finite or out of range."""
        if not np.all(np.isfinite(data)):
            raise self._error("the array has numbers that are not finite")
        if not self._within(data):
            raise self._error("the array has numbers that are out of range")

    def _within(self, value: Any) -> bool:
        return bool(
            (self.gt is None or np.all(value > self.gt))
            and (self.ge is None or np.all(value >= self.ge))
            and (self.lt is None or np.all(value < self.lt))
            and (self.le is None or np.all(value <= self.le))
        )

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        unit = "" if parse_unit(self.unit).dimension == (0, 0, 0, 0, 0) else f" {self.unit}"
        limits = [
            f"{sign} {limit:g}{unit if limit else ''}"
            for sign, limit in ((">", self.gt), (">=", self.ge), ("<", self.lt), ("<=", self.le))
            if limit is not None
        ]
        if self.unit_vector:
            return "a direction: three numbers, or one of +x -x +y -y +z -z"
        what = describe(self.unit)
        return f"{what} {' and '.join(limits)}" if limits else what

    def _error(self, what: str) -> PydanticCustomError:
        return custom_error("quantity", what, self.allowed)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        metadata = {
            "vector": source not in (float, ScalarParameter),
            "one": source in (float, Vector),
        }
        if isinstance(source, type) and issubclass(source, Parameter):
            from micromag.parameter_forms import read_parameter

            def validate(data: Any, info: ValidationInfo) -> Any:
                return read_parameter(source, self, data, info)

            return core_schema.with_info_plain_validator_function(
                validate,
                serialization=core_schema.plain_serializer_function_ser_schema(source.dump),
                metadata=metadata,
            )
        if source is not float and source != Vector:
            raise TypeError(f"Quantity describes float, Vector or a Parameter, not {source!r}")
        read: Callable[[Any], Any] = self.number if source is float else self.vector
        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(_plain),
            metadata=metadata,
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        metadata = schema.get("metadata") or {}
        value: dict[str, Any] = {"type": ["number", "string"]}
        if metadata.get("vector"):
            value = {"type": "array", "items": value, "minItems": 3, "maxItems": 3}
        forms = [value]
        if self.unit_vector:
            forms.append({"enum": sorted(_DIRECTIONS)})
        if not metadata.get("one"):
            forms.append({"type": "object"})
        form = forms[0] if len(forms) == 1 else {"anyOf": forms}
        return {**form, "description": self.allowed, "x-unit": self.unit}


def _plain(value: Any) -> Any:
    """Return a vector as a list, a number as it is."""
    return list(value) if isinstance(value, tuple) else value


def name_of(data: Any) -> str:
    """Return what a user calls a piece of run-file data that is of the wrong kind."""
    if data is None:
        return "nothing"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, Mapping):
        return "a mapping"
    if isinstance(data, (list, tuple)):
        return "a list"
    if isinstance(data, BaseModel):
        return f"{type(data).__name__}(...)"
    return repr(data)


def custom_error(kind: str, what: str, allowed: str = "", key: str = "") -> PydanticCustomError:
    """Return an error that carries what is wrong and what is allowed to the run file's report.

    ``key`` is the key at fault where a whole section is judged.
    """
    return PydanticCustomError(kind, "{what}", {"what": what, "allowed": allowed, "key": key})


def key_problem(kind: str, cls: type[BaseModel], key: str) -> dict[str, str]:
    """Return what is wrong and allowed where a key of ``cls`` is unknown or missing."""
    fields = {info.alias or name: info for name, info in cls.model_fields.items()}
    if kind == "extra_forbidden":
        what = f"unknown key {key!r}{did_you_mean(key, fields)}"
        return {"what": what, "allowed": ", ".join(fields)}
    if kind == "missing":
        metadata = fields[key].metadata if key in fields else []
        quantities = [item.allowed for item in metadata if isinstance(item, Quantity)]
        return {"what": f"the key {key!r} is missing", "allowed": "".join(quantities[:1])}
    return {}


class Collector:
    """Collects the errors of parts of a value, each with its place in the value."""

    def __init__(self) -> None:
        self._errors: list[InitErrorDetails] = []

    def run(
        self, loc: tuple[str | int, ...], read: Callable[[Any], Any], data: Any, otherwise: Any
    ) -> Any:
        """Return ``read(data)``; on an error note it under ``loc`` and return ``otherwise``."""
        try:
            return read(data)
        except PydanticCustomError as error:
            self.add(loc, error, data)
        except ValidationError as error:
            self.merge(loc, error)
        return otherwise

    def add(self, loc: tuple[str | int, ...], error: PydanticCustomError, data: Any) -> None:
        self._errors.append(InitErrorDetails(type=error, loc=loc, input=data))

    def merge(
        self,
        loc: tuple[str | int, ...],
        error: ValidationError,
        cls: type[BaseModel] | None = None,
    ) -> None:
        """Take over the errors of a model of the class ``cls``, under ``loc``."""
        for item in error.errors(include_url=False):
            context = dict(item.get("ctx") or {})
            inner, kind = item["loc"], item["type"]
            if cls is not None and len(inner) == 1 and "what" not in context:
                context |= key_problem(kind, cls, str(inner[0]))
            if "what" in context:
                details = (context["what"], context.get("allowed", ""), context.get("key", ""))
                problem = custom_error(kind, *details)
                self.add((*loc, *inner), problem, item["input"])
                continue
            # Known to pydantic by its type and limits; its message alone goes on.
            template = item["msg"].replace("{", "(").replace("}", ")")
            plain = {k: v for k, v in context.items() if isinstance(v, (str, int, float))}
            same = PydanticCustomError(kind, template, plain)
            self.add((*loc, *inner), same, item["input"])

    def raise_if_any(self) -> None:
        if self._errors:
            raise ValidationError.from_exception_data("value", self._errors)
