"""Runge-Kutta methods as data.

Each method is a Butcher tableau: nodes c, matrix a, weights b, and for embedded pairs the weights
b* of the second method, whose difference from b estimates the error.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction as F


@dataclass(frozen=True)
class Tableau:
    """Coefficients of an explicit Runge-Kutta method.

    Attributes
    ----------
    order
        Order of the solution that is propagated.
    embedded_order
        Order of the comparison solution, None for methods without one.
    c, a, b
        Nodes, strictly lower triangle and weights.
    b_star
        Weights of the comparison solution.
    source
        Where the coefficients come from.
    """

    name: str
    order: int
    c: tuple[F, ...]
    a: tuple[tuple[F, ...], ...]
    b: tuple[F, ...]
    source: str
    embedded_order: int | None = None
    b_star: tuple[F, ...] | None = None

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.c)

    @property
    def first_same_as_last(self) -> bool:
        """Whether the last stage is the first one of the next step."""
        return self.stages > 1 and self.b[-1] == 0 and self.a[-1] == self.b[:-1]

    @property
    def error_weights(self) -> tuple[F, ...] | None:
        """b - b*."""
        if self.b_star is None:
            return None
        return tuple(x - y for x, y in zip(self.b, self.b_star, strict=True))


def _t(text: str) -> tuple[F, ...]:
    return tuple(F(item) for item in text.split())


EULER = Tableau(
    "euler", 1, _t("0"), ((),), _t("1"), "L. Euler, Institutionum calculi integralis (1768)"
)

HEUN = Tableau(
    "heun",
    2,
    _t("0 1"),
    ((), _t("1")),
    _t("1/2 1/2"),
    "K. Heun, Z. Math. Phys. 45, 23 (1900); with Euler's method embedded",
    embedded_order=1,
    b_star=_t("1 0"),
)

BOGACKI_SHAMPINE = Tableau(
    "rk23",
    3,
    _t("0 1/2 3/4 1"),
    ((), _t("1/2"), _t("0 3/4"), _t("2/9 1/3 4/9")),
    _t("2/9 1/3 4/9 0"),
    "P. Bogacki and L. F. Shampine, Appl. Math. Lett. 2, 321 (1989)",
    embedded_order=2,
    b_star=_t("7/24 1/4 1/3 1/8"),
)

RK4 = Tableau(
    "rk4",
    4,
    _t("0 1/2 1/2 1"),
    ((), _t("1/2"), _t("0 1/2"), _t("0 0 1")),
    _t("1/6 1/3 1/3 1/6"),
    "W. Kutta, Z. Math. Phys. 46, 435 (1901)",
)

DORMAND_PRINCE = Tableau(
    "rk45",
    5,
    _t("0 1/5 3/10 4/5 8/9 1 1"),
    (
        (),
        _t("1/5"),
        _t("3/40 9/40"),
        _t("44/45 -56/15 32/9"),
        _t("19372/6561 -25360/2187 64448/6561 -212/729"),
        _t("9017/3168 -355/33 46732/5247 49/176 -5103/18656"),
        _t("35/384 0 500/1113 125/192 -2187/6784 11/84"),
    ),
    _t("35/384 0 500/1113 125/192 -2187/6784 11/84 0"),
    "J. R. Dormand and P. J. Prince, J. Comput. Appl. Math. 6, 19 (1980)",
    embedded_order=4,
    b_star=_t("5179/57600 0 7571/16695 393/640 -92097/339200 187/2100 1/40"),
)

CASH_KARP = Tableau(
    "cash_karp",
    5,
    _t("0 1/5 3/10 3/5 1 7/8"),
    (
        (),
        _t("1/5"),
        _t("3/40 9/40"),
        _t("3/10 -9/10 6/5"),
        _t("-11/54 5/2 -70/27 35/27"),
        _t("1631/55296 175/512 575/13824 44275/110592 253/4096"),
    ),
    _t("37/378 0 250/621 125/594 0 512/1771"),
    "J. R. Cash and A. H. Karp, ACM Trans. Math. Softw. 16, 201 (1990)",
    embedded_order=4,
    b_star=_t("2825/27648 0 18575/48384 13525/55296 277/14336 1/4"),
)

FEHLBERG = Tableau(
    "fehlberg",
    5,
    _t("0 1/4 3/8 12/13 1 1/2"),
    (
        (),
        _t("1/4"),
        _t("3/32 9/32"),
        _t("1932/2197 -7200/2197 7296/2197"),
        _t("439/216 -8 3680/513 -845/4104"),
        _t("-8/27 2 -3544/2565 1859/4104 -11/40"),
    ),
    _t("16/135 0 6656/12825 28561/56430 -9/50 2/55"),
    "E. Fehlberg, NASA Technical Report R-315 (1969)",
    embedded_order=4,
    b_star=_t("25/216 0 1408/2565 2197/4104 -1/5 0"),
)

TABLEAUS = {
    tableau.name: tableau
    for tableau in (EULER, HEUN, BOGACKI_SHAMPINE, RK4, DORMAND_PRINCE, CASH_KARP, FEHLBERG)
}
"""Every method by its name in the run file."""

DEFAULT = DORMAND_PRINCE.name
