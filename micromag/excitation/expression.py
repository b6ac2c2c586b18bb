"""A waveform as a formula of the time."""

from __future__ import annotations

import math
from typing import Any

from pydantic import PrivateAttr, model_validator

from micromag.excitation._dimensions import check_dimensions
from micromag.excitation._formula import FormulaError, Node, parse_formula
from micromag.excitation._landmarks import landmarks
from micromag.excitation.base import Emitter, Waveform
from micromag.parameters import custom_error


class Expression(Waveform):
    r"""A formula of the time, such as ``exp(-(t / 1 ns)^2)``.

    Numbers and quantities are in SI, ``t`` in s; ``+ - * / ^ **``, brackets, ``pi`` and sin, cos,
    tan, exp, log, sqrt, abs, tanh, min, max, heaviside or step (1 from 0 on), sinc
    (:math:`\sin x / x`). It is parsed to a tree, never evaluated as Python.

    Dimensions are checked: ``sin(t)`` and ``1 ns + 1 nm`` are refused, the formula as a whole is a pure
    number. Only a number without a unit takes the SI unit that its place needs: ``sin(2*pi*9e9*t)``
    is ``sin(2*pi*9 GHz*t)``.

    Time steps end where a part that is linear in t vanishes, as ``t - 1 ns`` does in
    ``step(t - 1 ns)`` or ``exp(-((t - 1 ns) / 20 ps)^2)``, so that the event there is not missed.

    =======  ====  =======  ============================================================
    name     unit  default  meaning
    =======  ====  =======  ============================================================
    formula                 the text; ``{expression: text}`` is short for it
    =======  ====  =======  ============================================================

    Raises
    ------
    pydantic.ValidationError
        If the text is no formula, its dimensions do not fit, or it has no finite value at t = 0.
    """

    formula: str
    _tree: Node = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            data = repr(data)
        return {"formula": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _parse(self) -> Expression:
        try:
            self._tree = parse_formula(self.formula)
            check_dimensions(self._tree)
        except FormulaError as error:
            raise custom_error("formula", str(error), error.allowed) from None
        start = self._tree.value(0.0)
        if not math.isfinite(start):
            raise custom_error("formula", f"the formula is {start} at t = 0", "a finite value")
        return self

    def __call__(self, t: float) -> float:
        return self._tree.value(t)

    def emit(self, c: Emitter) -> str:
        return self._tree.emit(c)

    def corners(self, c: Emitter) -> str | None:
        times = landmarks(self._tree).times
        return c.times(sorted(times)) if times else None

    def longest_step(self) -> float:
        return landmarks(self._tree).longest_step
