"""Help is instant, complete, and its examples work."""

import re
import shlex
import subprocess
import sys

import pytest

from issmp_cat.cli.registry import build_command, tidy

HEAVY = ("numpy", "pandas", "scipy", "numba", "matplotlib", "duckdb", "girth", "jinja2", "pydantic")


def commands():
    """Every command with its full name, groups entered."""
    found = []

    def enter(command, name):
        inner = getattr(command, "commands", None)
        if inner:
            for part, sub in inner.items():
                enter(sub, f"{name} {part}")
        else:
            found.append((name, command))

    enter(build_command(), "issmp-cat")
    return found


COMMANDS = dict(commands())


def examples():
    lines = [line.strip() for command in COMMANDS.values() for line in (command.help or "").splitlines()]
    return [line for line in lines if re.match(r"(\w+=\S+ )*issmp-cat ", line)]


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from issmp_cat.cli.main import run\n"
        "code = run(['--help'])\n"
        f"print([name for name in {HEAVY} if name in sys.modules], code, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[] 0"


def test_every_registered_command_stands_in_the_help():
    app = build_command()
    assert list(app.commands) == [
        "check", "store", "calibrate", "score", "link", "drift", "bank", "exam", "take", "simulate", "study",
        "exposure", "sample", "warmup", "config", "demo",
    ]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_gives_an_example(name):
    text = COMMANDS[name].help or ""
    assert "Not available" not in text
    assert text.splitlines()[0].endswith(".")
    assert re.search(r"Examples?:\n  .*issmp-cat " + name.removeprefix("issmp-cat "), text), text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name):
    unexplained = [p.name for p in COMMANDS[name].params if not getattr(p, "help", None)]
    assert unexplained == []


@pytest.mark.parametrize("line", examples())
def test_every_example_can_be_parsed(line):
    """Parsed, not run: names, options and the values they take."""
    words = shlex.split(line.split(" #")[0])
    words = words[words.index("issmp-cat") + 1 :]
    words = words[: words.index(">")] if ">" in words else words
    command, context = build_command(), None
    while True:
        context = command.make_context("issmp-cat", words, parent=context)
        if not hasattr(command, "commands"):
            break
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        assert name


def test_prose_is_unwrapped_and_examples_stay_lines():
    doc = """First.

    Prose that was
    wrapped.

    Examples:
      one

      two
    """
    assert tidy(doc) == "First.\n\nProse that was wrapped.\n\nExamples:\n  one\n  two"
