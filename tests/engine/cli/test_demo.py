"""The demo: the whole loop, small; kept when unchanged; never over somebody's files."""

import json
import re
from html.parser import HTMLParser

import pytest

from issmp_cat.cli.demo_steps import Size, steps
from issmp_cat.cli.main import run


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "quick"
    assert run(["demo", "--quick", "--dir", str(folder), "--quiet"]) == 0
    return folder


class Reader(HTMLParser):
    """Notes what a page loads, its headings and captions, and pictures without words."""

    def __init__(self):
        super().__init__()
        self.outside, self.headings, self.tables, self.captions, self.silent = [], [], 0, 0, []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        address = given.get("src") or given.get("href") or ""
        self.outside += [address] if address and not address.startswith(("#", "data:image/svg+xml")) else []
        self.outside += [tag] if tag in ("script", "link", "iframe") else []
        self.headings += [tag] if re.fullmatch(r"h\d", tag) else []
        self.tables += tag == "table"
        self.captions += tag == "caption"
        silent = (tag == "img" and not given.get("alt")) or (tag == "svg" and given.get("role") != "img")
        self.silent += [given] if silent else []


@pytest.fixture(scope="module")
def page(demo):
    reader = Reader()
    reader.feed((demo / "report.html").read_text(encoding="utf-8"))
    return reader


def test_every_step_left_its_files(demo):
    for step in steps(Size()):
        for name in step.outputs:
            assert (demo / name).exists(), name


def test_the_page_needs_nothing_but_itself(page):
    assert page.outside == []


def test_the_page_can_be_read_without_eyes(page):
    assert page.silent == []
    assert page.tables == page.captions > 8
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1


def test_every_section_says_that_it_is_simulated(demo):
    text = (demo / "report.html").read_text(encoding="utf-8")
    for section in re.split(r"<h2 ", text):
        assert 'class="simulated"' in section


def test_a_finished_demo_is_kept_and_its_report_made_again(demo, capsys):
    study, before = (demo / "study.json").stat().st_mtime_ns, (demo / "report.html").read_text(encoding="utf-8")
    assert run(["demo", "--quick", "--dir", str(demo)]) == 0
    shown = capsys.readouterr()
    assert shown.err.count(": kept") == 10
    assert (demo / "study.json").stat().st_mtime_ns == study
    assert (demo / "report.html").read_text(encoding="utf-8") == before
    assert shown.out.count("SIMULATED CANDIDATE") == 3
    assert "rules broken" in shown.out


def test_a_damaged_file_is_made_again_with_all_that_rests_on_it(demo, capsys):
    good = (demo / "exam-check.json").read_bytes()
    (demo / "exam-check.json").write_text("{}")
    assert run(["demo", "--quick", "--dir", str(demo), "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count(": kept") == 5
    assert (demo / "exam-check.json").read_bytes() == good
    assert json.loads(shown.out)["figures"]["rules broken"][0] == "0"


def test_the_commands_it_shows_are_the_commands_it_ran(demo):
    text = (demo / "report.html").read_text(encoding="utf-8")
    done = json.loads((demo / "demo.json").read_text())["steps"]
    for entry in done.values():
        assert f"<code>{entry['command'].replace('>', '&gt;')}</code>" in text


def test_a_folder_with_other_things_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    assert run(["demo", "--quick", "--dir", str(tmp_path)]) == 2
    assert "holds something that is not a demo" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_where_the_folder_should_be_is_a_usage_error(tmp_path, capsys):
    (tmp_path / "demo").write_text("a file")
    assert run(["demo", "--dir", str(tmp_path / "demo")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_demo_file_of_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "demo.json").write_text('{"format": "other"}')
    assert run(["demo", "--dir", str(tmp_path)]) == 3
    assert "not a demo" in capsys.readouterr().err
