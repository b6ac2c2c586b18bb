"""The random numbers of terms that are noise, drawn on the device before every step."""

from __future__ import annotations

from typing import Any

import numpy as np

from micromag.backend.base import Module, Source
from micromag.engine import Engine


class NoiseSource:
    """Fills the noise of an engine's model, one array for each term that is noise.

    Counters are (cell, steps accepted before, stream), keys the seeds of the replicas' own
    configurations; see ``kernels/noise.cu``. A stream is a term, by its place among those of its kind.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        seeds = [[c.seed & 0xFFFFFFFF, c.seed >> 32] for c in engine.model.configs]
        self._seeds = engine.backend.upload(np.array(seeds, dtype=np.uint32))

    def source(self) -> Source:
        """Return the kernel's text."""
        return self._engine.source("noise.cu")

    def bind(self, module: Module) -> list[Any]:
        """Return the commands that draw the noise of the step being tried."""
        engine = self._engine
        return [
            module.kernel("draw").bind(
                engine.cells, stream, self._seeds, engine.clock, engine.noise[array]
            )
            for stream, (_, array) in enumerate(engine.model.layout.noises)
        ]
