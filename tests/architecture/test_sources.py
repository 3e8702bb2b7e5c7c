"""What the sources promise about themselves: one formula in one place, true exports, nothing that does not belong."""

import ast
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "issmp_cat": ROOT / "issmp_cat",
    "issmp_calibration": ROOT / "calibration" / "issmp_calibration",
    "issmp_simulations": ROOT / "simulations" / "issmp_simulations",
}


def module_name(package, path):
    parts = (package, *path.relative_to(PACKAGES[package]).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {
    module_name(package, path): path for package, root in PACKAGES.items() for path in sorted(root.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in SOURCES.items()}


# ---- one formula, one place


def is_one(node):
    return isinstance(node, ast.Constant) and node.value == 1


def mentions_exponential(node):
    """A call of some exp, or a name that stands for the exponential of a logit."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and getattr(part.func, "attr", getattr(part.func, "id", "")) in ("exp", "exp2"):
            return True
        if isinstance(part, ast.Name) and re.search(r"^(decay|odds|e|ez|exp_?\w?)$", part.id):
            return True
    return False


def logistic_curves(tree):
    """Lines that write x / (1 + exp(…)) or call a library's logistic curve."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.BinOp):
            sides = (node.right.left, node.right.right)
            if isinstance(node.right.op, ast.Add) and any(map(is_one, sides)) and any(map(mentions_exponential, sides)):
                yield node.lineno
        name = getattr(node, "attr", getattr(node, "id", None))
        if name in ("expit", "log_expit", "logistic", "tanh", "logaddexp"):
            yield node.lineno


def test_the_detector_sees_a_logistic_curve_in_every_disguise():
    """The test of the test: it can fail."""
    disguises = [
        "p = 1 / (1 + exp(-z))", "p = c + (d - c) / (np.exp(-a * (t - b)) + 1.0)", "p = expit(z)", "p = e / (1 + e)",
        "p = 0.5 + 0.5 * np.tanh(z / 2)", "q = 1 / (1 + decay)",
    ]  # fmt: skip
    for line in disguises:
        assert list(logistic_curves(ast.parse(line))), line
    assert not list(logistic_curves(ast.parse("x = y / (1.0 + weight)")))


@pytest.mark.parametrize("name", [name for name in SOURCES if not name.startswith("issmp_cat.irt")])
def test_no_logistic_curve_outside_irt(name):
    assert list(logistic_curves(TREES[name])) == []


def test_the_curve_stands_once_in_irt():
    lines = [
        (name, line) for name in SOURCES if name.startswith("issmp_cat.irt") for line in logistic_curves(TREES[name])
    ]
    assert [name for name, _ in lines] == ["issmp_cat.irt.curves"]


# ---- exports


def exports(tree):
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", None) == "__all__" for target in node.targets):
            return ast.literal_eval(node.value)
    return None


def defined(tree):
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize("name", [name for name, tree in TREES.items() if defined(tree)])
def test_every_module_that_defines_something_says_what_it_offers(name):
    offered = exports(TREES[name])
    assert offered is not None
    assert len(set(offered)) == len(offered)
    assert not [entry for entry in offered if entry.startswith("_") and not entry.startswith("__")]


def test_everything_offered_exists():
    for name, tree in TREES.items():
        module = import_module(name)
        assert [entry for entry in exports(tree) or () if not hasattr(module, entry)] == [], name


def test_everything_that_another_module_uses_is_offered():
    missing = [
        f"{user} uses {node.module}.{alias.name}"
        for user, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in TREES
        for alias in node.names
        if f"{node.module}.{alias.name}" not in TREES and alias.name not in (exports(TREES[node.module]) or ())
    ]
    assert missing == []


@pytest.mark.parametrize("name", ["issmp_cat", "issmp_calibration", "issmp_simulations"])
def test_lazy_packages_offer_their_names_refuse_others_and_list_themselves(name):
    module = import_module(name)
    for entry in module.__all__:
        assert getattr(module, entry) is not None
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = module.nonesuch


# ---- kernels


def kernel_table():
    return import_module("issmp_cat.exam.kernels").KERNELS


def test_every_kernel_named_exists_where_it_is_named():
    kernels = import_module("issmp_cat.exam.kernels")
    functions = kernels.kernels()
    named = [(module, name) for module, names in kernels.KERNELS.items() for name in names]
    assert [(f.__module__, f.__name__) for f in functions] == named
    assert len(set(named)) == len(named)


def engine_functions_used_by(function):
    """Plain functions of the engine that a function's body names, as (module, name)."""
    for name in function.__code__.co_names:
        used = function.__globals__.get(name)
        if callable(used) and getattr(used, "__code__", None) and used.__module__.startswith("issmp_cat."):
            yield used.__module__, used.__name__


def test_every_function_that_a_kernel_reaches_is_a_kernel_listed_before_it():
    listed = [(module, name) for module, names in kernel_table().items() for name in names]
    for place, (module, name) in enumerate(listed):
        for used in engine_functions_used_by(getattr(import_module(module), name)):
            assert used in listed[: place + 1], f"{module}.{name} calls {used}, which is not listed before it"


def test_every_kernel_is_reached_from_the_moves_of_an_exam_or_used_by_the_simulation():
    """No dead entry: a kernel nobody compiles would be checked by nothing."""
    listed = {(module, name) for module, names in kernel_table().items() for name in names}
    simulation = "\n".join(path.read_text("utf-8") for path in PACKAGES["issmp_simulations"].rglob("*.py"))
    found = {(module, name) for module, name in listed if re.search(rf"\b{name}\(", simulation)}
    found |= {("issmp_cat.exam.step", name) for name in ("standing", "next_item", "record")}
    while new := {used for m, n in found for used in engine_functions_used_by(getattr(import_module(m), n))} - found:
        found |= new
    assert listed <= found


def test_kernels_are_plain():
    """No keyword defaults, no closures, no decorators: what numba compiles is what Python runs."""
    for function in import_module("issmp_cat.exam.kernels").kernels():
        assert type(function).__name__ == "function"
        assert function.__defaults__ is None
        assert function.__kwdefaults__ is None
        assert function.__closure__ is None


# ---- what does not belong

# Written in pieces, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a home folder": r"/(home|Users)/\w" + r"|/ro" + r"ot/",
    "a workplace path": r"/wo" + r"rk/\w",
    "a package index": r"index" + r"-url|pyp" + r"i\.org/simple|file" + r"s\.pythonhosted|arti" + r"factory",
    "a private address": r"(?<!==)\b(10|192\.168|172\.(1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(\.\d{1,3})?\b(?!\.|-)",
    "a note to self": r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
    "a merge conflict": r"^(<<<<<<<|>>>>>>>) ",
}
EXCUSED = {"no" + "qa": r"# no" + r"qa(?!: [A-Z]+\d+( |,|$))", "type: " + "ignore": r"# type: " + r"ignore(?!\[)"}


def tracked_texts():
    names = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        if path.is_file():
            try:
                yield name, path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


@pytest.fixture(scope="module")
def texts():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what is tracked is unknown")
    return dict(tracked_texts())


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_mentions(what, texts):
    pattern = re.compile(FORBIDDEN[what], re.MULTILINE)
    assert [(name, found.group()) for name, text in texts.items() if (found := pattern.search(text))] == []


@pytest.mark.parametrize("what", EXCUSED)
def test_every_silenced_check_names_the_check(what, texts):
    pattern = re.compile(EXCUSED[what], re.MULTILINE)
    assert [name for name, text in texts.items() if name.endswith(".py") and pattern.search(text)] == []


def body_lines(function):
    """Lines of a function's body; the signature of a command and a docstring may be as long as they must."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return function.end_lineno - body[0].lineno + 1 if body else 0


def test_no_module_is_longer_than_350_lines_and_no_function_than_60():
    long_modules = {name: n for name, path in SOURCES.items() if (n := len(path.read_text("utf-8").splitlines())) > 350}
    assert long_modules == {}
    functions = [(name, node) for name, tree in TREES.items() for node in ast.walk(tree)]
    long_functions = {
        f"{name}.{node.name}": body_lines(node)
        for name, node in functions
        if isinstance(node, ast.FunctionDef) and body_lines(node) > 60
    }
    assert long_functions == {}
