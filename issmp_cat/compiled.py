"""How the engine's plain kernels get compiled, and where the compiled code is kept.

The engine never imports numba by itself. ``issmp_simulations`` and ``issmp_calibration`` call :func:`jit` and
:func:`compile_kernels`; the functions compiled are the very ones a single session runs as plain Python.

numba checks only the file of the outermost function, not the files of what it inlines: an edited kernel would go on
returning the old value. The cache folder is therefore named after a hash of every source file that may be compiled.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["cache_folder", "compile_kernels", "jit"]

Function = TypeVar("Function", bound=Callable[..., Any])


def _user_cache() -> Path:
    if override := os.environ.get("ISSMP_CACHE"):
        return Path(override)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "issmp-cat"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "issmp-cat"


def source_hash(folders: tuple[Path, ...]) -> str:
    """A hash of all Python sources below the folders, names and contents."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _kernel_folders() -> tuple[Path, ...]:
    """The packages whose functions may be compiled: the engine and whoever compiles it."""
    from importlib.util import find_spec

    names = ("issmp_cat", "issmp_calibration", "issmp_simulations")
    specs = [find_spec(name) for name in names]
    return tuple(Path(spec.origin).parent for spec in specs if spec is not None and spec.origin is not None)


@functools.cache
def cache_folder() -> Path:
    """Where compiled kernels of exactly these sources are kept; created on first use.

    Falls back to a folder of this user's own in the temporary directory when the cache folder cannot be written.
    """
    name = f"numba-{source_hash(_kernel_folders())}"
    fallback = Path(tempfile.gettempdir()) / f"issmp-cat-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    for root in (_user_cache(), fallback):
        folder = root / name
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix="issmp-cat-"))


def jit(*, allocates: bool = True, **options: Any) -> Callable[[Function], Function]:
    """Compile a module-level kernel with numba, cached on disk, releasing the interpreter lock.

    Args:
        allocates: False for a kernel that only reads and writes arrays it was given: numba then counts no references,
            which makes tuples of arrays free to pass (measured: five times faster exams).
        **options: numba's own; ``fastmath`` is refused, since the same numbers must come out compiled or not.

    Raises:
        MissingExtra: numba is not installed.
    """
    from issmp_cat.errors import MissingExtra

    if options.get("fastmath"):
        msg = "fastmath reorders sums: compiled and plain results would differ"
        raise ValueError(msg)
    try:
        import numba
        from numba.core import config as numba_config
    except ImportError:
        raise MissingExtra("compiled kernels (numba)", "all") from None

    config: Any = numba_config  # its attributes are made at run time
    if not allocates:
        options["_nrt"] = False

    def decorate(function: Function) -> Function:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(cache_folder())
        try:
            compiled: Function = numba.njit(cache=True, nogil=True, **options)(function)
        finally:
            config.CACHE_DIR = before
        return compiled

    return decorate


def compile_kernels(*functions: Callable[..., Any], called: Collection[str] = ()) -> None:
    """Make plain engine functions callable from compiled code; they stay plain Python themselves.

    Args:
        *functions: kernels, callees before callers.
        called: names of those that are compiled apart and called; the others are inlined by force, since passing
            tuples of arrays between functions costs more than most of the functions.
    """
    from numba.extending import register_jitable

    for function in functions:
        register_jitable(error_model="numpy", forceinline=function.__name__ not in called)(function)
