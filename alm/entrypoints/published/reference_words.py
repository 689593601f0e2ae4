"""What settings, requests and results mean, for the reference. Beside the code that reads them: the
running app has no use for it. A test holds it complete.
"""

from __future__ import annotations

from collections.abc import Mapping

SETTINGS: Mapping[str, str] = {
    "ALM_LOCAL": "1 on the local stack: connection strings, plain http to this machine and "
    "ready-made tokens are allowed. Refused in Azure",
    "ALM_STORAGE": "connection string of the storage account; local stack only",
    "ALM_STORAGE__blobServiceUri": "the storage account in Azure, "
    "`https://….blob.core.windows.net`; used with the app's identity",
    "ALM_SERVICEBUS": "connection string of the Service Bus namespace; local stack only",
    "ALM_SERVICEBUS__fullyQualifiedNamespace": "the namespace in Azure, `….servicebus.windows.net`",
    "ALM_MANAGED_MODELS": "the folder of the declarations; read when the app starts",
    "ALM_ARM_URL": "where Resource Manager is",
    "ALM_ALLOWED_HOSTS": "more hosts that the app may call, with commas between; `*.azureml.net` "
    "and Resource Manager need not be named",
    "ALM_STORAGE_HOSTS": "more hosts that results of jobs may be fetched from",
    "ALM_REPLY_QUEUES": "queues that requests may name in `reply_to`",
    "ALM_EVENTS_QUEUE": "a queue that gets every change of state",
    "ALM_EVENTS_WEBHOOK": "the secret that is the URL which every change of state is posted to",
    "ALM_API_KEYS": 'SHA-256 of each API key by role, as JSON: `{"operator": "9f86…"}`',
    "ALM_PLATFORM_AUTH": "true: people sign in through the platform; counts only together with "
    "`WEBSITE_AUTH_ENABLED`",
    "WEBSITE_AUTH_ENABLED": "set by the platform when its sign-in is on; never by hand",
    "ALM_ROLE_MEMBERS": "who has which role, as JSON: app roles, group ids or object ids by role",
    "AZURE_CLIENT_ID": "the client id of a user-assigned identity",
    "ALM_GIT": "the Git repository for definitions, as JSON; its fields are below",
}
OTHERS: Mapping[str, str] = {
    "AzureWebJobsStorage": "the storage account of the Functions host",
    "FUNCTIONS_WORKER_RUNTIME": "`python`",
    "PYTHON_THREADPOOL_THREAD_COUNT": "32: as many as sessions at a time in `host.json`",
    "ALM_STUDIO_WORKSPACE_TOKEN": "the secret that declarations name unless they name another; in "
    "Azure a Key Vault reference, or name it in the declaration",
    "ALM_STUDIO_ARM_TOKEN": "a ready-made token for local Resource Manager; local stack only",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "where telemetry is sent (OTLP over HTTP)",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "the Application Insights that telemetry is sent to",
}
COMMAND_LINE: Mapping[str, str] = {
    "ALM_API_URL": "where the app's API is, ending in `/api`",
    "ALM_API_KEY": "your API key",
    "ALM_STUDIO_WORKSPACE": "the id of the workspace that commands about Studio are about",
    "ALM_STUDIO_REGION": "its region",
    "ALM_STUDIO_WORKSPACE_TOKEN": "its token",
    "ALM_STUDIO_STORAGE_KEY": "key of the storage account that new web services are deployed with",
    "ALM_STUDIO_URL": "local Studio, which then stands in for Resource Manager too; only with "
    "`ALM_LOCAL=1`",
}
REPOSITORY: Mapping[str, str] = {
    "url": "`https://host/path`, `file:///path` or a path; a local one that is missing is made",
    "branch": "made by the first commit",
    "token": "the secret, `env:NAME` or `keyvault:vault/name`; read again when it is refused",
    "auth": "`basic`: the token is the password of `user`; `bearer`: it goes alone",
    "user": "the user name that the host expects beside a token",
    "author": "name and email of commits that name nobody else",
    "models": "what is committed of a model file",
    "model_bytes_max": "larger files are committed as pointers",
}
AUTHOR: Mapping[str, str] = {
    "name": "who a commit says made it",
    "email": "the address beside the name",
}
KINDS: Mapping[str, str] = {
    "retrain": "start the training service, judge and publish what comes of it",
    "experiment": "take the ten steps",
    "publish": "judge a model file that lies in `trained-models`, and put it into service",
    "harvest": "make the output of a node a version; no target changes",
    "redeploy": "put the definitions of a commit back into their targets",
    "roll_back": "put an earlier version back into every target",
    "verify": "read every target back and smoke-test it; changes nothing",
    "smoke_test": "another word for verify",
    "approve": "let a held run go on with what is held",
    "refuse": "end a held run",
    "cancel": "end a run at its next step; what it changed is rolled back",
}
REQUEST: Mapping[str, str] = {
    "schema": "the version of this format",
    "id": "names the order for its sender: the same id again is the same order. May be left out "
    "where the message has an id",
    "kind": "what is asked",
    "family": "instead of a managed model: all members of this family",
    "reply_to": "the queue for the answers, one of `ALM_REPLY_QUEUES`; the message's own property "
    "does as well",
    "correlation_id": "comes back with the answers",
    "by": "who asks; for the record",
}
RESULTS: Mapping[str, str] = {
    "ok": "what was wanted is in service and proved",
    "rejected": "the gate said no; nothing was changed",
    "failed": "it could not go on; what it had changed was given back, or is unknown",
    "rolled_back": "something was wrong after a change; everything was given back",
    "cancelled": "somebody cancelled it",
    "refused": "somebody refused what it was held for",
    "expired": "nobody decided in time",
    "superseded": "newer data took its place (`concurrency: supersede`)",
    "harvested": "a version was made, and is not in service",
    "verified": "the targets serve what they should, and their smoke tests passed",
    "drift": "a verify found another model in a target",
    "unwell": "a verify found a failing smoke test on the right model",
}
OUTCOMES: Mapping[str, str] = {
    "done": "on to the next stage",
    "wait": "nothing to decide yet: the same stage again later",
    "hold": "a person decides",
    "rejected": "not good enough",
    "failed": "it cannot go on",
    "unfit": "the right model answers, and its smoke test fails",
    "displaced": "a target does not hold what was put there",
    "finish": "the run ends",
}
