"""What a page is asked: who asks, for what, and with which form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from alm.bootstrap import App
from alm.domain.errors import Refused
from alm.domain.nearest import shown
from alm.entrypoints.access import Caller, Role


@dataclass(frozen=True)
class Ask:
    """One request that was let through.

    path: with a leading slash and without query. token: to be put into forms. fragment: only what
    changes is wanted, by a page that is shown already.
    """

    app: App
    caller: Caller
    path: str
    now: datetime
    token: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    fragment: bool = False

    @property
    def here(self) -> str:
        """The address of this page, as a link."""
        return address(self.path, self.query)

    def linked(self, **changes: str) -> str:
        """The address of this page with other parameters; an empty one is left out."""
        return address(self.path, {**self.query, **changes})

    def count(self, name: str, otherwise: int, most: int) -> int:
        """A number of the address. Raises Refused, saying what it may be."""
        text = self.query.get(name, str(otherwise))
        if not re.fullmatch("[0-9]{1,6}", text) or not 0 < int(text) <= most:
            raise Refused(f"{name}: {shown(text)} is not a number from 1 to {most}; correct it")
        return int(text)

    def may(self, role: Role) -> bool:
        return role in self.caller.roles


def address(path: str, query: Mapping[str, str]) -> str:
    """A path with its parameters; an empty one is left out."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
