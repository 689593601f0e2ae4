"""The messages of a mailbox. Everything that happens to a managed model arrives as one of these.

One queue, one session per managed model. `parse` is the only way in from bytes; ids are at most
128 characters, and duplicate detection looks at nothing else.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from alm.domain.errors import Refused
from alm.domain.ledger import Message, Step, Token
from alm.domain.run import Reply, Trigger

MESSAGE_ID_LENGTH_MAX = 128  # the limit of Service Bus


class TriggerMessage(Message):
    """A fact that should start a run."""

    kind: Literal["trigger"] = "trigger"
    trigger: Trigger


class Kick(Message):
    """Look whether triggers wait and nobody works. `attempt` counts begins that failed."""

    kind: Literal["kick"] = "kick"
    run: str = ""
    attempt: int = 0


class Decision(Message):
    """Approve, refuse, expire or cancel a named run. `digest` names what is being decided."""

    kind: Literal["approve", "refuse", "expire", "cancel"]
    run: str
    digest: str = ""
    request: str = ""
    by: str = ""
    reply: Reply | None = None


class Fail(Message):
    """A step message died: end its run. The dead message decides how, not the ledger."""

    kind: Literal["fail"] = "fail"
    run: str
    why: str
    suffix: str
    stage: str = ""
    result: str = ""
    n: int = 0
    base: Token | None = None
    forced: bool = False


class Reconcile(Message):
    """Compare what targets serve with what the ledger says, and repair."""

    kind: Literal["reconcile"] = "reconcile"
    run: str
    attempt: int = 0


AnyMessage = TriggerMessage | Kick | Step | Decision | Fail | Reconcile

_adapter: TypeAdapter[AnyMessage] = TypeAdapter(Annotated[AnyMessage, Field(discriminator="kind")])


def parse(body: bytes) -> AnyMessage:
    """Read a mailbox message.

    Raises Refused, naming each field that is wrong, for anything that is not one of ours.
    """
    try:
        return _adapter.validate_json(body)
    except ValidationError as error:
        raise Refused(f"not a mailbox message: {describe(error)}") from error


def describe(error: ValidationError) -> str:
    """Tell which fields are wrong and how, without repeating the values."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'document'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False)
    )


def trigger_id(model: str, fact: str) -> str:
    """Name a fact about a managed model, the same for every announcement of it."""
    return f"t:{model}:{hashlib.sha256(fact.encode()).hexdigest()[:32]}"
