"""A shape drawn as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from micromag.errors import ConfigError, UnreadableInputError
from micromag.geometry.base import Coordinates, Mask, Shape, margin
from micromag.input_file import InputFile
from micromag.mesh import Mesh


class Image(Shape):
    r"""The dark pixels of a picture stretched over the xy extent of the mesh, a column along z.

    Black is magnet and white is empty, as in mumax3 (A. Vansteenkiste et al., AIP Adv. 4, 107133
    (2014)). The top row of the picture is at the largest y. A point takes the pixel it falls in:
    it is inside if the luminance, 0 (black) to 1 (white), of that pixel is below the threshold.
    Transparent pixels count as white.

    ==========  ====  =====  ==================================
    name        unit  shape  default
    ==========  ====  =====  ==================================
    file        1     ()     required: PNG, TIFF, BMP, JPEG ...
    threshold   1     ()     0.5
    ==========  ====  =====  ==================================

    Raises
    ------
    UnreadableInputError
        If the file is absent or no picture.
    ConfigError
        If Pillow, which reads pictures, is not installed.
    """

    file: InputFile
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5

    def contains(self, x: Coordinates, y: Coordinates, z: Coordinates, mesh: Mesh) -> Mask:
        """Return which points lie inside; see ``Shape.contains``."""
        dark = _luminance(self.file) < self.threshold
        rows, columns = dark.shape
        (x0, y0, _), (sx, sy, _), tolerance = mesh.lower_corner, mesh.size, margin(mesh)
        i = np.floor((x - x0 + tolerance) / sx * columns).astype(np.intp)
        j = np.floor((y - y0 + tolerance) / sy * rows).astype(np.intp)
        # Beyond the mesh a moving window sees the outermost pixels continued.
        on_picture = (mesh.is_endless(0) | ((i >= 0) & (i < columns))) & (
            mesh.is_endless(1) | ((j >= 0) & (j < rows))
        )
        return on_picture & dark[(rows - 1 - j).clip(0, rows - 1), i.clip(0, columns - 1)]

    def input_files(self) -> tuple[Path, ...]:
        """Return the picture's path."""
        return (self.file,)


def _luminance(path: Path) -> np.ndarray:
    """Return the luminance of a picture on white ground, shape ``(rows, columns)``, 0 to 1."""
    try:
        from PIL import Image as Pillow
    except ImportError:
        raise ConfigError(
            "pictures need the package Pillow, which is not installed",
            where="geometry.image",
            value=path,
            next_step="pip install pillow",
        ) from None
    try:
        with Pillow.open(path) as picture:
            layers = np.asarray(picture.convert("RGBA"), dtype=np.float64) / 255
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise UnreadableInputError(
            f"this picture cannot be read: {error}",
            where="geometry.image.file",
            value=path,
            allowed="a PNG, TIFF, BMP or JPEG file",
        ) from error
    # The weights of ITU-R BT.601, as in Pillow's own conversion to grey.
    grey = layers[..., :3] @ np.array([0.299, 0.587, 0.114])
    opacity = layers[..., 3]
    return grey * opacity + (1 - opacity)
