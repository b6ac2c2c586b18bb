"""``micromag describe``: all that a run file knows is told, and all about one name."""

from __future__ import annotations

import re

import pytest

import micromag
from micromag.analysis import ANALYSES
from micromag.cli import main
from micromag.excitation import WAVEFORMS
from micromag.geometry import SHAPES
from micromag.initial import RECIPES
from micromag.observables import column_names
from micromag.terms import TERMS

NAMES = sorted(
    {key for registry in (TERMS, SHAPES, RECIPES, WAVEFORMS, ANALYSES) for key in registry.keys()}
    | set(column_names())
    | {"mesh", "window", "material", "relax", "minimize", "run", "solver", "output", "snapshots"}
    | {"table", "theta_sh", "interface", "heavy_metal", "rho", "Interface", "PublishedAngle"}
)


def test_every_name_stands_in_the_overview(capsys):
    assert main(["describe"]) == 0
    text = capsys.readouterr().out
    words = set(text.replace(",", " ").split())
    assert not set(NAMES) - words
    assert "\\" not in text and "``" not in text and ":math:" not in text
    # The quickest way to the keys of a term is named in the help and at the end.
    assert "micromag describe NAME" in text


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_described(name, capsys):
    assert main(["describe", name]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{name} (") and len(text) > 60


def test_a_term_tells_its_keys_and_source(capsys):
    main(["describe", "zhang_li"])
    text = capsys.readouterr().out
    for word in ("torques", "beta", "A/m^2", "prefactor", "Source:"):
        assert word in text


def test_what_a_docstring_refers_to_is_described(capsys):
    main(["describe", "theta_sh"])
    text = capsys.readouterr().out
    for word in ("sigma_int", "combined", "published", "Pt_sagasta_2016", "1600 +- 150", "doi:"):
        assert word in text
    main(["describe", "spin_orbit"])
    for name in set(re.findall(r"`([A-Z]\w+)`", capsys.readouterr().out)):
        assert main(["describe", name]) == 0, name


def test_a_wrong_name_is_answered_with_the_right_one(capsys):
    assert main(["describe", "exchanje"]) == 2
    assert "did you mean 'exchange'?" in capsys.readouterr().err


def test_names_of_the_package_are_offered_for_completion():
    names = dir(micromag)
    assert {"Simulation", "Mesh", "Exchange", "ZhangLi", "Box", "Sine", "load", "run"} <= set(names)
    assert all(hasattr(micromag, name) for name in names)
    assert not {"Any", "annotations", "sys", "importlib"} & set(names)
