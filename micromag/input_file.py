"""Files that a run file names: found relative to its folder, and checked to be there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from micromag.parameters import custom_error, name_of

UNREADABLE = "unreadable_file"
"""Type of the validation error of a file that cannot be read; such a run ends with exit code 6."""


def resolve_input(data: Any, info: ValidationInfo) -> Path:
    """Return the path of an input file.

    Where the validation context has a ``directory`` (the run file's), a relative path counts from
    there, becomes absolute, so that a stored configuration still finds it, and must be readable.

    Raises
    ------
    PydanticCustomError
        Of the type ``UNREADABLE`` when there is no such file, it is a folder or not readable.
    """
    if not isinstance(data, (str, Path)) or not str(data).strip() or "\0" in str(data):
        raise custom_error("file", f"{name_of(data)} is not a file name", "path of a file")
    directory = (info.context or {}).get("directory")
    if directory is None:
        return Path(data)
    path = Path(os.path.abspath(Path(directory) / Path(data).expanduser()))
    check_readable(path)
    return path


def check_readable(path: Path) -> None:
    """Raise PydanticCustomError of the type ``UNREADABLE`` unless ``path`` is a readable file."""
    if path.is_dir():
        raise custom_error(UNREADABLE, f"{path} is a folder", "a file")
    try:
        path.stat()
    except OSError as error:
        reason = "there is no file" if isinstance(error, FileNotFoundError) else "cannot read"
        raise custom_error(UNREADABLE, f"{reason} {path}", "a file that exists") from None
    if not path.is_file() or not os.access(path, os.R_OK):
        raise custom_error(UNREADABLE, f"{path} cannot be read", "a readable file")


InputFile = Annotated[Path, BeforeValidator(resolve_input)]
"""Field of a model that names a file to read."""
