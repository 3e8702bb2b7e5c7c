"""Item parameters of other programs: one module a format, each with the same four calls (:class:`Format`)."""

from issmp_cat.bank.foreign.bilog import BILOG
from issmp_cat.bank.foreign.files import read_foreign, write_foreign
from issmp_cat.bank.foreign.flexmirt import FLEXMIRT
from issmp_cat.bank.foreign.format import Format, Reading, Wishes
from issmp_cat.bank.foreign.mirt import MIRT, MIRT_SLOPE
from issmp_cat.bank.foreign.printed import PRINTED
from issmp_cat.bank.foreign.qti import QTI
from issmp_cat.bank.foreign.winsteps import WINSTEPS, WINSTEPS_STEPS
from issmp_cat.bank.foreign.winsteps_steps import structure_of

__all__ = [
    "BILOG",
    "FLEXMIRT",
    "MIRT",
    "MIRT_SLOPE",
    "PRINTED",
    "QTI",
    "WINSTEPS",
    "WINSTEPS_STEPS",
    "Format",
    "Reading",
    "Wishes",
    "read_foreign",
    "structure_of",
    "write_foreign",
]
