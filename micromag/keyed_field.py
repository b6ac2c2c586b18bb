"""A field of a model that holds one object of a registry, and a package's classes by name."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from micromag.keyed import read_keyed
from micromag.registry import Registry

Model = TypeVar("Model", bound=BaseModel)


class Keyed(Generic[Model]):
    """Pydantic metadata: ``Annotated[Shape, Keyed(SHAPES, "shape")]`` reads ``{box: {...}}``.

    The field also takes an object of the base class, and dumps to the mapping of one key.

    Parameters
    ----------
    registry
        Where the keys come from; a module is imported only when its key is met.
    what
        What one of them is called in messages.
    nested
        True where the field is a part of its own kind (a union of shapes): the JSON schema then does
        not spell the kinds out again.

    Raises
    ------
    pydantic.ValidationError
        If there is not exactly one key, the key is unknown, or its parameters are wrong.
    """

    def __init__(self, registry: Registry[Model], what: str, *, nested: bool = False) -> None:
        self.registry = registry
        self.what = what
        self.nested = nested

    def dump(self, value: Model, mode: str = "python") -> dict[str, Any]:
        """Return the one-key mapping that describes an object."""
        return {self.registry.key_of(type(value)): value.model_dump(mode=mode, by_alias=True)}

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def validate(value: Any, info: core_schema.ValidationInfo) -> Model:
            return read_keyed(self.registry, self.what, value, info)

        def dump(value: Model, info: core_schema.SerializationInfo) -> dict[str, Any]:
            return self.dump(value, info.mode)

        return core_schema.with_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(dump, info_arg=True),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        keys = self.registry.keys()
        result: JsonSchemaValue = {"type": "object", "minProperties": 1, "maxProperties": 1}
        if self.nested:
            return result | {"propertyNames": {"enum": list(keys)}}
        properties = {k: handler(self.registry.get(k).__pydantic_core_schema__) for k in keys}
        return result | {"properties": properties, "additionalProperties": False}


def class_named(registry: Registry[Model], name: str) -> type[Model]:
    """Return the class of a registry by its own name, ``DomainWall`` for the key ``domain_wall``.

    Raises
    ------
    AttributeError
        If there is none: this serves the ``__getattr__`` of a registry's package.
    """
    key = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    known = registry.keys()
    if name[:1].isupper() and key in known:
        cls = registry.get(key)
        if cls.__name__ == name:
            return cls
    raise AttributeError(f"module {registry.package!r} has no attribute {name!r}")
