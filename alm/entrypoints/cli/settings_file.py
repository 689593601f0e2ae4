"""Settings in a file: `local.settings.json`, an object, or what `az functionapp config appsettings
list` prints. Where each stands is known, so that a mistake can be shown there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alm.domain.errors import Refused

BYTES_MAX = 1 << 20
FORMS = (
    'write {"Values": {"NAME": "value"}} as local.settings.json has it, {"NAME": "value"}, or '
    '[{"name": "NAME", "value": "value"}]'
)


@dataclass(frozen=True)
class SettingsFile:
    """The settings of a file, and its text."""

    path: Path
    values: dict[str, str]
    text: str

    def line(self, name: str) -> int:
        """The line on which a setting stands; the first, if none does."""
        found = re.search(rf'"{re.escape(name)}"', self.text) if name else None
        return self.text.count("\n", 0, found.start()) + 1 if found else 1


def read(path: Path) -> SettingsFile:
    """Read a file. Raises Refused if it cannot be read as settings."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise Refused(f"{path} has more than {BYTES_MAX:,} bytes; is it the right file?")
        text = path.read_text(encoding="utf-8-sig")
        document = json.loads(text)
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}); correct its name") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} is not JSON ({error}); {FORMS}") from error
    return SettingsFile(path, _values(path, document), text)


def _values(path: Path, document: Any) -> dict[str, str]:
    if isinstance(document, list):
        named = [one for one in document if isinstance(one, dict)]
        document = {str(one.get("name")): one.get("value") for one in named}
    if isinstance(document, dict) and isinstance(document.get("Values"), dict):
        document = document["Values"]
    if not isinstance(document, dict):
        raise Refused(f"{path} holds no settings; {FORMS}")
    wrong = sorted(name for name, value in document.items() if not isinstance(value, str | None))
    if wrong:
        raise Refused(f"{path}: {', '.join(wrong[:5])}: a setting is text; write it in quotes")
    return {name: value or "" for name, value in document.items()}
