"""The exam that the README shows is one that the program takes, and does what the comments say."""

import re
from pathlib import Path

from issmp_cat import Exam, ItemBank
from issmp_cat.exam import plan_exam
from issmp_cat.exam.programmes import programme_of
from issmp_simulations.standard import standard_bank

README = Path(__file__).parents[2] / "README.md"
PACKAGED = Path(__file__).parents[2] / "issmp_cat" / "data" / "issmp.toml"
LEVELS = ("recall", "apply", "analyse")


def test_the_exam_in_the_readme_can_be_planned():
    shown = re.search(r"```toml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert shown is not None
    text = PACKAGED.read_text("utf-8")
    for table in re.findall(r"^\[+(\w+)", shown[1], re.MULTILINE):
        if table != "blueprint":  # its rows are added to the domains; other tables take the packaged ones' places
            text = re.sub(rf"^\[{table}\]\n(?:(?!\[).*\n)*", "", text, flags=re.MULTILINE)
    exam = Exam.parse(text + shown[1], where="README.md")
    plain = standard_bank("1500").items
    items = [item.model_copy(update={"attributes": {"level": LEVELS[k % 3]}}) for k, item in enumerate(plain)]
    bank = ItemBank.from_items(items)
    assert exam.exposure.cap == 0.25
    assert [rule.rule for rule in exam.stopping] == ["confidence_interval", "certain"]
    assert programme_of(exam, bank) is not None, "the row crosses the domains"
    assert plan_exam(exam, bank).rule.maximum == 125
