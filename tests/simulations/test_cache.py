"""Compiled kernels are kept on disk, found by the next process, and never used after an edit."""

import os
import shutil
import subprocess
import sys

import issmp_cat
from issmp_cat.compiled import source_hash

CODE = """
from issmp_simulations.kernel import draw_abilities
import numpy as np
draw_abilities(np.zeros(2), 1, 0, 0.0, 1.0)
hits, misses = draw_abilities.stats.cache_hits, draw_abilities.stats.cache_misses
print(sum(hits.values()), sum(misses.values()))
"""


def test_the_second_process_finds_what_the_first_compiled(tmp_path):
    environment = {**os.environ, "ISSMP_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", CODE]
    told = [subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout for _ in "12"]
    assert [line.split() for line in told] == [["0", "1"], ["1", "0"]]


def test_an_edited_kernel_gets_another_folder(tmp_path):
    engine = tmp_path / "issmp_cat"
    shutil.copytree(issmp_cat.__path__[0], engine, ignore=shutil.ignore_patterns("__pycache__"))
    before = source_hash((engine,))
    assert source_hash((engine,)) == before
    curves = engine / "irt" / "curves.py"
    curves.write_text(curves.read_text().replace("700.0", "701.0"))
    assert source_hash((engine,)) != before
