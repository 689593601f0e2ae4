"""Families: members by captures, list and file; placeholders; what a family may not do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured, Refused, UnknownModel
from tests.unit.declarations.folders import CHURN, SHOPS, arm, changed, classic, mistakes, put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "managed_models"


def shops(folder: Path, **fields: object) -> Declarations:
    put(folder, "shops.yaml", SHOPS | fields)
    return Declarations.read(folder, None)


def test_a_member_by_captures_is_complete(folder):
    model = shops(folder).resolve("shops--north")
    assert (model.model, model.family, model.dataset) == (
        "shops--north", "shops", "sales/north/*.csv",
    )  # fmt: skip
    assert model.model_pattern == "shops--north/*.ilearner"
    assert model.targets[0].name == "north"
    assert model.training is not None
    assert model.training.parameters == {"shop": "north"}


def test_a_member_by_captures_keeps_its_capitals(folder):
    declarations = shops(folder)
    (model,) = declarations.matching_dataset("sales/North/a.csv")
    assert model.model == "shops--_north"
    assert model.dataset == "sales/North/*.csv"
    assert declarations.matching_model_file("shops--_north/a.ilearner").ids == (model.model,)


@pytest.mark.parametrize("model", ["shops--", "shops--A", "shops--a--b", "shops--é", "shops---a"])
def test_an_id_that_no_member_can_have_is_unknown(folder, model):
    with pytest.raises(UnknownModel):
        shops(folder).resolve(model)


def test_a_member_whose_id_would_be_too_long_is_refused(folder):
    put(folder, "shops.yaml", changed(SHOPS, lambda d: d.update(dataset="{shop}/{region}/*.csv")))
    path = folder / "shops.yaml"
    path.write_text(path.read_text().replace("endpoints/{shop}", "endpoints/{shop}.{region}"))
    declarations = Declarations.read(folder, None)
    with pytest.raises(Refused, match="90 are allowed; shorten shop, region"):
        declarations.matching_dataset(f"{'a' * 60}/{'b' * 60}/x.csv")


def test_members_by_captures_are_those_that_were_seen(folder):
    declarations = shops(folder)
    assert declarations.members("shops") == []
    declarations.remember("shops--north")
    declarations.remember("shops--NOT")
    declarations.remember("churn")
    assert declarations.members("shops", ["shops--south", "churn"]) == [
        "shops--north",
        "shops--south",
    ]
    assert declarations.models() == ["shops--north"]


def test_members_of_a_list_are_known_from_the_start(folder):
    declarations = shops(folder, members={"list": ["north", "south"]})
    assert declarations.models() == ["shops--north", "shops--south"]
    with pytest.raises(UnknownModel, match="did you mean 'north'"):
        declarations.resolve("shops--norht")


def test_a_dataset_of_an_unlisted_member_is_for_nobody(folder):
    declarations = shops(folder, members={"list": ["north"]})
    assert declarations.matching_dataset("sales/north/a.csv").ids == ("shops--north",)
    assert declarations.matching_dataset("sales/south/a.csv").ids == ()


def test_a_pattern_without_captures_is_for_all_members(folder):
    declarations = shops(
        folder, dataset="sales/*.csv", members={"list": [{"shop": "a"}, {"shop": "b"}]}
    )
    assert declarations.matching_dataset("sales/all.csv").ids == ("shops--a", "shops--b")


def test_columns_of_a_file_fill_placeholders(folder):
    put(folder, "shops.csv", "shop,region,trees\nnorth,eu,100\nsouth,us,50\n")
    training = {"service": classic("t", "r"), "parameters": {"Trees": "{trees}", "in": "{region}"}}
    declarations = shops(folder, members={"file": "shops.csv"}, training=training)
    model = declarations.resolve("shops--south")
    assert model.training is not None
    assert model.training.parameters == {"Trees": "50", "in": "us"}


def test_a_file_of_members_may_be_yaml(folder):
    put(folder, "shops-members.yaml", "- {shop: north, store: 12}\n- {shop: south, store: 7}\n")
    declarations = shops(folder, members={"file": "shops-members.yaml", "key": ["store"]})
    assert declarations.models() == ["shops--12", "shops--7"]
    assert declarations.matching_dataset("sales/south/a.csv").ids == ("shops--7",)


def test_a_pattern_with_some_of_the_columns_is_for_the_members_that_agree(folder):
    put(folder, "shops.csv", "shop,region\na,eu\nb,us\nc,eu\n")
    declarations = shops(
        folder, members={"file": "shops.csv", "key": ["shop"]}, dataset="sales/{region}/*.csv"
    )
    assert declarations.matching_dataset("sales/eu/x.csv").ids == ("shops--a", "shops--c")


def test_a_model_file_names_its_member(folder):
    declarations = shops(folder, members={"list": ["north"]})
    assert declarations.matching_model_file("shops--north/a.ilearner").ids == ("shops--north",)
    assert declarations.matching_model_file("shops--south/a.ilearner").ids == ()
    assert declarations.matching_model_file("other--north/a.ilearner").ids == ()


def test_braces_can_be_written(folder):
    smoke = [{"rows": [{"a": "{{x}} {shop}"}], "expect": [{"column": "b", "equals": "c"}]}]
    model = shops(folder, smoke_tests=smoke).resolve("shops--north")
    assert model.smoke_tests[0].rows[0]["a"] == "{x} north"


def test_a_value_is_never_read_as_a_placeholder(folder):
    put(folder, "shops.csv", "shop,note\nnorth,{shop}\n")
    put(folder, "shops.yaml", SHOPS | {"members": {"file": "shops.csv"}})
    assert "shops.csv:2: declaration: note is '{shop}'" in mistakes(folder)[0]


CASES = [
    ({"family": "Shops"}, "family: has not the right form"),
    ({"family": "a--b"}, "family: has not the right form"),
    ({"family": "a-"}, "family: has not the right form"),
    ({"model": "x"}, "model: is given for a family"),
    ({"dataset": "sales/*.csv"}, "come from captures, and the dataset pattern has none"),
    ({"dataset": "{model}/*.csv"}, "dataset: captures {model}"),
    ({"members": "everyone"}, "members: is not understood"),
    ({"members": {"list": ["a"], "file": "b.csv"}}, "needs one of `list` and `file`"),
    ({"members": {"list": []}}, "names no member"),
    ({"members": {"list": "a"}}, "members.list: is not a list"),
    ({"members": {"list": ["a", "a"]}}, "is the same member as line"),
    ({"members": {"list": ["a/b"]}}, "shop is 'a/b'"),
    ({"members": {"list": [{"shop": "a"}, {"shp": "b"}]}}, "has other columns"),
    ({"members": {"list": [{"shop": ["a"]}]}}, "is not one value"),
    ({"members": {"list": [{"model": "a"}]}}, "has a column 'model'"),
    ({"members": {"list": ["a"], "key": ["shp"]}}, "names 'shp', which is no column"),
    ({"members": {"list": [{"shp": "a"}]}}, "dataset: captures 'shop', which is no column"),
    ({"members": {"file": "../secrets.csv"}}, "members.file: is '../secrets.csv'"),
    ({"members": {"file": "missing.csv"}}, "'missing.csv' cannot be read"),
    ({"members": {"list": ["n" * 85]}}, "shop is 'nnn"),
    ({"naming": {"prefix": "{shp}"}}, "naming.prefix: has {shp}, which has no value; did you mean"),
    ({"naming": {"prefix": "a{"}}, "has a lone {"),
    ({"notify": {"webhook": "env:HOOK_{shop}"}}, "let the name of a blob choose a secret"),
    ({"model_pattern": "sales/*.ilearner"}, "does not say which member a file is for"),
    (
        {"targets": [{"name": "a", "service": arm("one"), "trained_model": "m"}]},
        "targets[0].service: is the same for members that differ in shop",
    ),
]


@pytest.mark.parametrize(("fields", "words"), CASES, ids=[words for _, words in CASES])
def test_a_mistake_in_a_family_is_told(folder, fields, words):
    put(folder, "shops.yaml", SHOPS | fields)
    told = mistakes(folder)
    assert any(words in line for line in told), told


def test_a_placeholder_may_not_choose_a_host(folder):
    service = {"kind": "execution", "url": "https://{shop}.example/x", "key": "env:KEY"}
    put(folder, "shops.yaml", SHOPS | {"training": {"service": service}})
    assert any("choose the host" in line for line in mistakes(folder))


def test_rows_that_are_too_short_or_too_long_are_told_with_their_lines(folder):
    put(folder, "shops.csv", "shop,region\na,eu\nb\nc,eu,us\n")
    put(folder, "shops.yaml", SHOPS | {"members": {"file": "shops.csv"}})
    told = mistakes(folder)
    assert [line.split(": ")[0] for line in told] == [
        "managed_models/shops.csv:3",
        "managed_models/shops.csv:4",
    ]


def test_many_wrong_rows_are_cut_short(folder):
    put(folder, "shops.csv", "shop\n" + "bad row\n" * 500)
    put(folder, "shops.yaml", SHOPS | {"members": {"file": "shops.csv"}})
    told = mistakes(folder)
    assert len(told) == 21
    assert "480 more rows" in told[-1]


def test_members_on_one_service_are_told(folder):
    put(folder, "shops.csv", "shop,endpoint\na,one\nb,two\nc,one\n")
    put(
        folder,
        "shops.yaml",
        SHOPS
        | {
            "members": {"file": "shops.csv"},
            "targets": [
                {"name": "t", "service": classic("sales", "{endpoint}"), "trained_model": "m"}
            ],
        },
    )
    (told,) = mistakes(folder)
    assert "targets[0].service: is patched by 'shops--a'" in told


def test_a_member_by_captures_on_the_service_of_another_is_told(folder):
    put(folder, "shops.yaml", SHOPS)
    taken = [{"name": "t", "service": classic("sales", "north"), "trained_model": "m"}]
    put(folder, "churn.yaml", CHURN | {"targets": taken})
    (told,) = mistakes(folder)
    assert "targets[0].service: can be the service of 'churn'" in told


def test_a_row_that_spoils_its_member_is_told_when_it_is_asked_for(folder):
    put(folder, "shops.csv", "shop,least\na,0.5\nb,much\n")
    gate = {"task": "regression", "metrics": [{"name": "r2", "min": "{least}"}]}
    declarations = shops(folder, members={"file": "shops.csv"}, gate=gate)
    assert declarations.resolve("shops--a").gate.metrics[0].min == 0.5
    with pytest.raises(Misconfigured, match=r"shops.yaml:1: member 'shops--b'"):
        declarations.resolve("shops--b")
    with pytest.raises(Misconfigured, match="shops--b"):
        declarations.check_members()


def test_ten_thousand_members_are_worked_out_lazily(folder):
    put(folder, "shops.csv", "shop\n" + "".join(f"s{number}\n" for number in range(10_000)))
    declarations = shops(folder, members={"file": "shops.csv"}, dataset="sales/*.csv")
    began = time.process_time()
    matching = declarations.matching_dataset("sales/all.csv")
    listed = time.process_time() - began
    for model in matching[:500]:
        assert model.family == "shops"
    each = (time.process_time() - began - listed) / 500
    assert len(matching) == 10_000
    assert listed < 0.1
    assert each < 0.001
