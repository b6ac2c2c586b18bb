"""Energy terms and torques: one file each, with the kernel snippet of the same name in ``kernels/terms``."""

from micromag.registry import Registry
from micromag.terms.base import EnergyTerm, Term, Torque, unique_names

TERMS: Registry[Term] = Registry("micromag.terms", Term)

__all__ = ["TERMS", "EnergyTerm", "Term", "Torque", "unique_names"]
