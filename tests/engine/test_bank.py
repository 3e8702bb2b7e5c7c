"""Item banks: what comes back from a file, what is refused, and what a version stands for."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issmp_cat import Item, ItemBank
from issmp_cat.bank import Content, Covariance, Metric
from issmp_cat.errors import BankError, InputRejected
from issmp_cat.irt import DICHOTOMOUS, GRADED, PARTIAL

CONTENT = {"stem": "Which?", "options": ["one", "two", "three"], "key": "B", "rationale": "Because."}


def bank_file(**changes):
    return {
        "format": "issmp-cat/item-bank",
        "format_version": 1,
        "id": "b",
        "items": [
            {"id": "i1", "domain": "D1", "b": 0.5},
            {"id": "i2", "domain": "D1", "b": -0.5, "a": 1.2, "enemies": ["i1"], "content": CONTENT},
            {"id": "i3", "domain": "D2", "model": "3pl", "b": 0.1, "a": 0.8, "c": 0.2, "status": "pretest"},
        ],
    } | changes


@pytest.fixture
def load(tmp_path):
    """Load a bank from content: text, bytes, or an object to be written as JSON."""

    def loader(content, suffix=".json"):
        path = tmp_path / f"bank{suffix}"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return ItemBank.load(path)

    return loader


@pytest.fixture
def refused(load):
    """The faults for which a bank file is refused, its path left off."""

    def problems(content, suffix=".json"):
        with pytest.raises(BankError) as error:
            load(content, suffix)
        assert error.value.exit_code == 3
        return list(error.value.problems)

    return problems


# ---- what comes back

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).map(str.strip)
ids = names.filter(lambda name: name and " " not in name and len(name.split()) == 1)


@st.composite
def banks(draw):
    unique = draw(st.lists(ids, min_size=1, max_size=6, unique=True))
    items = []
    for id_ in unique:
        c = draw(st.just(0.0) | st.floats(0.01, 0.5))
        items.append(
            Item(
                id=id_,
                domain=draw(ids),
                model="3pl" if c else "2pl",
                a=draw(st.floats(1e-3, 20)),
                b=draw(st.floats(-50, 50)),
                c=c,
                status=draw(st.sampled_from(["operational", "pretest", "retired"])),
                enemies=tuple(
                    draw(
                        st.lists(st.sampled_from(unique), max_size=2, unique=True).map(
                            lambda foes, me=id_: [foe for foe in foes if foe != me]
                        )
                    )
                ),
                answers=draw(st.none() | st.integers(0, 10**6)),
            )
        )
    return ItemBank.from_items(
        items, id="b", title=draw(names), metric=Metric(latent_mean=draw(st.floats(-2, 2)), latent_sd=1.3)
    )


@settings(max_examples=50)
@given(bank=banks())
def test_json_gives_back_the_same_bank(bank, tmp_path_factory):
    path = tmp_path_factory.mktemp("bank") / "bank.json"
    bank.save(path)
    again = ItemBank.load(path)
    assert again.items == bank.items
    assert (again.id, again.title, again.metric, again.version) == (bank.id, bank.title, bank.metric, bank.version)


@settings(max_examples=50)
@given(bank=banks(), suffix=st.sampled_from([".csv", ".tsv"]))
def test_csv_gives_back_the_same_items(bank, suffix, tmp_path_factory):
    path = tmp_path_factory.mktemp("bank") / f"bank{suffix}"
    bank.save(path)
    assert ItemBank.load(path).items == bank.items


def test_csv_keeps_standard_errors_and_json_their_covariances(tmp_path):
    covariance = Covariance(names=("a", "b"), values=((0.04, 0.01), (0.01, 0.09)))
    bank = ItemBank.from_items([Item(id="i1", domain="D1", b=0.5, covariance=covariance)])
    for name in ("bank.json", "bank.csv"):
        bank.save(tmp_path / name)
        again = ItemBank.load(tmp_path / name).items[0].covariance
        assert (again.standard_error("a"), again.standard_error("b")) == pytest.approx((0.2, 0.3), rel=1e-15)
        assert again.standard_error("c") is None
    assert ItemBank.load(tmp_path / "bank.json").items[0].covariance == covariance


def test_a_csv_written_by_a_spreadsheet_is_read(load):
    """Byte order mark, blanks around cells, columns in any order, Windows line ends, empty cells left to defaults."""
    bank = load("\ufeffb, id ,enemies,c\r\n 0.5 , i1 ,i2 i3,\r\n-1,i2,,0.2\r\n2,i3,,\r\n", ".csv")
    assert bank.ids == ("i1", "i2", "i3")
    assert bank.enemies == ((1, 2), (0,), (0,))
    assert [item.model for item in bank.items] == ["2pl", "3pl", "2pl"]
    assert bank.b.tolist() == [0.5, -1.0, 2.0]


def test_slopes_of_the_normal_metric_are_converted_and_the_bank_says_so(load):
    """An item with D = 1.702, a = 0.8 ± 0.1 is the logistic item with a = 1.3616 ± 0.1702; b stays."""
    bank = load("id,a,b,se_a,se_b,D\ni1,0.8,0.3,0.1,0.2,1.702\ni2,0.8,0.3,0.1,0.2,1\n", ".csv")
    assert bank.a == pytest.approx([0.8 * 1.702, 0.8], rel=1e-15)
    assert bank.b.tolist() == [0.3, 0.3]
    first, second = (item.covariance for item in bank.items)
    assert first.standard_error("a") == pytest.approx(0.1702, rel=1e-12)
    assert second.standard_error("a") == pytest.approx(0.1, rel=1e-12)
    assert first.standard_error("b") == pytest.approx(0.2, rel=1e-12)
    assert "D" in bank.provenance["metric"]


def test_a_json_bank_in_the_normal_metric_is_refused(refused):
    assert any("D" in line for line in refused(bank_file(metric={"D": 1.702})))


def test_enmity_is_mutual_even_if_the_file_names_it_once(load):
    assert load(bank_file()).enemies == ((1,), (0,), ())


def test_arrays_follow_the_items_and_cannot_be_written_to(load):
    bank = load(bank_file())
    assert bank.domains == ("D1", "D2")
    assert bank.domain.tolist() == [0, 0, 1]
    assert bank.a.tolist() == [1.0, 1.2, 0.8]
    assert bank.c.tolist() == [0.0, 0.0, 0.2]
    for array in (bank.a, bank.b, bank.c, bank.d, bank.domain):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_subset_forgets_enemies_that_it_left_out(load):
    bank = load(bank_file())
    assert bank.where(domain="D1", status="operational").ids == ("i1", "i2")
    assert bank.where(id="i2").enemies == ((),)


def test_the_frame_has_one_row_an_item(load):
    frame = load(bank_file()).frame
    assert frame["id"].tolist() == ["i1", "i2", "i3"]
    assert frame["a"].tolist() == [1.0, 1.2, 0.8]


def test_the_practice_bank_has_ten_questions_a_domain_each_with_key_and_rationale():
    bank = ItemBank.load_packaged("practice-bank")
    assert np.bincount(bank.domain).tolist() == [10] * 6
    assert bank.provisional
    for item in bank.items:
        assert len(item.content.options) == 4
        assert len(set(item.content.options)) == 4
        assert item.content.rationale
        assert item.provisional
    assert len({item.content.stem for item in bank.items}) == 60


def test_a_choice_is_scored_by_the_key():
    content = Content.model_validate(CONTENT)
    assert [content.score(choice) for choice in ("A", "B", " b ", "C", "")] == [0, 1, 1, 0, 0]


# ---- versions


def version(load, **changes):
    """Version of the standard file with its second item changed."""
    content = bank_file()
    content["items"][1] |= changes
    return load(content).version


@pytest.mark.parametrize(
    "change",
    [
        {"id": "i9"},
        {"a": 1.2000000000000002},
        {"b": -0.5000000000000001},
        {"model": "3pl", "c": 0.1},
        {"model": "4pl", "d": 0.9},
        {"domain": "D2"},
        {"status": "retired"},
        {"enemies": ["i3"]},
        {"enemies": []},
        {"content": CONTENT | {"key": "C"}},
        {"content": CONTENT | {"options": ["two", "one", "three"]}},
    ],
)
def test_the_version_changes_when_a_decision_or_a_score_could(load, change):
    assert version(load, **change) != version(load)


@pytest.mark.parametrize(
    "change",
    [{"statistics": {"p": 0.5}}, {"verdict": "everyone got it right"}, {"answers": 12}, {"provisional": True}],
)
def test_the_version_stays_when_only_what_is_known_about_an_item_changes(load, change):
    assert version(load, **change) == version(load)


def test_the_version_covers_the_population_and_the_order_but_no_names(load):
    plain = load(bank_file()).version
    assert load(bank_file(metric={"latent_sd": 1.1})).version != plain
    assert load(bank_file(items=bank_file()["items"][::-1])).version != plain
    assert load(bank_file(id="other", title="T", note="N", provenance={"by": "me"})).version == plain


# ---- what is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"a": 0}, ": a: "),
        ({"a": -1}, ": a: "),
        ({"a": float("nan")}, ": a: "),
        ({"a": 21}, ": a: "),
        ({"b": None}, ": b: "),
        ({"b": float("inf")}, ": b: "),
        ({"b": float("nan")}, ": b: "),
        ({"b": 10**400}, ": b: "),
        ({"b": "hard"}, "hard"),
        ({"c": float("nan")}, ": c: "),
        ({"c": 1.0, "model": "3pl"}, ": c: "),
        ({"c": 0.2}, "2pl item has c = 0"),
        ({"d": 0.9}, "2pl item has d = 1"),
        ({"d": 0.3, "c": 0.4, "model": "4pl"}, "not below d"),
        ({"a": 1.1, "model": "rasch"}, "Rasch item has a = 1"),
        ({"model": "5pl"}, ": model: "),
        ({"status": "live"}, ": status: "),
        ({"id": ""}, ": id: "),
        ({"id": 7}, ": id: "),
        ({"enemies": ["i1"]}, "own enemy"),
        ({"enemies": ["i4"]}, 'names the enemy "i4", which is not in the bank'),
        ({"statistics": {"p": float("nan")}}, "statistics"),
        ({"colour": "red"}, "colour"),
        ({"covariance": {"names": ["a"], "values": [[-1.0]]}}, "negative"),
        ({"covariance": {"names": ["a", "b"], "values": [[1.0]]}}, "2 × 2"),
        ({"content": CONTENT | {"key": "D"}}, "not among the 3 options"),
        ({"content": CONTENT | {"options": ["one"]}}, "options"),
    ],
)
def test_an_impossible_item_is_refused_by_name(refused, change, words):
    content = bank_file()
    content["items"][0] |= change
    if "enemies" not in change:
        content["items"][1]["enemies"] = []
    (line,) = refused(content)
    assert words in line
    assert "item" in line


def test_all_faults_are_listed_at_once_within_items_and_between_them(refused):
    content = bank_file(colour="red", provenance=[1])
    content["items"][0]["b"] = "hard"
    content["items"][1]["a"] = -1
    content["items"].append({"id": "i3", "domain": "D1", "b": 0, "enemies": ["i1", "zz"]})
    problems = refused(content)
    assert len(problems) == 6
    for words in ("colour", "provenance", "hard", "greater than 0", 'item "i3" stands 2 times', '"zz"'):
        assert sum(words in line for line in problems) == 1, words


def test_the_message_counts_the_faults_and_names_the_file(load):
    content = bank_file()
    content["items"][0]["b"] = content["items"][1]["b"] = "x"
    with pytest.raises(BankError, match=r"bank\.json: 2 problems\n  item 1 .*\n  item 2 "):
        load(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("{", "line 1, column 2"),
        ("[]", "not an item bank"),
        ("null", "not an item bank"),
        ('{"format": "other"}', "not an item bank"),
        (bank_file(format_version=2), "format_version 2"),
        (bank_file(items=[]), "no items"),
        (bank_file(items={}), '"items" must be a list'),
        (bank_file(items=[3]), "dictionary"),
        (bank_file(metric=None), "metric"),
        (bank_file(metric={"latent_sd": 0}), "latent_sd"),
        (bank_file(metric={"latent_mean": float("nan")}), "latent_mean"),
        (json.dumps(bank_file()) + "x", "Extra data"),
        (json.dumps(bank_file()).replace("0.5", "1" * 5000, 1), "4300 digits"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps(bank_file()).replace('"i1"', '"\\ud800"'), "half a character"),
        (json.dumps(bank_file()).encode("utf-16"), "not a UTF-8 text file"),
        (b"PAR1\xff\xfe\x00\x00PAR1", "not a UTF-8 text file"),
    ],
)
def test_a_file_that_is_not_a_bank_gets_one_clear_message(refused, content, words):
    (line,) = refused(content)
    assert words in line


def test_a_key_that_stands_twice_is_refused_since_one_value_would_be_lost(refused):
    text = json.dumps(bank_file()).replace('"id": "i1",', '"id": "i1", "b": 3,')
    assert refused(text) == ['"b" stands twice in one object']


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("id,b\n", "no items"),
        ("id,domain\ni1,D1\n", 'no column "b"'),
        ("id;b\ni1;0\n", 'no column "id"'),
        ("id,b,colour\ni1,0,red\n", 'unknown column "colour"'),
        ("id,b,b\ni1,0,1\n", 'column "b" stands twice'),
        ("id,b\ni1\n", "line 2: 2 fields expected"),
        ("id,b\ni1,0,1\n", "line 2: 2 fields expected"),
        ("id,b\ni1,nan\n", 'line 2: b is "nan"'),
        ("id,b\ni1,1e999\n", 'line 2: b is "1e999"'),
        ("id,b,se_b\ni1,0,-0.1\n", 'se_b is "-0.1"'),
        ("id,b,D\ni1,0,x\n", 'D is "x"'),
        ("id,a,b,D\ni1,1,0,0\n", "greater than 0"),
        ("id,b\n,0\n", "line 2: id"),
        ("id,b\n" + "x" * 200_000 + ",0\n", "line 1"),
        ('id,b\n"i1,0\n', "2 fields expected"),
    ],
)
def test_a_broken_csv_gets_one_clear_message(refused, text, words):
    problems = refused(text, ".csv")
    assert any(words in line for line in problems)
    assert len(problems) == (2 if "id;b" in text else 1) + ("id;b" in text)


def test_a_csv_lists_all_its_faults_with_their_lines(refused):
    text = "id,b,status\ni1,x,\ni2,0,live\ni2,0\ni1,0,\ni3,0,,\n"
    problems = refused(text, ".csv")
    assert [line.split(":")[0] for line in problems[:3]] == ["line 2", "line 4", "line 6"]
    assert problems[3].startswith('line 3 "i2": status')
    # The second i2 and the first i1 were refused before they could be compared: still they stand twice.
    assert set(problems[4:]) == {
        'item "i1" stands 2 times; ids must be unique',
        'item "i2" stands 2 times; ids must be unique',
    }


def test_a_folder_and_a_missing_file_are_named_as_such(tmp_path):
    with pytest.raises(BankError, match="folder"):
        ItemBank.load(tmp_path)
    with pytest.raises(BankError, match="no such file"):
        ItemBank.load(tmp_path / "none.json")


@pytest.mark.parametrize("target", ["folder", "nowhere/bank.json"])
def test_a_bank_that_cannot_be_written_says_so_and_leaves_nothing(load, tmp_path, target):
    bank = load(bank_file())
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputRejected, match="cannot write here"):
        bank.save(tmp_path / target)
    assert sorted(tmp_path.rglob("*")) == before


def test_csv_refuses_what_its_space_separated_enemies_could_not_give_back(tmp_path):
    bank = ItemBank.from_items([Item(id="i 1", domain="D", b=0), Item(id="i2", domain="D", b=0, enemies=("i 1",))])
    with pytest.raises(BankError, match="space"):
        bank.save(tmp_path / "bank.csv")
    assert list(tmp_path.iterdir()) == []
    bank.save(tmp_path / "bank.json")
    assert ItemBank.load(tmp_path / "bank.json").items == bank.items


def test_a_bank_of_ten_thousand_items_passes_through_both_formats(tmp_path):
    items = [Item(id=f"i{k:05d}", domain=f"D{k % 6}", b=k / 10_000) for k in range(10_000)]
    bank = ItemBank.from_items(items)
    for name in ("bank.json", "bank.csv"):
        bank.save(tmp_path / name)
        assert ItemBank.load(tmp_path / name).items == bank.items
    with (tmp_path / "bank.csv").open(encoding="utf-8", newline="") as handle:
        assert sum(1 for _ in csv.reader(handle)) == 10_001


def test_a_misspelt_enemy_is_guessed(refused):
    content = bank_file()
    content["items"][0]["id"] = "D3-0421"
    content["items"][1]["enemies"] = ["D3-0412"]
    assert refused(content) == [
        'item "i2" names the enemy "D3-0412", which is not in the bank (did you mean "D3-0421"?)'
    ]


# ---- items with several scores

STEPPED = [
    {"id": "g", "domain": "D1", "model": "grm", "a": 1.2, "steps": [-1.0, 0.1, 2.4]},
    {"id": "q", "domain": "D1", "model": "gpcm", "a": 0.7, "steps": [0.8, -0.6]},
    {"id": "p", "domain": "D2", "model": "pcm", "b": 0.2, "steps": [-0.5, 0.5, 1.0, 0.1]},
    {"id": "r", "domain": "D2", "model": "3pl", "a": 0.9, "b": 0.3, "c": 0.2},
]


@pytest.mark.parametrize("suffix", [".json", ".csv", ".tsv"])
def test_items_with_steps_come_back_from_any_file(load, tmp_path, suffix):
    bank = load(bank_file(items=STEPPED))
    assert [item.highest for item in bank.items] == [3, 2, 4, 1]
    assert bank.b.tolist() == pytest.approx([0.5, 0.1, 0.2, 0.3], rel=1e-15)
    bank.save(tmp_path / f"again{suffix}")
    again = ItemBank.load(tmp_path / f"again{suffix}")
    assert again.items == bank.items
    assert again.version == bank.version


def test_parameters_hold_every_model(load):
    found = load(bank_file(items=STEPPED)).parameters
    assert found.kind.tolist() == [GRADED, PARTIAL, PARTIAL, DICHOTOMOUS]
    assert found.first.tolist() == [0, 4, 7, 12, 14]
    assert found.steps.tolist() == [0, -1, 0.1, 2.4, 0, 0.8, -0.6, 0, -0.5, 0.5, 1.0, 0.1, 0, 0.3]
    assert not any(values.flags.writeable for values in found)


def test_a_table_has_a_column_for_steps_only_where_there_are_any(load, tmp_path):
    stepped, plain = load(bank_file(items=STEPPED)), load(bank_file())
    assert stepped.frame["steps"].tolist() == ["-1.0 0.1 2.4", "0.8 -0.6", "-0.5 0.5 1.0 0.1", ""]
    assert "steps" not in plain.frame
    plain.save(tmp_path / "plain.csv")
    assert "steps" not in (tmp_path / "plain.csv").read_text().splitlines()[0]


def test_slopes_of_the_normal_metric_are_converted_whatever_the_model(load):
    text = "id,model,a,steps,D\ng,grm,0.8,-1 0 1,1.702\n"
    assert load(text, ".csv").a.tolist() == pytest.approx([0.8 * 1.702], rel=1e-15)


def test_right_or_wrong_banks_keep_the_version_they_had_before_there_were_steps():
    """Computed by the program before: sessions begun then can be resumed."""
    guessed = Item(id="i2", domain="D1", model="3pl", a=1.2, b=-0.5, c=0.2, enemies=("i1",))
    assert ItemBank.from_items([Item(id="i1", domain="D1", b=0.5), guessed]).version == "cc0bf1651caf"


def test_the_version_changes_with_a_step(load):
    moved = [{**STEPPED[0], "steps": [-1.0, 0.2, 2.4], "b": 0.5}, *STEPPED[1:]]
    assert load(bank_file(items=moved)).version != load(bank_file(items=STEPPED)).version


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"model": "grm"}, "b: Field required"),
        ({"model": "grm", "b": 0.0}, "a grm item needs steps, one for each score above 0"),
        ({"model": "grm", "steps": [0.5, 0.5, 0.1]}, "step 2 (0.5) is not above step 1 (0.5)"),
        ({"model": "grm", "steps": [0.5, 0.5, 0.1]}, "step 3 (0.1) is not above step 2 (0.5)"),
        ({"model": "pcm", "a": 1.1, "steps": [0.0, 1.0]}, "a PCM item has a = 1, this one 1.1"),
        ({"model": "gpcm", "c": 0.2, "steps": [0.0, 1.0]}, "a gpcm item has c = 0, this one 0.2"),
        ({"model": "gpcm", "d": 0.9, "steps": [0.0, 1.0]}, "a gpcm item has d = 1, this one 0.9"),
        (
            {"model": "gpcm", "b": 2.0, "steps": [-1.0, 1.0]},
            "b 2 lies outside its steps, -1 to 1: steps are not relative",
        ),
        ({"model": "2pl", "b": 0.0, "steps": [0.0]}, "a 2pl item has no steps; models with steps are grm, gpcm, pcm"),
        ({"model": "grm", "steps": [-1.0, 70.0]}, "steps.1: Input should be less than or equal to 50 (found 70.0)"),
        ({"model": "grm", "steps": ["low", 1.0]}, "steps.0: Input should be a valid number"),
        ({"model": "pcm", "steps": [0.0, 1.0], "content": CONTENT}, "a pcm item cannot have content with options"),
    ],
)
def test_steps_that_do_not_fit_are_refused(refused, item, words):
    problems = refused(bank_file(items=[{"id": "i1", "domain": "D1", **item}]))
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("g,grm,,-1 high 1", 'line 2: steps is "-1 high 1"; expected numbers separated by spaces'),
        ("g,,0,-1 1", "line 2: steps, but no model; expected one of grm, gpcm, pcm"),
        ("g,2pl,,", 'line 2 "g": b: Field required'),
    ],
)
def test_steps_that_cannot_be_read_from_a_table_are_refused(refused, row, words):
    assert words in refused(f"id,model,b,steps\n{row}\n", ".csv")
