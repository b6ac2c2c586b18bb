"""The fields ``energy`` and ``torques``, and what must agree between sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import core_schema

from micromag.config_sections import named_parameters
from micromag.keyed import dump_body, read_class
from micromag.parameters import RESERVED_NAMES, Collector, Parameter, custom_error, name_of
from micromag.suggest import did_you_mean
from micromag.terms import TERMS, Term

Terms = tuple[tuple[str, Term], ...]
"""Terms with their keys, those of one key together, in the order of the run file."""

_SECTIONS = {"energy": "energy", "noise": "energy", "torque": "torques"}
Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class TermsOf:
    """Metadata of a field with terms of one kind: ``{key: parameters or list of them}``."""

    kind: Literal["energy", "torque"]
    """Of noise it is ``energy``: a field, though one without an energy."""

    def read(self, data: Any, info: ValidationInfo) -> Terms:
        """Return the terms; raises ValidationError with all that is wrong."""
        if isinstance(data, Term):
            data = [data]
        if isinstance(data, (list, tuple)):  # from Python: terms, or pairs of key and term
            wrong = [item for item in data if not isinstance(item, (Term, tuple))]
            if wrong:
                what = f"a list of terms such as Exchange(A=...) is needed; {name_of(wrong[0])} is none"
                raise custom_error("terms", what, ", ".join(_keys(self.kind)))
            pairs = [
                item if isinstance(item, tuple) else (TERMS.key_of(type(item)), item)
                for item in data
            ]
            grouped: dict[str, Any] = {}
            for key, term in pairs:
                grouped.setdefault(key, []).append(term)
            data = grouped
        if data is None:
            data = {}
        if not isinstance(data, Mapping):
            allowed = ", ".join(_keys(self.kind))
            what = f"{_SECTIONS[self.kind]} is a mapping of terms, not {name_of(data)}"
            raise custom_error("terms", what, allowed)
        collect, terms = Collector(), []
        for key, body in data.items():
            bodies = body if isinstance(body, list) else [body]
            if not bodies:
                collect.add((key,), custom_error("terms", f"an empty list of {key!r}"), body)
            for i, item in enumerate(bodies):
                loc: Loc = (key, i) if isinstance(body, list) else (key,)
                term = self._read_one(key, item, loc, info, collect)
                terms.append((key, term))
        collect.raise_if_any()
        return tuple(terms)

    def _read_one(
        self, key: str, item: Any, loc: Loc, info: ValidationInfo, collect: Collector
    ) -> Any:
        if key not in TERMS.keys():
            keys = _keys(self.kind)
            near = did_you_mean(str(key), TERMS.keys())
            what = f"unknown term {str(key)!r}{near}"
            collect.add((key,), custom_error("unknown_key", what, ", ".join(keys)), item)
            return None
        kind = TERMS.get(key).kind
        if _SECTIONS[kind] != _SECTIONS[self.kind]:
            article = "a torque" if kind == "torque" else "an energy"
            what = f"{key} is {article} term; it belongs under {_SECTIONS[kind]}:"
            collect.add(
                (key,), custom_error("unknown_key", what, ", ".join(_keys(self.kind))), item
            )
            return None
        cls = TERMS.get(key)
        return collect.run(loc, lambda data: read_class(cls, data, info), item, None)

    def dump(self, terms: Terms) -> dict[str, Any]:
        """Return the run-file form."""
        data: dict[str, Any] = {}
        for key, term in terms:
            data.setdefault(key, []).append(dump_body(term))
        return {key: bodies[0] if len(bodies) == 1 else bodies for key, bodies in data.items()}

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.dump)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        properties = {}
        for key in _keys(self.kind):
            body = handler(TERMS.get(key).__pydantic_core_schema__)
            properties[key] = {"anyOf": [body, {"type": "array", "items": body, "minItems": 1}]}
        return {"type": "object", "properties": properties, "additionalProperties": False}


EnergyField = Annotated[Terms, TermsOf("energy")]
TorquesField = Annotated[Terms, TermsOf("torque")]


def check_regions(data: Mapping[str, Any], collect: Collector) -> None:
    """Note region names that cannot be, and those that parameters mention and nobody defines.

    Works on what the user gave, so that it reports also where other things are wrong.
    """
    regions = data.get("regions") or {}
    if not isinstance(regions, Mapping):
        return
    for name in regions:
        if name in RESERVED_NAMES:
            what = f"a region may not be called {name!r}"
            collect.add(("regions", name), custom_error("region", what), name)
        elif not _is_name(str(name)):
            what = f"{str(name)!r} is not a name for a region"
            allowed = "letters, digits, _ and -, beginning with a letter"
            collect.add(("regions", name), custom_error("region", what, allowed), name)
    for loc, name in _mentioned(data):
        if name not in regions:
            what = f"no region is called {name!r}{did_you_mean(name, regions)}"
            allowed = ", ".join(dict.fromkeys(map(str, ("default", *regions))))
            collect.add(loc, custom_error("region", what, allowed), name)


def _keys(kind: str) -> tuple[str, ...]:
    return tuple(key for key in TERMS.keys() if _SECTIONS[TERMS.get(key).kind] == _SECTIONS[kind])


def _is_name(name: str) -> bool:
    return name.replace("-", "_").isidentifier()


def _mentioned(data: Mapping[str, Any]) -> Iterator[tuple[Loc, str]]:
    """Yield the region names in all parameters, with their locations."""
    yield from _in_section(("material",), data.get("material"))
    for section in ("energy", "torques"):
        terms = data.get(section)
        if isinstance(terms, (list, tuple)):
            terms = dict(enumerate(terms))
        for key, bodies in terms.items() if isinstance(terms, Mapping) else ():
            many = isinstance(bodies, list)
            for i, body in enumerate(bodies if many else [bodies]):
                loc = (section, key, i) if many else (section, key)
                yield from _in_section(loc, body[1] if isinstance(body, tuple) else body)


def _in_section(loc: Loc, body: Any) -> Iterator[tuple[Loc, str]]:
    for key, value in named_parameters(body).items():
        inner = (*loc, key)
        if isinstance(value, Mapping) and "value" in value:
            value, inner = value["value"], (*inner, "value")
        if isinstance(value, Parameter):
            yield from ((inner, name) for name in value.region_names)
        elif isinstance(value, Mapping) and "default" in value and "file" not in value:
            for word in value:
                names = [part.strip() for part in str(word).split(":")]
                yield from (((*inner, word), name) for name in names if name != "default")
