"""Classes of the Python interface that tell of wrong arguments as a run file is told of wrong keys."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, RootModel, ValidationError

from micromag.config_problems import node_of, problems_of, raise_problems
from micromag.errors import ConfigError
from micromag.yaml_source import Place


class Checked(BaseModel):
    """Base of all that a user builds in Python: ``Mesh(...)``, ``Exchange(...)``, ``RunConfig(...)``.

    Raises
    ------
    ConfigErrors
        With everything that is wrong with the arguments, and what is allowed.
    """

    def __init__(self, /, *root: Any, **arguments: Any) -> None:
        cls = type(self)
        if root and not issubclass(cls, RootModel):
            raise ConfigError(
                f"{cls.__name__} takes its values by name",
                value=", ".join(map(repr, root)),
                allowed=", ".join(f"{info.alias or k}=..." for k, info in cls.model_fields.items()),
            )
        try:
            super().__init__(*root, **arguments)
        except ValidationError as error:
            tree = node_of(root[0] if root else arguments, Place(f"{cls.__name__}(...)", 0, 1))
            raise_problems(problems_of(error, tree, cls), "the arguments")
            raise

    # Within a larger model pydantic goes on without this, so that it collects all errors.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]
