"""One state of the long proof, judged: what a worker process does."""

import time
from functools import cache

from oracle.compare import faults
from oracle.designs import bank_of, exam_of
from oracle.programme import Balance, FullProgramme
from oracle.states import decide

SEED = 20250601


@cache
def _tools(design: str, bank: str) -> tuple[FullProgramme, Balance]:
    return FullProgramme(exam_of(design), bank_of(bank)), Balance(exam_of(design))


def judge(design: str, bank: str, person: int) -> dict[str, object]:
    """One state: what was decided, what the oracle says, and what it cost."""
    programme, balance = _tools(design, bank)
    decision = decide(exam_of(design), bank_of(bank), person, SEED)
    begun, before = time.process_time(), programme.solved
    found = faults(programme, balance, decision)
    return {
        "design": design, "bank": bank, "person": person, "length": len(decision.given), "item": decision.item,
        "searched": decision.searched, "faults": found, "programmes": programme.solved - before,
        "seconds": round(time.process_time() - begun, 4),
    }  # fmt: skip
