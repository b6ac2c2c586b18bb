"""Physical constants in SI units: CODATA 2018 (Tiesinga et al., Rev. Mod. Phys. 93, 025010 (2021))."""

from __future__ import annotations

import math

E_CHARGE = 1.602176634e-19
"""Elementary charge [C], exact."""
HBAR = 6.62607015e-34 / (2 * math.pi)
"""Reduced Planck constant [J s], exact."""
M_E = 9.1093837015e-31
"""Mass of the electron [kg]."""
K_B = 1.380649e-23
"""Boltzmann constant [J/K], exact."""
MU_B = 9.2740100783e-24
"""Bohr magneton [J/T]."""
MU_0 = 1.25663706212e-6
"""Vacuum permeability [T m/A]."""
GAMMA_E = 1.76085963e11
"""Gyromagnetic ratio of the free electron [rad/(s T)], g = 2.002319."""
