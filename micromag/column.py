"""What a column of a table is: a name, a unit and a description; and columns by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from numpy.typing import NDArray

from micromag.errors import ConfigError
from micromag.suggest import did_you_mean


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, unit (``""`` for a pure number) and what it is.

    ``integer`` columns (a step, a stage) are stored as 64-bit integers, all others as float64.
    """

    name: str
    unit: str = ""
    description: str = ""
    integer: bool = False


class NoSuchColumnError(ConfigError, KeyError):
    """A table has no column of that name."""

    __str__ = ConfigError.render  # KeyError would show it in quotes, on one line


class Columns(dict[str, NDArray[Any]]):
    """The columns of a table by name; a name that is none is answered with those that there are."""

    def __missing__(self, name: object) -> NoReturn:
        raise NoSuchColumnError(
            f"the table has no column {name!r}{did_you_mean(str(name), self)}",
            allowed=", ".join(self) or "nothing yet: no stage has been run",
            next_step="output.table.columns of the run file names what is recorded",
        )
