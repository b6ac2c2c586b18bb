"""Waveforms in time that multiply parameters: each file of this package is one key."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationInfo

from micromag.excitation.base import Emitter, Waveform
from micromag.keyed import read_keyed
from micromag.registry import Registry

WAVEFORMS: Registry[Waveform] = Registry(
    "micromag.excitation",
    Waveform,
)
"""All waveforms by key."""


def read_waveform(data: Any, info: ValidationInfo | None = None) -> Waveform:
    """Return the waveform that ``{key: {...}}`` describes; raises as `keyed.read_keyed`."""
    return read_keyed(WAVEFORMS, "waveform", data, info)


__all__ = ["WAVEFORMS", "Emitter", "Waveform", "read_waveform"]
