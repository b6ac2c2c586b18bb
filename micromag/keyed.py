"""Choosing a class by its key: ``{sine: {frequency: 2 GHz}}`` in the run file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import core_schema

from micromag.parameters import Collector, custom_error, name_of
from micromag.registry import Registry
from micromag.suggest import did_you_mean

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class Keyed:
    """A field that holds one object of a registry: ``Annotated[Shape, Keyed(SHAPES, "shape")]``.

    Attributes
    ----------
    registry
        The classes by key.
    what
        What they are, for messages.
    nested
        Whether the field lies within an object of the same registry; its JSON schema stays open
        there, so that it ends.
    """

    registry: Registry[Any]
    what: str
    nested: bool = False

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        def validate(data: Any, info: ValidationInfo) -> Any:
            return read_keyed(self.registry, self.what, data, info)

        return core_schema.with_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda item: dump_keyed(self.registry, item)
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        keys = self.registry.keys()
        form: dict[str, Any] = {"type": "object", "minProperties": 1, "maxProperties": 1}
        if self.nested:
            return {**form, "propertyNames": {"enum": list(keys)}}
        bodies = {key: handler(self.registry.get(key).__pydantic_core_schema__) for key in keys}
        return {**form, "properties": bodies, "additionalProperties": False}


@dataclass(frozen=True, eq=False)
class KeyedMany:
    """A field that holds objects of a registry by key: ``{key: parameters, ...}``.

    Attributes
    ----------
    registry
        The classes by key.
    what
        What they are, for messages.
    """

    registry: Registry[Any]
    what: str

    def read(self, data: Any, info: ValidationInfo) -> dict[str, Any]:
        """Return the objects by key; raises ValidationError with all that is wrong."""
        if not isinstance(data, Mapping):
            message = f"a mapping is needed, not {name_of(data)}"
            raise custom_error("keyed", message, ", ".join(self.registry.keys()))
        collect, items = Collector(), {}
        for key, body in data.items():
            try:
                items[key] = read_body(self.registry, self.what, key, body, info)
            except ValidationError as error:
                collect.merge((), error)
        collect.raise_if_any()
        return items

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda items: {key: dump_body(item) for key, item in items.items()}
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        keys = self.registry.keys()
        bodies = {key: handler(self.registry.get(key).__pydantic_core_schema__) for key in keys}
        return {"type": "object", "properties": bodies, "additionalProperties": False}


def read_keyed(
    registry: Registry[Model], what: str, data: Any, info: ValidationInfo | None = None
) -> Model:
    """Return the object that a mapping of one key describes; ``what`` names the kind in messages.

    Raises
    ------
    PydanticCustomError, pydantic.ValidationError
        For no or several keys, an unknown key, or what is wrong within.
    """
    if isinstance(data, registry.base):
        return data
    allowed = ", ".join(registry.keys())
    if not isinstance(data, Mapping):
        message = f"{_with_article(what)} is a mapping of one key, not {name_of(data)}"
        raise custom_error("keyed", message, allowed)
    if len(data) != 1:
        given = ", ".join(map(str, data)) or "none"
        message = f"{_with_article(what)} has exactly one key, here: {given}"
        raise custom_error("keyed", message, allowed)
    ((key, body),) = data.items()
    return read_body(registry, what, key, body, info)


def read_body(
    registry: Registry[Model], what: str, key: Any, body: Any, info: ValidationInfo | None = None
) -> Model:
    """Return the object of ``key`` with the parameters ``body``; errors lie under ``key``."""
    collect = Collector()
    keys = registry.keys()
    if key not in keys:
        message = f"unknown {what} {str(key)!r}{did_you_mean(str(key), keys)}"
        collect.add((key,), custom_error("unknown_key", message, ", ".join(keys)), body)
        collect.raise_if_any()
    cls = registry.get(key)
    item: Model = collect.run((key,), lambda data: read_class(cls, data, info), body, None)
    collect.raise_if_any()
    return item


def read_class(cls: type[Model], body: Any, info: ValidationInfo | None = None) -> Model:
    """Return an object of ``cls`` from its parameters; nothing stands for none of them.

    Raises
    ------
    pydantic.ValidationError
        With the keys that are allowed where one is unknown.
    """
    if isinstance(body, cls):
        return body
    try:
        return cls.model_validate(
            {} if body is None else body, context=info.context if info is not None else None
        )
    except ValidationError as error:
        if not isinstance(body, Mapping) and error.errors()[0]["type"] == "model_type":
            keys = ", ".join(
                f"{info.alias or name}: ..." for name, info in cls.model_fields.items()
            )
            what = f"{name_of(body)} is not a mapping"
            raise custom_error("keyed", what, f"{{{keys}}}") from None
        collect = Collector()
        collect.merge((), error, cls)
        collect.raise_if_any()
        raise


def dump_keyed(registry: Registry[Any], item: BaseModel) -> dict[str, Any]:
    """Return ``{key: parameters}``, which reads back as an equal object."""
    return {registry.key_of(type(item)): dump_body(item)}


def dump_body(item: BaseModel) -> Any:
    """Return the parameters of an object as plain run-file data."""
    return item.model_dump(mode="json", by_alias=True, exclude_none=True)


def class_named(registry: Registry[Any], name: str) -> Any:
    """Return the class ``DomainWall`` of the key ``domain_wall``, for a package's ``__getattr__``.

    Raises
    ------
    AttributeError
        If the registry has no such class.
    """
    key = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    if not name[:1].isupper() or key not in registry.keys():
        raise AttributeError(f"module {registry.package!r} has no attribute {name!r}")
    return registry.get(key)


def _with_article(what: str) -> str:
    return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
