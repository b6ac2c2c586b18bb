"""Leave to run the code of a run file, which is given with every command and never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from micromag.errors import ConfigError

if TYPE_CHECKING:
    from micromag.config import RunConfig


def code_in(config: RunConfig) -> list[str]:
    """Return the key paths of the terms of a configuration that are code."""
    sections = (("energy", config.energy), ("torques", config.torques))
    found = [f"{name}.{key}" for name, terms in sections for key, term in terms if term.runs_code]
    return list(dict.fromkeys(found))


def require_permission(config: RunConfig) -> None:
    """Raise ConfigError where a configuration holds code that may not run."""
    places = code_in(config)
    if places and not config.custom_code_allowed:
        raise ConfigError(
            "the run file holds code, which is compiled and runs as a program with all your rights",
            where=", ".join(places),
            allowed="--allow-custom-code; in Python allow_custom_code=True",
            next_step="read the expressions (micromag validate shows them), and give the option if you "
            "trust who wrote them",
        )
