"""Energy terms, torques, noise: one file each, and the kernel snippet of its name in ``kernels/terms``."""

from micromag.registry import Registry
from micromag.terms.base import (
    EnergyTerm,
    Noise,
    Term,
    Torque,
    energy_names,
    term_quantities,
    unique_names,
)

TERMS: Registry[Term] = Registry("micromag.terms", Term)

__all__ = [
    "TERMS",
    "EnergyTerm",
    "Noise",
    "Term",
    "Torque",
    "energy_names",
    "term_quantities",
    "unique_names",
]
