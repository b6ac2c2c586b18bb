"""The lengths and frequencies that a run's materials set: exchange length, wall, fastest wave."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micromag.constants import MU_0

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.parameters import Parameter


@dataclass(frozen=True)
class Magnet:
    """The material of one region, as far as it is uniform there.

    Attributes
    ----------
    region
        Its name.
    Ms
        Saturation magnetization [A/m], positive.
    A
        Exchange stiffness [J/m]; 0 without exchange.
    Ku1
        First-order constant [J/m^3] of the only uniaxial anisotropy; None if there is none or several.
    shape
        Energy density [J/m^3] that the stray field of the whole mesh takes off it.
    """

    region: str
    Ms: float
    A: float
    Ku1: float | None
    shape: float

    @property
    def exchange_length(self) -> float:
        """sqrt(2 A / (mu0 Ms^2)) [m]."""
        return math.sqrt(2 * self.A / (MU_0 * self.Ms**2))

    @property
    def wall_parameter(self) -> float | None:
        """sqrt(A / K_eff) [m], with K_eff = Ku1 less the shape's; None where K_eff <= 0."""
        if self.Ku1 is None or self.Ku1 <= self.shape or self.A == 0:
            return None
        return math.sqrt(self.A / (self.Ku1 - self.shape))


def magnets(config: RunConfig) -> list[Magnet]:
    """Return the material of each region that is magnetic and does not vary from cell to cell."""
    found = []
    for region in ("default", *config.regions):
        Ms = value_in(config.material.Ms, region)
        A = sum_in(config, "exchange", "A", region)
        if not Ms or A is None:
            continue
        anisotropies = [term for key, term in config.energy if key == "uniaxial_anisotropy"]
        Ku1, shape = None, 0.0
        if len(anisotropies) == 1:
            term: Any = anisotropies[0]
            Ku1, axis = value_in(term.Ku1, region), value_in(term.axis, region)
            if axis is not None and has_energy(config, "demag"):
                shape = MU_0 * Ms**2 / 2 * _shape_factor(config, axis)
        found.append(Magnet(region, Ms, A, Ku1, shape))
    return found


def _shape_factor(config: RunConfig, axis: Any) -> float:
    """Return N along ``axis`` less the smallest N across it, for a block of the mesh's size.

    N_i = (1/L_i) / sum(1/L_j) is exact for films and cubes, and near enough in between.
    """
    inverse = [
        0.0 if images else 1 / size
        for size, images in zip(config.mesh.size, config.mesh.periodic, strict=True)
    ]
    total = sum(inverse) or 1.0
    along = sum(n / total * u * u for n, u in zip(inverse, axis, strict=True))
    across = [n / total for n, u in zip(inverse, axis, strict=True) if abs(u) < 0.7]
    return along - min(across)


def fastest_mode(config: RunConfig) -> float:
    """Return about the largest angular frequency that the cells can hold [rad/s].

    The spin wave of the shortest wavelength, gamma (8 A/Ms sum 1/a^2 + 2 |K|/Ms + mu0 Ms + |B|).
    """
    largest = 0.0
    inverse = sum(
        1 / edge**2
        for edge, n in zip(config.mesh.cell_size, config.mesh.cells, strict=True)
        if n > 1
    )
    for magnet in magnets(config):
        field = 8 * magnet.A / magnet.Ms * inverse + 2 * abs(magnet.Ku1 or 0) / magnet.Ms
        field += MU_0 * magnet.Ms if has_energy(config, "demag") else 0
        field += size_of(sum_in(config, "zeeman", "B", magnet.region))
        largest = max(largest, config.material.gamma * field)
    return largest


def has_energy(config: RunConfig, key: str) -> bool:
    """Return whether there is an energy term of that kind."""
    return any(name == key for name, _ in config.energy)


def value_in(parameter: Parameter, region: str) -> Any:
    """Return the value in a region; None where every cell has its own."""
    return None if parameter.is_per_cell else parameter.of_region(region)


def all_values(parameter: Parameter) -> list[Any]:
    """Return the values of all regions."""
    return [parameter.value, *parameter.regions.values()]


def sum_in(config: RunConfig, key: str, name: str, region: str) -> Any:
    """Return the sum of a parameter over all terms of a kind; None if it varies from cell to cell."""
    values = [value_in(getattr(term, name), region) for k, term in config.energy if k == key]
    if any(value is None for value in values):
        return None
    if values and isinstance(values[0], tuple):
        return tuple(map(sum, zip(*values, strict=True)))
    return sum(values, 0.0)


def size_of(value: Any) -> float:
    """Return the length of a vector, the magnitude of a number, 0 of nothing."""
    if value is None:
        return 0.0
    return math.hypot(*value) if isinstance(value, tuple) else abs(value)
