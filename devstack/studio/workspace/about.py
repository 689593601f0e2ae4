"""About a workspace: its record, who is in it, invitations, and the lists that are always empty.

Local Studio keeps no notebooks, project containers and data gateways, and sends no mail: somebody
who is invited is a member at once, with the status Active (inferred).
"""

from __future__ import annotations

import json
import re
from typing import Any

from devstack.studio.context import Context
from devstack.studio.errors import bad_argument
from devstack.studio.faults import CHANGE_NOTHING
from devstack.studio.names import digest_of
from devstack.studio.web import Request, Response, Route
from devstack.studio.workspace.asset_documents import date
from devstack.studio.workspace.records import Member, WorkspaceRecord

EMAIL = re.compile(r"[^@\s,]{1,64}@[^@\s,]{1,190}")
EMAILS_MAX = 100

# A key that stands without quotes, as one client writes it.
_BARE_KEY = re.compile(r"([{,]\s*)([A-Za-z_]\w*)(\s*:)")

_STORAGE_OF_ARM = re.compile(r".*/storageAccounts/([^/]+)", re.IGNORECASE)


class About:
    """Serves `/workspaces/{ws}` and what is small below it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """The routes, without prefix and token check."""
        base = "/workspaces/{ws}"
        empty = ("notebooks", "projectcontainers", "gateways")
        return [
            Route("GET", base, self.get),
            Route("GET", base + "/users", self.users),
            Route("POST", base + "/invitations", self.invite),
            *(Route("GET", f"{base}/{name}", _nothing) for name in empty),
        ]

    def get(self, request: Request) -> Response:
        """The workspace with its tokens."""
        return Response(200, self._document(self._workspace(request)))

    def users(self, request: Request) -> Response:
        """The owner and everybody who was invited."""
        workspace = self._workspace(request)
        members = self._context.store.list(Member, workspace.id + "/")
        owner = Member(email=workspace.owner_email, role="Owner", created=workspace.created)
        others = [member for member in members if member.email.lower() != owner.email.lower()]
        return Response(200, [_user(member) for member in (owner, *others)])

    def invite(self, request: Request) -> Response:
        """Make members of people; says of each address whether that failed."""
        document = _lenient_object(request)
        role, emails = document.get("Role"), document.get("Emails")
        if role not in ("User", "Owner"):
            raise bad_argument("BadParameterValue", "Role must be User or Owner.", "Role")
        if not isinstance(emails, str) or not emails.strip():
            raise bad_argument("BadParameterValue", "Emails must name somebody.", "Emails")
        named = [email.strip() for email in emails.split(",")]
        if len(named) > EMAILS_MAX:
            message = f"At most {EMAILS_MAX} people can be invited at once."
            raise bad_argument("BadParameterValue", message, "Emails")
        changes = CHANGE_NOTHING not in request.effects
        return Response(
            200, [self._invite(request.parts["ws"], email, role, changes) for email in named]
        )

    def _invite(self, workspace_id: str, email: str, role: Any, changes: bool) -> dict[str, Any]:
        if not EMAIL.fullmatch(email):
            message = f"{email[:100]!r} is no mail address."
            return {"Email": email, "Failed": True, "ErrorMessage": message}
        if changes:
            member = Member(email=email, role=role, created=self._context.clock())
            self._context.store.put(f"{workspace_id}/{email.lower()}", member)
        return {"Email": email, "Failed": False, "ErrorMessage": None}

    def _workspace(self, request: Request) -> WorkspaceRecord:
        workspace = self._context.workspaces.get(request.parts["ws"])
        assert workspace is not None, "the token check found the workspace"
        return workspace

    def _document(self, workspace: WorkspaceRecord) -> dict[str, Any]:
        storage = _STORAGE_OF_ARM.fullmatch(workspace.storage_account_id)
        account = self._context.account
        unknown = (
            "HDInsightClusterConnectionString", "HDInsightStorageConnectionString",
            "UserStorageKey", "OwnerPrincipalId", "MsIdentityUrl", "MsIdentityPrincipalOid",
            "MsIdentityClientId", "MsIdentityCertificate", "TenantId",
        )  # fmt: skip
        return {
            "WorkspaceId": workspace.id,
            "FriendlyName": workspace.name,
            "Description": workspace.description,
            "UseDefaultHDInsightSettings": False,
            "AuthorizationToken": dict(
                zip(("PrimaryToken", "SecondaryToken"), workspace.tokens, strict=True)
            ),
            "MigrationStatus": "None",
            "OwnerEmail": workspace.owner_email,
            "UserStorage": storage[1] if storage else account.name,
            "UserStorageArmId": workspace.storage_account_id or None,
            "UserStorageBlobEndpoint": account.base_location,
            "SubscriptionId": self._context.identity.subscription_id,
            "SubscriptionName": "Local Studio",
            "SubscriptionState": "Registered",
            "Region": workspace.region,
            "WorkspaceStatus": workspace.state,
            "Type": workspace.type,
            "CreatedTime": date(workspace.created),
            "Tags": workspace.tags,
            "KeyVaultKeyIdentifier": workspace.key_vault_id,
            **dict.fromkeys(unknown),
        }


def _user(member: Member) -> dict[str, Any]:
    return {
        "Status": "Active",
        "User": {
            "Email": member.email,
            "Name": member.email.split("@")[0],
            "Role": member.role,
            "UserId": digest_of(member.email.lower().encode())[:32],
        },
    }


def _lenient_object(request: Request) -> dict[str, Any]:
    """The body as JSON whose keys may stand without quotes."""
    text = request.body().decode("utf-8", "replace")
    document = _parsed(text)
    if document is None:
        document = _parsed(_BARE_KEY.sub(r'\1"\2"\3', text))
    if not isinstance(document, dict):
        raise bad_argument("RequestBodyInvalid", "The body is not a JSON object.")
    return document


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _nothing(request: Request) -> Response:
    return Response(200, [])
