"""Plots are data first; the picture is made on demand and is the same every time."""

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from issmp_cat.errors import InputRejected, UsageError
from issmp_cat.plot import Layer, Plot

EVERY_KIND = (
    Layer("line", {"x": [0, 1, 2], "y": [0, 1, 4]}, "curve"),
    Layer("step", {"x": [0, 1, 2], "y": [1, 2, 3]}, "step", dashed=True),
    Layer("points", {"x": [0, 1], "y": [1, float("nan")]}, "seen"),
    Layer("errorbars", {"x": [0, 1], "y": [1, 2], "low": [0.5, 1.5], "high": [1.5, 2.5]}, "interval"),
    Layer("band", {"x": [0, 1], "low": [0, 0], "high": [1, 1]}, "band"),
    Layer("bar", {"x": [0, 1], "y": [1, 2], "low": [0.5, 1], "high": [2, 3]}, "bars"),
    Layer("vline", {"x": [0.5, 0.7]}, "cut"),
    Layer("hline", {"y": [0.5]}),
    Layer("text", {"x": [1], "y": [1], "text": ["D1-0001 at $5"]}),
)


def plot(**changes):
    return Plot(
        **{"title": "A & B", "x": "θ (logits)", "y": "share", "layers": EVERY_KIND, "note": "simulated", **changes}
    )


def test_importing_plots_imports_no_drawing_library():
    code = "import issmp_cat.plot, sys; assert not {'numpy', 'pandas', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_data_holds_every_mark_of_every_layer():
    data = plot().data
    assert data["layer"].count("interval") == 2
    assert len(data["x"]) == sum(len(layer) for layer in EVERY_KIND) == len(plot().frame)


def test_equal_plots_are_equal_bytes_whatever_was_drawn_before():
    first = plot().to_svg()
    Plot("other", "x", "y", (Layer("barh", {"y": ["a", "b"], "x": [1, 2]}),)).to_svg()
    assert plot().to_svg() == first
    assert "2026" not in first.replace("D1-0001", "")


def test_each_format_can_be_read_back(tmp_path):
    for suffix in ("svg", "png", "html", "csv"):
        plot().save(tmp_path / f"plot.{suffix}")
    assert ET.fromstring((tmp_path / "plot.svg").read_text()).tag.endswith("svg")
    assert (tmp_path / "plot.png").read_bytes()[:4] == b"\x89PNG"
    assert "A &amp; B" in (tmp_path / "plot.html").read_text()
    assert "src=" not in (tmp_path / "plot.html").read_text()
    rows = (tmp_path / "plot.csv").read_text().splitlines()
    assert rows[0] == "layer,kind,x,y,low,high,text"
    assert len(rows) == 1 + len(plot().data["x"])
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "change",
    [
        {"title": "C"},
        {"x": "b"},
        {"y": "n"},
        {"note": "n"},
        {"x_limits": (0, 9)},
        {"y_limits": (0, 9)},
        {"size": (4, 4)},
    ],
)
def test_every_argument_changes_the_picture(change):
    assert plot(**change).to_svg() != plot().to_svg()


def test_colour_and_dashes_change_the_picture():
    def line(**looks):
        return Plot("t", "x", "y", (Layer("line", {"x": [0, 1], "y": [0, 1]}, **looks),)).to_svg()

    assert len({line(), line(colour=1), line(dashed=True)}) == 3


def test_wrong_layers_are_refused_with_what_is_wrong():
    with pytest.raises(UsageError, match='kind "pie" is not known'):
        Layer("pie", {"x": [1]})
    with pytest.raises(UsageError, match='"high" is missing'):
        Layer("band", {"x": [1], "low": [0]})
    with pytest.raises(UsageError, match="differ in length: x 2, y 1"):
        Layer("line", {"x": [1, 2], "y": [0]})
    with pytest.raises(UsageError, match='column "z" is not known'):
        Layer("line", {"x": [1], "y": [0], "z": [0]})


def test_wrong_targets_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.svg, \.png, \.html or \.csv"):
        plot().save(tmp_path / "plot.gif")
    with pytest.raises(InputRejected, match="cannot write here"):
        plot().save(tmp_path / "nowhere" / "plot.csv")
