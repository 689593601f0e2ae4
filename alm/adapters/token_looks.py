"""Looks at the identity for the doctor: which credential answers, for whom, until when.

The token itself is neither shown nor kept; of what is written in it, only names and ids are read.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ClientAuthenticationError

from alm.domain.errors import Denied, Unavailable
from alm.domain.looks import TokenFacts

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

WHO = ("upn", "unique_name", "app_displayname", "appid", "oid")


class TokenLooks:
    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential

    def look(self, scope: str) -> TokenFacts:
        """Ask for a token. Raises Denied if nobody is signed in, or may not, Unavailable."""
        try:
            token = self._credential.get_token(scope)
        except ClientAuthenticationError as error:
            raise Denied(
                "no credential gives a token; give the app a managed identity (AZURE_CLIENT_ID "
                "names which), or sign in with `az login`"
            ) from error
        except AzureError as error:
            raise Unavailable(
                f"no token could be had ({type(error).__name__}); try again"
            ) from error
        claims = _claims(token.token)
        return TokenFacts(
            who=next((str(claims[name]) for name in WHO if claims.get(name)), "somebody"),
            credential=_name(self._credential),
            tenant=str(claims.get("tid", "")),
            expires=datetime.fromtimestamp(token.expires_on, UTC),
        )


def _name(credential: object) -> str:
    """The credential of a chain that answered, where the SDK tells (it keeps it for itself)."""
    return type(getattr(credential, "_successful_credential", None) or credential).__name__


def _claims(token: str) -> dict[str, Any]:
    """What a JSON web token says of its owner; nothing, if it is of another form."""
    try:
        body = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
