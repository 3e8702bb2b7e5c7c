"""Every setting says where its value comes from."""

import json

from issmp_cat.cli.config import settings
from issmp_cat.cli.main import run


def origin(name):
    return next((s.value, s.origin) for s in settings() if s.name == name)


def test_the_environment_comes_before_the_default(monkeypatch):
    monkeypatch.delenv("ISSMP_THREADS", raising=False)
    assert origin("threads")[1].startswith("default")
    monkeypatch.setenv("ISSMP_THREADS", "3")
    assert origin("threads") == ("3", "environment ISSMP_THREADS")


def test_no_color_switches_colours_off(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert origin("colour") == ("off", "environment NO_COLOR")


def test_show_prints_a_table_or_json(capsys):
    assert run(["config", "show"]) == 0
    assert "cache" in capsys.readouterr().out
    assert run(["config", "show", "--json"]) == 0
    assert {s["name"] for s in json.loads(capsys.readouterr().out)} == {"cache", "threads", "colour", "shared data"}
