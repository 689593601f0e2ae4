"""What each field of a declaration means, for editors: by class, then by field.

Beside the classes, not in them: the running app has no use for it. A test holds it complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TOKEN = "the secret that holds the workspace's token, named `env:NAME` or `keyvault:vault/name`"  # noqa: S105 - words
_POLL_MIN = "seconds to the second look at a job; the pauses grow from here"
_POLL_MAX = "seconds between two looks at most"
_DEADLINE = "minutes after which it is given up"

WORDS: Mapping[str, Mapping[str, str]] = {
    "ManagedModel": {
        "model": "its name everywhere: in messages, versions, on the page. Small letters, digits, "
        ". _ -, at most 90; no `--`",
        "dataset": "which files in the container `datasets` start a run; `*` stands for anything "
        "but a slash, in a family `{name}` captures",
        "on_dataset": "what new data starts; follows from `training` or `experiment`",
        "model_pattern": "which files in `trained-models` are judged and published "
        "(`{model}/*.ilearner`)",
        "training": "the training service and how it is called",
        "experiment": "the ten Studio steps, instead of a training service and targets",
        "workspace": "the workspace that node outputs are harvested from",
        "gate": "when a candidate is good enough",
        "targets": "the endpoints and web services that score, patched wave by wave; at least one, "
        "unless there is an `experiment`",
        "staging": "a target that nobody calls: candidates are judged there",
        "smoke_tests": "known rows, scored after each change of a target",
        "schedules": "cron lines, UTC",
        "approval": "whether a person decides before any target changes",
        "concurrency": "what new data does while a run is active: start one more afterwards, end "
        "that run, or nothing",
        "quiet_seconds": "uploads come in bursts: wait until none came for this long",
        "accept_identical": "whether unchanged answers after a patch are proof enough; else a "
        "person is asked",
        "on_unwell": "what a failed verify does",
        "notify": "who is told of failed, held and rolled-back runs",
        "naming": "how version files are named",
        "keep_versions": "how many version files stay besides those in use; all, if left out",
    },
    "ClassicEndpoint": {
        "kind": "an endpoint of a classic web service",
        "endpoint": "its management URL, `https://…/workspaces/…/webservices/…/endpoints/…`; one "
        "that is patched is never the default endpoint",
        "token": _TOKEN,
    },
    "ArmWebService": {
        "kind": "a Resource Manager (new) web service",
        "resource": "its resource id, `/subscriptions/…/webServices/…`",
        "api_version": "the version of its API",
    },
    "ExecutionUrl": {
        "kind": "a service of which only the execution URL is known",
        "url": "the URL of its jobs, `https://…/jobs`",
        "key": "the secret that holds its key, `env:NAME` or `keyvault:vault/name`",
    },
    "TrainingOutputs": {
        "model": "the output with the .iLearner",
        "evaluation": "the output with the table of Evaluate Model; empty: there is none",
        "scored": "the output with the scored holdout, of which metrics are computed; empty: none",
    },
    "Training": {
        "service": "the web service that trains",
        "input": "the name of its input; empty: it has none",
        "outputs": "the names of its outputs",
        "parameters": "its global parameters, by name",
        "datasets": "train on the newest dataset that the run covers, or on all of them, appended",
        "trained_on": "`container/name` of the dataset, where none started the run",
        "attempts": "jobs started in one run at most",
        "poll_seconds_min": _POLL_MIN,
        "poll_seconds_max": _POLL_MAX,
        "deadline_minutes": _DEADLINE,
    },
    "Metric": {
        "name": "what is measured; which are, depends on `gate.task`",
        "min": "accepted from here on",
        "max": "accepted up to here",
        "max_regression": "how much worse than the champion is still accepted (0: no worse)",
    },
    "Gate": {
        "kind": "judge by metrics, or by smoke tests only",
        "task": "what kind of model it is",
        "label": "the column with the truth",
        "positive": "the label that counts as yes",
        "metrics": "what is judged; at least one",
        "compare": "with the champion: on the same rows, with the numbers stored then, or not",
        "rows_blob": "`container/name` of the rows that candidate and champion score",
        "rows_min": "with fewer rows there is no verdict",
        "confidence": "how sure a comparison on the same rows must be",
        "staging": "the name of the staging target",
    },
    "Expectation": {
        "column": "the column of the answer",
        "equals": "its text",
        "one_of": "the texts that are right",
        "min": "the least number that is right",
        "max": "the greatest number that is right",
    },
    "SmokeTest": {
        "name": "what it is called in messages",
        "rows": "rows whose answers are known, each `{column: value}`, all with the same columns",
        "expect": "what every answer must be",
        "targets": "names of the targets it is for; empty: all",
        "input": "the name of the service's input",
        "output": "the name of the service's output",
        "batch": "score the rows as a batch execution job too",
    },
    "Target": {
        "name": "what it is called in messages and ledgers; not `service`",
        "service": "where it is",
        "trained_model": "the name of its resource that holds the model, `… [trained model]`",
        "wave": "targets are patched wave by wave, lowest first",
        "propagation_seconds": "how long the old model may go on answering after a patch",
        "weight": "its share of the scoring calls that ask for no version",
        "deploy": "change this service, or leave it and deploy each version beside it",
        "name_template": "how those are named: `{version}`, `{model}`",
        "keep": "how many of those stay besides the ones in use",
        "hosting": "where new web services are made",
    },
    "Hosting": {
        "region": "the region; that of the service it is made from, unless named",
        "plan": "the resource id of the commitment plan",
        "storage_account": "the storage account; that of the service, unless named",
        "storage_key": "the secret that holds the account's key, `env:NAME` or `keyvault:…`",
    },
    "Schedules": {
        "retrain": "when it is retrained on the newest dataset: minute hour day month weekday",
        "verify": "when its targets are read back and smoke-tested",
    },
    "Approval": {
        "required": "true: a person decides before any target changes",
        "hold_hours": "how long a held run waits",
    },
    "Notifications": {"webhook": "the secret that holds the webhook's URL"},
    "Naming": {
        "prefix": "before the name: `{prefix}{model}-v{version}-{time}{suffix}.ilearner`",
        "suffix": "after the time",
    },
    "StudioWorkspace": {
        "workspace": "its id, 32 hexadecimal digits",
        "region": "its region",
        "token": _TOKEN,
        "studio": "the address of Studio's API, where it is not that of the region",
        "management": "the address of the management API, likewise",
    },
    "ExperimentSteps": {
        "workspace": "the workspace that the steps work in",
        "dataset": "the name that uploaded datasets get there",
        "data_type": "the format of the dataset's files",
        "training": "the experiment that trains",
        "trained_model": "the name of the trained model in the workspace",
        "predictive": "the experiment that scores",
        "service": "the web service that is deployed from it",
        "poll_seconds_min": _POLL_MIN,
        "poll_seconds_max": _POLL_MAX,
        "deadline_minutes": _DEADLINE,
    },
    "ExperimentSource": {
        "experiment": "the id of an experiment, `….f-id.…`",
        "workspace": "the workspace it is in, if not that of the steps",
        "package": "the address of a package",
        "gallery": "the address of the package's page in the Gallery",
        "file": "`container/name` of an exported experiment",
        "in_place": "change and run the experiment itself instead of a copy",
    },
    "TrainingExperiment": {
        "source": "where it comes from: one of `experiment`, `package`, `file`",
        "name": "the name of our copy",
        "replaces": "the dataset (id or name) in whose place ours goes; if there are several",
        "model": "the output with the trained model; found, where there is only one",
        "evaluation": "the output with the evaluation; null: there is none",
        "scored": "the output with scored rows; null: there is none",
    },
    "PredictiveExperiment": {
        "source": "where it comes from: one of `experiment`, `package`, `file`",
        "name": "the name of our copy",
        "replaces": "the trained model (id or name) in whose place ours goes; if there are several",
    },
    "OutputAt": {
        "node": "the node's label, id or module",
        "port": "the node's output",
    },
    "DeployedService": {
        "kind": "a classic web service, or a Resource Manager one with `resource` and `hosting`",
        "resource": "the resource id that a new one gets",
        "hosting": "where a new one lives",
        "propagation_seconds": "how long the old model may go on answering after a deployment",
    },
}

EXAMPLES: Mapping[str, Mapping[str, list[Any]]] = {
    "ManagedModel": {
        "model": ["churn"],
        "dataset": ["churn/*.csv"],
        "model_pattern": ["churn/*.ilearner"],
        "quiet_seconds": [60],
        "keep_versions": [20],
    },
    "ClassicEndpoint": {"token": ["env:ALM_STUDIO_WORKSPACE_TOKEN"]},
    "Training": {
        "parameters": [{"Number of trees": 100}],
        "trained_on": ["datasets/churn/all.csv"],
    },
    "Gate": {"rows_blob": ["gate-rows/churn/holdout.csv"], "label": ["churned"]},
    "SmokeTest": {"rows": [[{"age": 23, "tenure": 1}]]},
    "Expectation": {"column": ["Scored Labels"], "one_of": [[0, 1]]},
    "Target": {"trained_model": ["churn [trained model]"], "name_template": ["v{version}"]},
    "Schedules": {"retrain": ["30 2 * * 1"], "verify": ["0 6 * * *"]},
    "Notifications": {"webhook": ["env:ALM_CHURN_WEBHOOK"]},
    "StudioWorkspace": {"region": ["West Europe"]},
}
