"""Kernel declarations: what is read from the source, and what binding accepts."""

from __future__ import annotations

import numpy as np
import pytest

from micromag.backend.signature import Argument, host_wrapper, parse_signatures

TEXT = """
#define KERNEL extern "C" void
#define MANY(a) KERNEL generated(CELLS, int a) { \\
  KERNEL hidden(CELLS, int a) {
// KERNEL commented(CELLS, int a) {
/* KERNEL blocked(CELLS,
   int a) { */
KERNEL step(CELLS, const real* RESTRICT m, real *out,  // the result
            const unsigned short* region, double dt,
            int k, long long seed, unsigned  int*flags) {
}
KERNEL tick(ITEMS) { }
KERNEL fold(CHUNKS, double* partial) { }
"""


def test_declarations_are_read_from_the_text():
    found = parse_signatures(TEXT)
    assert list(found) == ["step", "tick", "fold"]
    assert found["tick"].arguments == () and found["fold"].space == "CHUNKS"
    assert found["step"].arguments == (
        Argument("m", "real", pointer=True, const=True),
        Argument("out", "real", pointer=True),
        Argument("region", "unsigned short", pointer=True, const=True),
        Argument("dt", "double"),
        Argument("k", "int"),
        Argument("seed", "long long"),
        Argument("flags", "unsigned int", pointer=True),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("KERNEL k(int n) {", "not one of CELLS, CHUNKS, ITEMS"),
        ("KERNEL k(CELLS, size_t n) {", "not one of the types"),
        ("KERNEL k(CELLS, real** m) {", "not one of the types"),
        ("KERNEL k(CELLS, real) {", "not one of the types"),
        ("KERNEL k(CELLS, real (*f)(int)) {", "plain list"),
        ("KERNEL k(CELLS,\n#ifdef A\n int a\n#endif\n) {", "plain list"),
        ("KERNEL k(ITEMS) {} KERNEL k(ITEMS) {}", "twice"),
    ],
)
def test_a_declaration_that_is_not_understood_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_signatures(text)


def test_scalars_take_the_kernels_types():
    step = parse_signatures(TEXT)["step"]
    m, out = np.zeros(3, "f4"), np.zeros(3, "c8")
    region, flags = np.zeros(3, "u2"), np.zeros(3, "u4")
    values = step.convert([m, out, region, 1, np.int64(2), 2**40, flags], "single")
    assert [type(v) for v in values[3:6]] == [np.float64, np.int32, np.int64]
    assert values[0] is m and values[1] is out
    fold = parse_signatures("KERNEL f(ITEMS, real a, const real* b) {")["f"]
    assert [type(v) for v in fold.convert([0.5, None], "double")] == [np.float64, type(None)]
    assert type(fold.convert([np.array(1), None], "single")[0]) is np.float32


GOOD = (np.zeros(3, "f4"), np.zeros(3, "f4"), np.zeros(3, "u2"), 1.0, 2, 3, np.zeros(3, "u4"))


@pytest.mark.parametrize(
    ("place", "value", "error", "message"),
    [
        (0, np.zeros(3), TypeError, "argument m: expected an array of float32, got one of float64"),
        (0, np.zeros(3, "c16"), TypeError, "got one of complex128"),
        (0, [1.0], TypeError, "got list"),
        (0, np.zeros((4, 4), "f4")[:, 1:], ValueError, "not contiguous"),
        (2, np.zeros(3, "i2"), TypeError, "argument region"),
        (3, "fast", TypeError, "argument dt"),
        (3, None, TypeError, "argument dt"),
        (4, 2.0, TypeError, "argument k: expected int32, got 2.0"),
        (4, True, TypeError, "argument k"),
        (4, 2**31, ValueError, "does not fit int32"),
        (5, 2**63, ValueError, "does not fit int64"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused(place, value, error, message):
    step = parse_signatures(TEXT)["step"]
    args = list(GOOD)
    args[place] = value
    with pytest.raises(error, match=message):
        step.convert(args, "single")


def test_the_number_of_arguments_and_read_only_targets_are_checked():
    step = parse_signatures(TEXT)["step"]
    with pytest.raises(TypeError, match=r"takes 7 arguments.*m, out, region.*got 6"):
        step.convert(GOOD[:-1], "single")
    fixed = np.zeros(3, "f4")
    fixed.setflags(write=False)
    step.convert([fixed, *GOOD[1:]], "single")
    with pytest.raises(ValueError, match="argument out: the array is read-only"):
        step.convert([GOOD[0], fixed, *GOOD[2:]], "single")


def test_the_host_entry_unpacks_pointers_and_scalars():
    text = host_wrapper(parse_signatures("KERNEL k(ITEMS, const int* a, double b) {")["k"])
    assert "void k_host(long lo, long hi, void* const* a)" in text
    assert "k(lo, hi, *(const int*)a[0], (const int*)a[1], *(const double*)a[2]);" in text
