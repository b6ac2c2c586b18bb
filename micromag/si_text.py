"""SI values and sizes as people read them: ``580 kA/m``, ``3.2 MB``."""

from __future__ import annotations

import math

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_PLAIN = ("1", "rad", "A/m^2", "rad/(s T)")
"""Units that are written with powers of ten."""


def si(value: float, unit: str, digits: int = 4) -> str:
    """Return a value with a prefixed unit and at most so many digits."""
    if unit in _PLAIN or value == 0 or not math.isfinite(value):
        return _digits(value, digits) + ("" if unit == "1" else f" {unit}")
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = 3 * math.floor(math.log10(abs(rounded) * (1 + 1e-9)) / 3)
    if exponent not in _PREFIXES:
        return f"{_digits(value, digits)} {unit}"
    return f"{value / 10**exponent:.{digits}g} {_PREFIXES[exponent]}{unit}"


def si_vector(values: tuple[float, ...], unit: str) -> str:
    """Return a vector with one unit for its components: ``[4, 4, 1] nm``."""
    largest = max(values, key=abs)
    _, _, prefixed = si(largest, unit).partition(" ")
    scale = 1.0
    if largest and prefixed and unit not in _PLAIN:
        prefix = prefixed[: len(prefixed) - len(unit)]
        scale = 10.0 ** next(e for e, p in _PREFIXES.items() if p == prefix)
    text = ", ".join(_digits(value / scale) for value in values)
    return f"[{text}] {prefixed}".strip()


def _digits(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}g}".replace("e+", "e")


def bytes_text(count: float) -> str:
    """Return a number of bytes as people read it: ``3.2 MB``."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} PB"


def duration_text(seconds: float) -> str:
    """Return a span of wall time as people read it: ``45 s``, ``3 min``, ``2 h 05 min``."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours / 24:.1f} days"
