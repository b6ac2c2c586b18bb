"""Lines of a table's column: frequency and amplitude of what oscillates."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

STILL = 1e-3
"""An oscillation with a smaller amplitude than this is none."""
FEWEST = 3.0
"""Periods without which a frequency is not told."""


@dataclass(frozen=True)
class Line:
    """An oscillation A cos(2 pi f t + phase).

    Attributes
    ----------
    frequency, amplitude
        f [Hz] and A, in the unit of the column.
    growth
        Rate at which the amplitude grows [1/s], below 0 if the oscillation dies out: from its sizes in
        the two halves of the series.
    """

    frequency: float
    amplitude: float
    growth: float = 0.0


def spectrum(t: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return frequencies [Hz] and the amplitudes at them, of a series with even steps.

    The mean is taken away and a Hann window laid over the rest; an oscillation in the middle of a
    bin gives its amplitude.
    """
    window = np.hanning(len(y) + 1)[:-1]  # the periodic one, whose lines are known in closed form
    bins = np.fft.rfft((y - y.mean()) * window)
    step = (t[-1] - t[0]) / (len(t) - 1)
    return np.fft.rfftfreq(len(y), step), 2 * np.abs(bins) / window.sum()


def line_of(t: FloatArray, y: FloatArray) -> Line | None:
    """Return the strongest line of a series, with its growth; None as `strongest`."""
    line = strongest(*spectrum(t, y))
    if line is None:
        return None
    middle = len(t) // 2
    first, second = (
        _size(line.frequency, t[part], y[part]) for part in (slice(middle), slice(middle, None))
    )
    growth = math.log(second / first) / (t[middle] - t[0]) if first > 0 and second > 0 else 0.0
    return replace(line, growth=growth)


def _size(frequency: float, t: FloatArray, y: FloatArray) -> float:
    """Return the amplitude at a frequency, under a Hann window."""
    window = np.hanning(len(y) + 1)[:-1]
    wave = np.exp(-2j * np.pi * frequency * (t - t[0]))
    return float(2 * np.abs(((y - y.mean()) * window * wave).sum()) / window.sum())


def strongest(frequencies: FloatArray, amplitudes: FloatArray) -> Line | None:
    r"""Return the strongest line of a spectrum; None where nothing oscillates, or too slowly to tell.

    Between the highest bin k and the higher of its neighbours the Hann window has a line at
    :math:`k + \delta`, with

    .. math:: \delta = \frac{2r - 1}{r + 1}, \qquad
              A = A_k \frac{\pi \delta (1 - \delta^2)}{\sin \pi \delta}

    and r the ratio of their amplitudes: exact for one oscillation.

    Source: T. Grandke, IEEE Trans. Instrum. Meas. 32, 350 (1983).
    """
    if len(amplitudes) < 4:
        return None
    k = 1 + int(np.argmax(amplitudes[1:-1]))
    side = 1 if amplitudes[k + 1] >= amplitudes[k - 1] else -1
    r = amplitudes[k + side] / amplitudes[k] if amplitudes[k] > 0 else 0.5
    delta = (2 * r - 1) / (r + 1)
    amplitude = amplitudes[k] * (1 - delta**2) / np.sinc(delta)
    place = k + side * delta
    if amplitude < STILL or place < FEWEST:
        return None
    return Line(float(place * (frequencies[1] - frequencies[0])), float(amplitude))
