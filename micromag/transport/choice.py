"""Descriptions in the run file that say by ``model`` which class they are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, BeforeValidator, ValidationInfo

from micromag.keyed import read_class
from micromag.parameters import custom_error, name_of
from micromag.suggest import did_you_mean

__all__ = ["read_model", "whole"]


def read_model(
    classes: tuple[type[BaseModel], ...], data: Any, info: ValidationInfo | None = None
) -> Any:
    """Return the object that a mapping with the key ``model`` describes.

    Parameters
    ----------
    classes
        The classes; the literals that the field ``model`` of each allows tell them apart.
    data
        The mapping, or an object of one of the classes.
    info
        Of the validation in which this takes place.

    Raises
    ------
    PydanticCustomError, pydantic.ValidationError
        There is no such model, or what is wrong within.
    """
    if isinstance(data, classes):
        return data
    models = {m: cls for cls in classes for m in get_args(cls.model_fields["model"].annotation)}
    allowed = ", ".join(models)
    if not isinstance(data, Mapping):
        raise custom_error(
            "model", f"a mapping with 'model' is needed, not {name_of(data)}", allowed
        )
    if "model" not in data:
        raise custom_error("model", "the key 'model' is missing", allowed)
    model = data["model"]
    if model not in models:
        what = f"unknown model {name_of(model)}{did_you_mean(str(model), models)}"
        raise custom_error("model", what, allowed, "model")
    return read_class(models[model], data, info)


def whole(cls: type[BaseModel]) -> BeforeValidator:
    """Return what tells of wrong and missing keys of a nested ``cls`` as of those of a section."""

    def read(data: Any, info: ValidationInfo) -> Any:
        return read_class(cls, data, info)

    return BeforeValidator(read)
