"""A run that fails by a waveform names the parameter."""

from __future__ import annotations

from pathlib import Path

import pytest

import micromag
from micromag.errors import NumericalError

RUN = """\
device: cpu
mesh: {{cells: [4, 4, 1], cell_size: [4 nm, 4 nm, 4 nm]}}
material: {{Ms: 800 kA/m, alpha: 0.1}}
energy:
  exchange: {{A: 13 pJ/m}}
  zeeman: {{B: {{value: [0, 0, 10 mT], waveform: {{expression: "{formula}"}}}}}}
initial: {{uniform: {{direction: [1, 0, 0]}}}}
schedule: [{{run: {{for: 10 ps}}}}]
"""


@pytest.mark.parametrize("formula", ["1 ps/(t - 5 ps)", "sqrt((5 ps - t)/1 ps)"])
def test_the_parameter_is_named(
    formula: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text(RUN.format(formula=formula))
    with pytest.raises(NumericalError) as caught:
        micromag.run("run.yaml")
    assert "every cell is affected: the waveform of energy.zeeman.B is" in str(caught.value)
    assert "dt =" not in str(caught.value)
