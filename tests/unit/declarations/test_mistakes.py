"""Mistakes in declarations: each is told with file, line, field and remedy, all of them at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alm.adapters.declarations import Declarations
from alm.domain.errors import Misconfigured
from tests.unit.declarations.folders import (
    CHURN,
    SHOPS,
    arm,
    changed,
    classic,
    mistakes,
    put,
)

SHAPE = r"^managed_models/[\w.-]+:\d+: [\w\[\]. -]+: .+; .+$"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "managed_models"


def test_a_sound_folder_has_no_mistakes(folder):
    put(folder, "churn.yaml", CHURN)
    put(folder, "shops.yaml", SHOPS)
    assert Declarations.read(folder, None).models() == ["churn"]


def test_the_line_is_that_of_the_field(folder):
    text = "# people\nmodel: churn\n\ntargets:\n  - name: us\n    servce:\n      kind: new\n"
    put(folder, "churn.yaml", text)
    told = mistakes(folder)
    assert any(
        line.startswith(
            "managed_models/churn.yaml:6: targets[0].servce: is no known field; did you"
        )
        for line in told
    )
    assert any(line.startswith("managed_models/churn.yaml:5: targets[0].service:") for line in told)


def test_mistakes_of_all_files_are_told_at_once(folder):
    put(folder, "a.yaml", changed(CHURN, lambda d: d.update(concurrency="sometimes", quiet=1)))
    put(folder, "b.yaml", changed(SHOPS, lambda d: d["gate"].update(task="regresion")))
    put(folder, "c.yaml", "model: [")
    put(folder, "d.yaml", changed(CHURN, lambda d: d["schedules"].update(verify="daily")))
    told = mistakes(folder)
    files = [re.split(r"[:/]", line)[1] for line in told]
    assert files == sorted(files)
    assert set(files) == {"a.yaml", "b.yaml", "c.yaml", "d.yaml"}


def _set(*path: object, to: object):
    """A change: the value at this path of a declaration."""

    def change(declaration):
        inside = declaration
        for part in path[:-1]:
            inside = inside[part]
        inside[path[-1]] = to

    return change


CASES = [
    (_set("model", to="Churn"), "model: has not the right form"),
    (_set("model", to="churn--us"), "model: 'churn--us' holds --"),
    (_set("modle", to="x"), "modle: is no known field; did you mean 'model'?"),
    (_set("concurrency", to="que"), "concurrency: is 'que'; did you mean 'queue'?"),
    (_set("quiet_seconds", to=-1), "quiet_seconds: is -1, out of range"),
    (_set("quiet_seconds", to="soon"), "quiet_seconds: is of the wrong kind; write a number"),
    (_set("targets", to=[]), "targets: is empty; declare at least one"),
    (_set("targets", to="us"), "targets: is of the wrong kind; write a list"),
    (_set("approval", to=True), "approval: is of the wrong kind; write its fields below"),
    (_set("targets", 0, "service", "kind", to="old"), "has the kind 'old'; known: classic, new"),
    (_set("targets", 0, "service", to={}), "add `kind`: one of classic, new"),
    (_set("dataset", to="churn/{shop}/*.csv"), "dataset: captures {shop}"),
    (_set("dataset", to="churn//*.csv"), "dataset: 'churn//*.csv' can match nothing"),
    (_set("dataset", to="datasets/churn/*.csv"), "dataset: begins with the container 'datasets'"),
    (_set("model_pattern", to="{a}{b}"), "model_pattern: '{a}{b}' has two variable parts"),
    (_set("targets", 1, "name", to="us"), "targets[1].name: 'us' is the name of two targets"),
    (_set("staging", "name", to="us"), "staging.name: 'us' is the name of a target too"),
    (_set("gate", "staging", to="stag"), "gate.staging: 'stag' is not the staging target"),
    (_set("gate", "staging", to="us"), "gate.staging: 'us' is not the staging target"),
    (_set("targets", 1, "service", to=classic("SCORING", "Live")), "service of another target"),
    (_set("staging", "service", to=arm("CHURN-eu")), "staging.service: is the service of staging"),
    (_set("targets", 0, "service", to=classic("scoring", "default")), "is the default endpoint"),
    (
        _set("targets", 0, "service", "endpoint", to="https://x.net/y"),
        "targets[0].service.endpoint: is not the management URL",
    ),
    (_set("training", "service", "endpoint", to="https://x.net/y"), "training.service.endpoint"),
    (_set("training", to=None), "dataset: starts retraining, and there is no training service"),
    (_set("schedules", "retrain", to="60 * * * *"), "schedules.retrain: '60 * * * *' is never due"),
    (_set("schedules", "verify", to="@daily"), "schedules.verify: '@daily' has 1 fields"),
    (_set("training", "poll_seconds_min", to=900), "poll_seconds_min: is more than poll_sec"),
    (_set("training", "deadline_minutes", to=1), "poll_seconds_max: is longer than the deadline"),
    (_set("training", "attempts", to=9), "training.attempts: is 9, out of range"),
    (_set("training", "outputs", to={"evaluation": "output1"}), "outputs: name one output twice"),
    (_set("training", "outputs", "scored", to="output2"), "outputs: name one output twice"),
    (
        _set("training", "parameters", to={"Path": "trained-models/churn/x.ilearner"}),
        "training.parameters.Path: points into the landing zone",
    ),
    (_set("gate", "rows_blob", to=None), "gate.compare: is `same-rows`, which needs `gate.rows"),
    (_set("gate", "label", to=""), "gate.compare: is `same-rows`, which needs `gate.label`"),
    (_set("gate", "rows_blob", to="datasets/churn/a.csv"), "is a dataset of 'churn'"),
    (_set("gate", "metrics", to=[]), "gate.metrics: are missing"),
    (_set("gate", "metrics", to=[{"name": "auc"}]), "gate.metrics[0]: asks for nothing"),
    (_set("gate", "metrics", 0, "min", to=80), "is 80, and auc lies between 0 and 1"),
    (_set("gate", "metrics", 0, "max", to=0.5), "gate.metrics[0].min: is more than max"),
    (_set("gate", "metrics", 0, "max_regression", to=-0.1), "max_regression: is -0.1"),
    (_set("gate", "metrics", 0, "max_regression", to=None), "no metric says how much worse"),
    (_set("gate", "metrics", 0, "name", to="r2"), "'r2' is not measured for two-class"),
    (_set("gate", "metrics", 0, "name", to="acuracy"), "did you mean 'accuracy'?"),
    (_set("gate", "compare", to="none"), "compares with the champion, and gate.compare is `none`"),
    (_set("gate", "confidence", to=1.5), "gate.confidence: is 1.5, out of range"),
    (_set("smoke_tests", 0, "targets", to=["eus"]), "'eus' is not a target; did you mean 'us'?"),
    (_set("smoke_tests", 0, "rows", to=[{"a": 1}, {"b": 1}]), "has other columns"),
    (_set("smoke_tests", 0, "rows", to=[]), "smoke_tests[0].rows: is empty"),
    (_set("smoke_tests", 0, "rows", to=[{"a": [1]}]), "write text, a number or true/false"),
    (_set("smoke_tests", 0, "expect", to=[{"column": "a"}]), "expects nothing of 'a'"),
    (_set("smoke_tests", 0, "expect", 0, to={"column": "a", "min": 2, "max": 1}), "min above"),
    (_set("naming", to={"prefix": "a/b"}), "naming.prefix: has not the right form"),
    (_set("notify", to={"webhook": "https://hooks/secret"}), "notify.webhook: has not the right"),
]


@pytest.mark.parametrize(("change", "words"), CASES, ids=[words for _, words in CASES])
def test_a_mistake_is_told(folder, change, words):
    put(folder, "churn.yaml", changed(CHURN, change))
    told = mistakes(folder)
    assert any(words in line for line in told), told
    assert all(re.match(SHAPE, line) for line in told), told
    assert len(told) <= 4, told


@pytest.mark.parametrize(
    "place",
    [("targets", 0, "service", "token"), ("staging", "service", "token"), ("notify", "webhook")],
)
def test_a_literal_secret_is_refused_and_never_repeated(folder, place):
    canary = "hunter2-canary"
    put(folder, "churn.yaml", changed(CHURN, lambda d: _set(*place, to=canary)(_with_notify(d))))
    told = "\n".join(mistakes(folder))
    assert "`env:NAME` or `keyvault:vault/name`" in told
    assert canary not in told


def _with_notify(declaration):
    declaration.setdefault("notify", {})
    return declaration


def test_a_url_with_a_signature_is_refused_and_not_repeated(folder):
    url = "https://x.net/workspaces/a/webservices/b/endpoints/c?sig=canary"
    put(folder, "churn.yaml", changed(CHURN, _set("targets", 0, "service", "endpoint", to=url)))
    told = "\n".join(mistakes(folder))
    assert "without query" in told
    assert "canary" not in told


def test_a_rule_is_not_asked_about_a_section_that_cannot_be_read(folder):
    put(folder, "churn.yaml", changed(CHURN, _set("staging", "nme", to="x")))
    assert len(mistakes(folder)) == 1


def test_numbers_where_text_is_wanted_are_read_as_written(folder):
    change = _set("gate", "positive", to=1)
    put(folder, "churn.yaml", changed(CHURN, change))
    assert Declarations.read(folder, None).resolve("churn").gate.positive == "1"


def test_words_that_yaml_1_1_reads_as_other_things_stay_text(folder):
    text = changed(CHURN, _set("training", "parameters", to={"a": "PLACE"}))
    put(folder, "churn.yaml", text)
    path = folder / "churn.yaml"
    path.write_text(path.read_text().replace("PLACE", "2024-05-01\n    b: no\n    c: 12:30"))
    training = Declarations.read(folder, None).resolve("churn").training
    assert training is not None
    assert training.parameters == {"a": "2024-05-01", "b": "no", "c": "12:30"}


def test_two_declarations_of_one_name_are_told(folder):
    put(folder, "a.yaml", CHURN)
    put(folder, "b.yaml", CHURN)
    told = mistakes(folder)
    assert "managed_models/b.yaml:1: model: 'churn' is declared already" in "\n".join(told)
    assert "(managed_models/a.yaml:1)" in told[0]


def test_two_managed_models_on_one_service_are_told(folder):
    put(folder, "a.yaml", CHURN)
    put(folder, "b.yaml", changed(CHURN, _set("model", to="upsell")))
    told = mistakes(folder)
    assert len(told) == 3
    assert all("is patched by 'churn' (managed_models/a.yaml:" in line for line in told)


def test_two_managed_models_may_learn_from_one_dataset(folder):
    put(folder, "a.yaml", CHURN)
    other = {
        "model": "upsell",
        "staging": None,
        "gate": {"metrics": [{"name": "auc", "min": 0.5}]},
        "targets": [{"name": "us", "service": arm("upsell"), "trained_model": "m"}],
    }
    put(folder, "b.yaml", CHURN | other)
    found = Declarations.read(folder, None).matching_dataset("churn/a.csv")
    assert found.ids == ("churn", "upsell")


def test_one_model_file_for_two_managed_models_is_told(folder):
    put(folder, "a.yaml", CHURN)
    other = {
        "model": "upsell",
        "model_pattern": "churn/new-*.ilearner",
        "staging": None,
        "gate": {"metrics": [{"name": "auc", "min": 0.5}]},
        "targets": [{"name": "us", "service": arm("upsell"), "trained_model": "m"}],
    }
    put(folder, "b.yaml", CHURN | other)
    (told,) = mistakes(folder)
    assert "can match one file" in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model: a\nmodel: b\n", "churn.yaml:2: model: is given twice (first on line 1)"),
        ("- 1\n", "declaration: is not a mapping; begin with"),
        ("model: !!python/object:os.system x\n", "has the tag"),
        ("model: &a [*a]\n", "nested too deeply"),
        ("<<: {model: a}\n", "has a key that is not plain text"),
        ("model: [\n", "is not YAML"),
        ("model: a\tb: c\n", "is not YAML"),
        ("", None),
        ("# nothing\n", None),
    ],
)
def test_yaml_that_is_not_plain_is_told(folder, text, words):
    put(folder, "churn.yaml", text)
    if words is None:
        assert Declarations.read(folder, None).models() == []
    else:
        assert words in mistakes(folder)[0]


def test_other_files_are_told_or_left_alone(folder):
    put(folder, "churn.yml", CHURN)
    put(folder, "README.md", "# notes")
    assert mistakes(folder) == [
        "managed_models/churn.yml:1: declaration: would not be read; rename it to .yaml"
    ]


def test_a_file_that_is_not_utf8_is_told(folder):
    folder.mkdir()
    (folder / "churn.yaml").write_bytes(b"model: \xff\n")
    assert "is not UTF-8; save it as UTF-8" in mistakes(folder)[0]


def test_a_missing_folder_is_told(folder):
    with pytest.raises(Misconfigured, match="there is no folder 'managed_models'"):
        Declarations.read(folder, None)
