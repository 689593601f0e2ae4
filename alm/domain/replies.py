"""Replies: what the queue that a request named in `reply_to` gets.

Each request is answered twice at most: `accepted` or `refused`, and `ended` for each run. The JSON
schema in docs/schemas/answer.json is made from this file.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from alm.domain.frozen import Frozen

Absent = SkipJsonSchema[None]
Event = Literal["accepted", "refused", "ended"]


class Replied(Frozen, defer_build=True):
    """An answer to a request."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    request: str = Field(description="the id of the request")
    event: Event = Field(description="what became of it; `ended` comes once for each run")
    model: str | Absent = Field(
        None, description="the managed model; each member of a family answers"
    )
    run: str | Absent = Field(None, description="the run that has ended")
    result: str | Absent = Field(
        None, description="how it ended: `ok`, `verified`, `rejected`, `failed`, `rolled_back`, …"
    )
    why: str | Absent = Field(None, description="why it was refused, or ended like this")
