"""Wrong run files: each gets the right exit code, the right line and a useful sentence."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from micromag.cli import main
from micromag.config import load_config
from micromag.errors import ConfigErrors, UnreadableInputError
from micromag.output.reader import read_field
from micromag.yaml_source import read_yaml, to_yaml

DATA = Path(__file__).parent / "data"
GOOD = (DATA / "good_run.yaml").read_text()
CASES = read_yaml((DATA / "bad_runs.yaml").read_text(), "bad_runs.yaml").plain()


def outcome(path: Path, *options: str) -> tuple[int, str]:
    """Return the exit code of ``micromag validate`` for a run file, and its message."""
    overrides = [word for option in options for word in ("--set", option)]
    message = io.StringIO()
    with contextlib.redirect_stderr(message), contextlib.redirect_stdout(io.StringIO()):
        code = main(["validate", str(path), *overrides])
    return code, message.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "garbage.bin").write_bytes(bytes(range(256)))
    (tmp_path / "words.txt").write_text("0 1\none two\n")
    return tmp_path


def test_good_run_is_good(folder: Path) -> None:
    (folder / "run.yaml").write_text(GOOD)
    assert outcome(folder / "run.yaml") == (0, "")


@pytest.mark.parametrize("name", CASES)
def test_bad_run(name: str, folder: Path) -> None:
    case = CASES[name]
    text = GOOD
    if "old" in case:
        assert GOOD.count(case["old"]) == 1, "the case does not say which place it means"
        text = GOOD.replace(case["old"], case["new"])
    path = folder / "run.yaml"
    path.write_text(text)
    code, message = outcome(path, *([case["set"]] if "set" in case else []))
    assert code == case.get("code", 2), message
    assert case["says"] in message
    place = f"{path}:{case['line']}:" if "line" in case else f"--set {case['set'].split('=')[0]}"
    blocks = [line for line in message.splitlines() if case["says"] in line]
    assert any(line.startswith(place) for line in blocks), message
    assert "Traceback" not in message and "pydantic" not in message


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", 2, "the file is empty"),
        (b"# nothing\n", 2, "bad.yaml: the file is empty"),
        (b"- 1\n- 2\n", 2, "a run file is a mapping of keys"),
        (bytes(range(256)), 2, "bad.yaml:2:118: this is not a text file"),
        (b"a: 1\nb: \x00\n", 2, "bad.yaml:2:4: the character U+0000 is not allowed"),
        (b"\x89HDF\r\n\x1a\n" + bytes(range(200)), 2, "this is not a text file (byte 0x89"),
        (b"seed: 1\n\xff\xfe", 2, "bad.yaml:2:1: this is not a text file"),
        (b"a: " + b"[" * 5000, 2, "too deep a nesting"),
        (b"---\nseed: 1\n---\nseed: 2\n", 2, "this is not YAML: but found another document"),
        (b"extends: bad.yaml\n", 2, "extends itself in a circle"),
        (b"extends: .\n", 6, "cannot be read"),
        (b"extends: 5\n", 2, "extends names a run file"),
    ],
)
def test_bad_file(content: bytes, code: int, says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    found, message = outcome(path)
    assert (found, says in message) == (code, True), message


def test_a_misspelt_key_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text((DATA / "good_run.yaml").read_text().replace("alpha:", "aplha:", 1))
    code, message = outcome(path)
    assert code == 2 and "did you mean 'alpha'" in message
    assert "is missing" not in message and "1 problem in the run file" in message


def test_a_start_that_is_no_file_of_its_kind(tmp_path: Path) -> None:
    start = tmp_path / "start.ovf"
    text = read_yaml((DATA / "good_run.yaml").read_text(), "good").plain()
    path = tmp_path / "run.yaml"
    path.write_text(to_yaml({**text, "initial": {"file": "start.ovf"}}))
    code, message = outcome(path)
    assert code == 6 and "initial.file: there is no file" in message
    start.write_text("hello")
    with pytest.raises(UnreadableInputError, match="does not begin with '# OOMMF'"):
        read_field(start)


def test_run_file_that_cannot_be_read(tmp_path: Path) -> None:
    code, message = outcome(tmp_path / "absent.yaml")
    assert code == 6 and "absent.yaml cannot be read: No such file" in message
    code, message = outcome(tmp_path)
    assert code == 6 and "Is a directory" in message


def test_nested_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    (tmp_path / "run.yaml").write_text("\n".join(lines))
    code, message = outcome(tmp_path / "run.yaml")
    assert code == 2 and "too many values" in message


def test_all_problems_are_reported_at_once_in_their_order(tmp_path: Path) -> None:
    text = GOOD.replace("seed: 1", "sed: 1").replace("580 kA/m", "580 nm")
    text = text.replace("for: 5 ns", "for: 0").replace('"default:notch"', '"default:noch"')
    text = text.replace("zhang_li.J: [0", "zhang_li.K: [0")
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(ConfigErrors) as caught:
        load_config(tmp_path / "run.yaml")
    places = [p.splitlines()[0].split("  ")[0].split(":")[-2] for p in caught.value.problems]
    assert places == ["4", "13", "16", "28", "29"]
    assert str(caught.value).endswith("5 problems in the run file")


WRONG: list[Any] = [
    *(None, True, 0, -1, 1.5, "", "x", "4 nm", [], {}, [1, 2, 3], [1, 2], [[1]], [None] * 3),
    *("1e999 m", 10**400, float("inf"), float("nan")),
    *({"a": 1}, {"default": 1}, {"value": 1}, {"file": 5}, {"file": "x"}, {"": 1}, {"x:y": 1}),
    *({"default": {}}, {"value": {"value": 1}, "waveform": {}}, {"waveform": None}, {"box": None}),
    *({"with": 5}, {"with": {"a..b": 1}}, {"with": {"material": 5}}, {"run": None}),
]


def _places(data: Any, loc: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, list):
        data = dict(enumerate(data))
    for key, child in data.items() if isinstance(data, dict) else ():
        yield (*loc, key)
        yield from _places(child, (*loc, key))


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_no_value_anywhere_makes_more_than_a_message(number: int, tmp_path: Path) -> None:
    good = read_yaml(GOOD, "").plain()
    for loc in list(_places(good))[number % 7 :: 7]:
        data = copy.deepcopy(good)
        here = data
        for step in loc[:-1]:
            here = here[step]
        here[loc[-1]] = WRONG[number]
        path = tmp_path / "run.yaml"
        path.write_text(to_yaml(data))
        code, message = outcome(path)
        assert code in (0, 2, 4, 6), message
        assert "should be" not in message and "pydantic" not in message, message


def test_message_shows_the_source_line_with_a_caret(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(GOOD.replace("580 kA/m", "580 kA"))
    _, message = outcome(path)
    assert f"{path}:13:7  material.Ms: " in message
    assert "\n   13 |   Ms: 580 kA\n      |       ^" in message
