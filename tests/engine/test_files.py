"""A file is whole or absent, readable by whom it should be, and refused in one sentence."""

import json
import stat

import pytest

from issmp_cat.errors import ExamError, InputRejected
from issmp_cat.files import atomic_path, atomic_write, read_json, read_text, write_json


class Interrupted(Exception):
    """Something that goes wrong half-way."""


@pytest.mark.parametrize("fault", [Interrupted, KeyboardInterrupt, SystemExit])
def test_whatever_breaks_the_writing_leaves_the_old_file_and_nothing_else(tmp_path, fault):
    path = tmp_path / "bank.json"
    path.write_text("old", encoding="utf-8")

    def write_half():
        with atomic_write(path) as handle:
            handle.write("half")
            handle.flush()
            raise fault

    with pytest.raises(fault):
        write_half()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_stands_under_the_name_until_the_writing_is_done(tmp_path):
    path = tmp_path / "new.csv"
    with atomic_path(path) as temporary:
        temporary.write_text("whole", encoding="utf-8")
        assert not path.exists()
        assert temporary.suffix == ".csv"
        assert temporary.parent == path.parent
    assert path.read_text(encoding="utf-8") == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_content_that_json_cannot_hold_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "x.json", {"theta": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_bytes_and_text_go_through_unchanged(tmp_path):
    with atomic_write(tmp_path / "b", "wb") as handle:
        handle.write(b"\x00\xff")
    with atomic_write(tmp_path / "t") as handle:
        handle.write("θ ≥ −0.3")
    assert (tmp_path / "b").read_bytes() == b"\x00\xff"
    assert read_text(tmp_path / "t", InputRejected) == "θ ≥ −0.3"


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    write_json(tmp_path / "ours", {})
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_replaced_file_keeps_its_permissions(tmp_path, mode):
    """A candidate's private session must not become readable to all when it is saved again."""
    path = tmp_path / "session.json"
    path.touch()
    path.chmod(mode)
    write_json(path, {})
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_folder_or_a_device_is_never_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "folder", "/dev/null"):
        with pytest.raises(InputRejected, match="not a file"):
            write_json(target, {})
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputRejected, match="No such file or directory") as error:
        write_json(tmp_path / "nowhere" / "x.json", {})
    assert error.value.where.endswith("x.json")


def test_a_long_name_is_refused_not_mangled(tmp_path):
    with pytest.raises(InputRejected, match="cannot write here"):
        write_json(tmp_path / ("x" * 300), {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"{\n 'a': 1}", "line 2, column 2"),
        (b"\xff", "byte 0"),
        (b'{"a": 1, "a": 2}', '"a" stands twice'),
        (b'{"x": [{"a": 1, "b": 2, "a": 2}]}', '"a" stands twice'),
        (b"[" * 50_000, "nested too deeply"),
        (b"9" * 5000, "4300 digits"),
        (b'"\\uD800 "', "half a character"),
    ],
)
def test_json_that_cannot_be_read_gets_the_callers_error_and_one_reason(tmp_path, content, words):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ExamError) as error:
        read_json(path, ExamError)
    (problem,) = error.value.problems
    assert words in problem


def test_whole_surrogate_pairs_and_byte_order_marks_are_read(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(b'\xef\xbb\xbf"\\ud83d\\ude00"')
    assert read_json(path, InputRejected) == "\N{GRINNING FACE}"


def test_what_is_written_is_read_back(tmp_path):
    content = {"θ": [0.1, -1e-300, 10**18], "none": None, "deep": {"a": {"b": []}}}
    write_json(tmp_path / "x.json", content)
    assert read_json(tmp_path / "x.json", InputRejected) == content
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == content
