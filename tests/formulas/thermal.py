"""B_i = sqrt(2 alpha kB T/(gamma Ms V dt)) n_i, n_i normal deviates of a step."""

from __future__ import annotations

import numpy as np

from formulas.philox import deviates

K_B = 1.380649e-23


def amplitude(T, alpha, magnet, dt):
    """Return the standard deviation of each component [T], shape of ``alpha``."""
    volume = np.prod(magnet.cell_size)
    square = 2 * alpha * K_B * T * magnet.inverse_Ms() / (magnet.gamma * volume * dt)
    return np.sqrt(square)


def field(p, magnet, alpha, dt, seed, step):
    shape = magnet.Ms.shape
    return amplitude(p.temperature, alpha, magnet, dt) * deviates(shape, seed, step)
