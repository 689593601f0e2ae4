"""A section is written into a declaration, and nothing else of the file changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from alm.domain.errors import Misconfigured, Refused
from alm.entrypoints.cli.studio.binding import bind, file_of, with_section

CLASSIC: dict[str, Any] = {
    "service": {"kind": "classic", "endpoint": "https://x/endpoints/default", "token": "env:T"},
    "input": "input1",
    "outputs": {"model": "output1", "evaluation": "", "scored": ""},
}
NEW: dict[str, Any] = {**CLASSIC, "service": {"kind": "new", "resource": "/subscriptions/s/x"}}
NOTED = """\
model: churn
# how
training:   # here
  service:  # the service
    kind: classic     # a kind
    endpoint: old     # where
    # between
    token: env:OLD
  outputs:
    model: m   # the model
    # nothing more
  attempts: 3  # tries

# targets follow
targets: []
"""


def read(text: str) -> Any:
    return yaml.safe_load(text)


@pytest.mark.parametrize(
    "before",
    [
        "model: churn\n",
        "model: churn",
        "model: churn\ntargets: []\n# end\n",
        NOTED,
        "model: churn\ntraining: {service: {kind: new, resource: r}, attempts: 2}\n",
        "model: churn\ntraining:\n  service: {kind: new, resource: r}\n",
        "model: churn\ntraining:\n",
        "model: churn\ntraining:\n    service:\n        kind: new\n        resource: r\n",
        "# first\nmodel: other\n---\nmodel: churn\ntraining:\n  input: x\n",
        "family: churn\nmembers: captures\n",
    ],
)
@pytest.mark.parametrize("value", [CLASSIC, NEW], ids=["classic", "new"])
def test_the_section_says_what_it_should(before, value):
    after = with_section(before, "churn", "training", value)
    found = next(d for d in yaml.safe_load_all(after) if "churn" in d.values())["training"]
    assert {name: found[name] for name in value} == value
    rest = [line for line in before.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in after.splitlines() if line.lstrip().startswith("#")] == rest
    assert with_section(after, "churn", "training", value) == after


def test_comments_and_other_keys_stay():
    after = with_section(NOTED, "churn", "training", CLASSIC)
    for kept in (
        "training:   # here",
        "service:  # the service",
        "kind: classic     # a kind",
        "endpoint: https://x/endpoints/default     # where",
        "model: output1   # the model",
        "attempts: 3  # tries",
        "# targets follow\ntargets: []",
    ):
        assert kept in after
    assert read(after)["training"]["attempts"] == 3


def test_keys_in_braces_stay():
    before = "model: churn\ntraining: {service: {kind: new, resource: r}, attempts: 2}\n"
    after = read(with_section(before, "churn", "training", CLASSIC))["training"]
    assert after == {**CLASSIC, "attempts": 2}
    before = "model: churn\ntraining:\n  service: {kind: new, resource: r}\n  outputs: {x: y}\n"
    after = read(with_section(before, "churn", "training", CLASSIC))["training"]
    assert after == {**CLASSIC, "outputs": {**CLASSIC["outputs"], "x": "y"}}


def test_what_another_kind_of_service_does_not_have_is_taken_out():
    after = read(with_section(NOTED, "churn", "training", NEW))
    assert after["training"]["service"] == NEW["service"]


def test_a_file_that_would_not_be_accepted_is_left_as_it_was(tmp_path: Path):
    path = tmp_path / "churn.yaml"
    path.write_text(NOTED)

    def check() -> None:
        raise Misconfigured("managed_models/churn.yaml:3: no")

    with pytest.raises(Misconfigured, match="left as it was"):
        bind(tmp_path, "churn", "training", CLASSIC, check)
    assert path.read_text() == NOTED


def test_mistakes_of_other_files_do_not_matter(tmp_path: Path):
    path = tmp_path / "churn.yaml"
    path.write_text(NOTED)

    def check() -> None:
        raise Misconfigured("managed_models/other.yaml:3: no")

    assert bind(tmp_path, "churn", "training", CLASSIC, check) == path
    assert read(path.read_text())["training"]["input"] == "input1"


def test_a_model_that_no_file_declares_is_told(tmp_path: Path):
    (tmp_path / "churn.yaml").write_text(NOTED)
    with pytest.raises(Refused, match="did you mean 'churn'"):
        file_of(tmp_path, "chrun")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(Refused, match="is not YAML"):
        file_of(tmp_path, "chrun")
