"""What Studio does for a while: packing and unpacking experiments, deploying classic services.

`Status` is `Complete` or `Completed` at the end. What it is when something failed is not
documented: words such as Failed, Error and Canceled are taken for it, all others for going on.
Source: Studio API, packages and experiments/…/webservice.
"""

from __future__ import annotations

import re

from alm.adapters.answers import object_of
from alm.adapters.connections import Answer
from alm.adapters.redaction import redacted
from alm.adapters.studio.workspace_calls import (
    Record,
    WorkspaceCalls,
    checked,
    in_query,
    told_id,
)
from alm.domain.errors import Misconfigured
from alm.domain.experiment import Activity

_DONE = ("complete", "completed")
_FAILED = re.compile(r"fail|error|cancel|abort|invalid|reject", re.IGNORECASE)
_REASONS = ("Message", "ErrorMessage", "StatusDetail", "Details", "Error")
_FINISHED_FIRST = "the experiment must have run to its end, with a web-service input and output"


class PackageCalls(WorkspaceCalls):
    """The part of `studio_ports.Workspace` that is about activities."""

    def pack(self, experiment_id: str) -> Activity:
        doing = f"pack experiment {checked(experiment_id, 'an experiment')}"
        # The slash behind the id stands in the requests of Microsoft's client, too.
        query = f"experimentid={experiment_id}/&clearCredentials=true&includeAuthorId=false"
        answer = self.change("POST", f"/packages?api-version=2.0&{query}", doing=doing)
        return _begun(answer, doing)

    def packing(self, activity: str) -> Activity:
        return self._followed("packageActivityId", activity)

    def unpack(self, location: str, *, region: str = "", gallery: str = "") -> Activity:
        """Begin to unpack. `entityId` is the end of the Gallery page's address (inferred)."""
        doing = "unpack an experiment"
        query = f"packageUri={in_query(location)}"
        if gallery:
            entity = gallery.partition("?")[0].rstrip("/").rpartition("/")[2]
            query += f"&communityUri={in_query(gallery)}&entityId={in_query(entity)}"
        elif region:
            query += f"&region={in_query(region.replace(' ', ''))}"
        answer = self.change("PUT", f"/packages?api-version=2.0&{query}", doing=doing)
        return _begun(answer, doing)

    def unpacking(self, activity: str) -> Activity:
        return self._followed("unpackActivityId", activity)

    def deploy(self, experiment_id: str, *, update: bool) -> Activity:
        doing = f"deploy experiment {checked(experiment_id, 'an experiment')}"
        query = "?generateNewPortNames=false" + ("&updateExistingWebService=true" if update else "")
        path = f"/experiments/{experiment_id}/webservice{query}"
        return _begun(self.change("POST", path, doing=doing, remedy=_FINISHED_FIRST), doing)

    def deploying(self, activity: str) -> Activity:
        """How a deployment is doing; its id stands where else that of an experiment does."""
        doing = f"read deployment {checked(activity, 'a deployment')}"
        return _activity(self.record(f"/experiments/{activity}/webservice", doing=doing), activity)

    def _followed(self, key: str, activity: str) -> Activity:
        doing = f"read package activity {checked(activity, 'a package activity')}"
        return _activity(self.record(f"/packages?{key}={activity}", doing=doing), activity)


def _begun(answer: Answer, doing: str) -> Activity:
    activity = _activity(object_of(answer, doing=doing), "")
    if not activity.id:
        raise Misconfigured(
            f"{doing}: {answer.request.url} began it and told no ActivityId to follow it by; "
            "check that the URL is that of the Studio API"
        )
    return activity


def _activity(record: Record, activity: str) -> Activity:
    """An activity as it was read; `activity`: its id, where the answer does not repeat it."""
    status = _text(record, "Status")
    failed = ""
    if _FAILED.search(status):
        reasons = (record.get(key) for key in _REASONS)
        reason = next((text for text in reasons if text and isinstance(text, str)), "")
        failed = redacted(f"{status}: {reason}" if reason else status)
    return Activity(
        id=told_id(_text(record, "ActivityId"), doing="follow an activity") or activity,
        done=status.lower() in _DONE,
        failed=failed,
        location=_text(record, "Location"),
        experiment=told_id(_text(record, "ExperimentId"), doing="follow an activity"),
        service=_text(record, "WebServiceGroupId"),
        endpoint=_text(record, "EndpointId"),
    )


def _text(record: Record, key: str) -> str:
    value = record.get(key)
    return "" if value is None else str(value)
