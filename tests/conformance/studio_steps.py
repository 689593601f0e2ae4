"""What a user of azureml 0.2.7 does with a workspace; runs in an environment that has it.

Reads what it needs to know from standard input, prints what each step expected and saw as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pandas
from azureml import DataTypeIds, Workspace
from azureml.errors import AzureMLHttpError

# More than one of the client's blocks of two mebibytes.
LARGE = "number,text\n" + "".join(f"{at},{'x' * 60}\n" for at in range(70_000))


class Steps:
    """Keeps what each step expected and saw. What a step raises ends all, with its traceback."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def take(self, name: str, expected: Any, seen: Any) -> None:
        """One step was taken."""
        self.taken.append({"name": name, "expected": expected, "seen": seen})


def status_of(call: Callable[[], Any]) -> int:
    """The HTTP status that the client reports for a call that must fail."""
    try:
        call()
    except AzureMLHttpError as error:
        return int(error.status_code)
    return 200


def names(found: Any) -> list[str]:
    return sorted(one.name for one in found)


def read(workspace: Workspace, known: dict[str, Any], steps: Steps) -> None:
    """Lists, samples, experiments, intermediate outputs."""
    samples = [f"{name} training data" for name in ("Cancer", "Churn", "Diabetes", "Sales")]
    own = [*samples, "line"]
    steps.take("own datasets", own, names(workspace.user_datasets))
    examples = ["cancer.csv", "churn.csv", "diabetes.csv", "sales.csv"]
    steps.take("examples", examples, names(workspace.example_datasets))
    steps.take("all datasets", 9, len(workspace.datasets))
    sample = workspace.datasets["diabetes.csv"]
    steps.take("a sample as frame", [442, 11], list(sample.to_dataframe().shape))
    steps.take("a sample is one", True, sample.is_example)

    found = {one.experiment_id: one for one in workspace.user_experiments}
    steps.take("own experiments", 9, len(found))
    experiment = found[known["experiment"]]
    steps.take("no example experiments", 0, len(workspace.example_experiments))
    steps.take("an experiment's id", known["experiment"], experiment.experiment_id)
    steps.take("its name", "Train a line", experiment.description)
    steps.take("its state", "Finished", experiment.status.status_code)
    steps.take("its date", True, experiment.status.creation_time.year >= 2020)
    steps.take("its Etag", True, experiment.etag.startswith("W/"))
    steps.take("its run", True, ".s-id." in experiment.run_id)
    steps.take("its archive", False, experiment.is_archived)

    node, port = known["node"], known["port"]
    output = experiment.get_intermediate_dataset(node, port, DataTypeIds.GenericCSV)
    steps.take("an output as text", known["scored"], output.read_as_text())
    steps.take("an output as bytes", known["scored"], output.read_as_binary().decode())
    steps.take("an output as stream", known["scored"], output.open().read().decode())
    rows = len(known["scored"].splitlines()) - 1
    steps.take("an output as frame", rows, len(output.to_dataframe()))


def write_frames(workspace: Workspace, steps: Steps) -> None:
    """A new dataset, its next version, a name that is taken."""
    frame = pandas.DataFrame({"age": [39, 50], "job": ["clerk", "nurse"]})
    datasets, csv = workspace.datasets, DataTypeIds.GenericCSV
    added = datasets.add_from_dataframe(frame, csv, "census", "two people")
    steps.take("a new dataset is listed", 1, names(datasets).count("census"))
    steps.take("it comes back", frame.values.tolist(), added.to_dataframe().values.tolist())
    steps.take("its date", True, added.created_date.year >= 2020)
    steps.take("its type", csv, added.data_type_id)
    steps.take("its description", "two people", added.description)
    steps.take("its origin", "FromResourceUpload", added.source_origin)
    steps.take("its owner", "Python SDK", added.owner)
    steps.take("it is the latest", True, added.is_latest)
    steps.take("it is no example", False, added.is_example)
    steps.take("its ticks", "int", type(added.created_date_ticks).__name__)

    first, family = added.dataset_id, added.family_id
    added.update_from_dataframe(frame.iloc[:1])
    steps.take("a new version", False, added.dataset_id == first)
    steps.take("of the same family", family, added.family_id)
    steps.take("has its content", 1, len(added.to_dataframe()))
    steps.take("alone is listed", 1, names(datasets).count("census"))

    def again() -> Any:
        return datasets.add_from_dataframe(frame, csv, "census", "again")

    steps.take("names are taken", 409, status_of(again))
    for data_type in ("GenericTSV", "GenericCSVNoHeader", "GenericTSVNoHeader"):
        one = datasets.add_from_dataframe(frame, data_type, f"as {data_type}", "two people")
        steps.take(f"as {data_type}", [2, 2], list(one.to_dataframe().shape))


def write_raw(workspace: Workspace, steps: Steps) -> None:
    """A file of several blocks, and a version with another name."""
    large = workspace.datasets.add_from_raw_data(
        LARGE.encode(), DataTypeIds.GenericCSV, "large", "three blocks"
    )
    steps.take("a file of blocks", len(LARGE), large.size)
    steps.take("comes back whole", True, large.read_as_text() == LARGE)
    large.update_from_raw_data(b"number\n1\n", name="small", description="now small")
    steps.take("a version may be renamed", "small", large.name)
    steps.take("and is smaller", 9, large.size)
    text = "@relation r\n@attribute a real\n@data\n1\n"
    for data_type in (DataTypeIds.ARFF, DataTypeIds.PlainText):
        one = workspace.datasets.add_from_raw_data(text.encode(), data_type, data_type, "text")
        steps.take(f"{data_type} comes back", text, one.read_as_text())


def main() -> None:
    """Take all steps."""
    known = json.load(sys.stdin)
    workspace = Workspace(known["workspace"], known["token"], known["url"])
    steps = Steps()
    read(workspace, known, steps)
    write_frames(workspace, steps)
    write_raw(workspace, steps)
    stranger = Workspace(known["workspace"], "wrong", known["url"])
    steps.take("a wrong token", 401, status_of(lambda: list(stranger.datasets)))
    print(json.dumps(steps.taken))


if __name__ == "__main__":
    main()
