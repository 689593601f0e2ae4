"""Configuration: the `Config.json` of Microsoft's emulator, as far as this broker implements it.

Every mistake is reported at once, with queue and property. What is not implemented is refused by
name: a topic, a forwarding queue, a property that is unknown here.
"""

import json
import re
from pathlib import Path
from typing import Any

from devstack.servicebus.context import QueueConfig
from devstack.servicebus.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?")
_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_SECONDS_OF = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_NEVER_MS = 2**32 * 1000  # longer than any wire format can say: the same as no limit
_LOCK_MS = (1_000, 300_000)  # the cloud starts at 5 s; one second serves tests
_WINDOW_MS = (20_000, 7 * 86_400_000)
_DELIVERIES = (1, 2000)
_PROPERTIES = {
    *("DeadLetteringOnMessageExpiration", "DefaultMessageTimeToLive", "ForwardTo"),
    *("DuplicateDetectionHistoryTimeWindow", "ForwardDeadLetteredMessagesTo", "LockDuration"),
    *("MaxDeliveryCount", "RequiresDuplicateDetection", "RequiresSession"),
}


def load(path: Path) -> list[QueueConfig]:
    """Read the queues from a file. Raises ConfigError with every mistake in it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise ConfigError([f"{path}: is not JSON: {error}"]) from error
    try:
        return read(document)
    except ConfigError as error:
        raise ConfigError([f"{path}: {mistake}" for mistake in error.mistakes]) from None


def read(document: object) -> list[QueueConfig]:
    """Return the queues of a parsed document. Raises ConfigError with every mistake in it."""
    reader = _Reader()
    queues = reader.document(document)
    if reader.mistakes:
        raise ConfigError(reader.mistakes)
    return queues


def milliseconds(text: str) -> int | None:
    """Return an ISO 8601 duration such as PT1M in milliseconds, or None if it is none."""
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        return None
    parts = match.groupdict(default="0")
    return round(sum(float(parts[name]) * size * 1000 for name, size in _SECONDS_OF.items()))


class _Reader:
    """Walks through a document and collects mistakes instead of stopping at the first."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def document(self, document: object) -> list[QueueConfig]:
        root = self._object(document, "the file")
        self._only(root, "the file", {"UserConfig"})
        user = self._object(root.get("UserConfig"), "UserConfig")
        self._only(user, "UserConfig", {"Namespaces", "Logging"})
        namespaces = self._list(user.get("Namespaces"), "UserConfig.Namespaces")
        if len(namespaces) != 1:
            self.mistakes.append(f"UserConfig.Namespaces: has {len(namespaces)} entries, needs one")
        queues = [queue for entry in namespaces for queue in self._namespace(entry)]
        self._unique(queues)
        return queues

    def _namespace(self, entry: object) -> list[QueueConfig]:
        namespace = self._object(entry, "namespace")
        where = f"namespace {namespace.get('Name')!r}"
        self._only(namespace, where, {"Name", "Queues", "Topics"})
        for topic in self._list(namespace.get("Topics", []), f"{where}: Topics"):
            name = topic.get("Name") if isinstance(topic, dict) else topic
            self.mistakes.append(f"topic {name!r}: topics are not implemented; use a queue")
        queues = self._list(namespace.get("Queues", []), f"{where}: Queues")
        return [self._queue(queue) for queue in queues]

    def _queue(self, entry: object) -> QueueConfig:
        queue = self._object(entry, "queue")
        name = queue.get("Name")
        where = f"queue {name!r}"
        self._only(queue, where, {"Name", "Properties"})
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.mistakes.append(
                f"{where}: Name has 1 to 260 letters, digits, '.', '_', '-' or '/', "
                "the first and last a letter or digit"
            )
        properties = self._object(queue.get("Properties", {}), f"{where}: Properties")
        self._only(properties, where, _PROPERTIES)
        return self._properties(str(name), where, properties)

    def _properties(self, name: str, where: str, given: dict[str, Any]) -> QueueConfig:
        for forward in ("ForwardTo", "ForwardDeadLetteredMessagesTo"):
            if given.get(forward):
                self.mistakes.append(f"{where}: {forward}: forwarding is not implemented")
        lock_ms = self._duration(given, where, "LockDuration", 60_000, _LOCK_MS)
        window_ms = self._duration(
            given, where, "DuplicateDetectionHistoryTimeWindow", 600_000, _WINDOW_MS
        )
        ttl_ms = self._duration(given, where, "DefaultMessageTimeToLive", _NEVER_MS, (1_000, None))
        detect = self._flag(given, where, "RequiresDuplicateDetection")
        return QueueConfig(
            name=name,
            lock_ms=lock_ms,
            delivery_count_max=self._count(given, where),
            ttl_ms=None if ttl_ms >= _NEVER_MS else ttl_ms,
            dead_letter_on_expiry=self._flag(given, where, "DeadLetteringOnMessageExpiration"),
            requires_session=self._flag(given, where, "RequiresSession"),
            duplicate_window_ms=window_ms if detect else None,
        )

    def _duration(
        self,
        given: dict[str, Any],
        where: str,
        name: str,
        default: int,
        limits: tuple[int, int | None],
    ) -> int:
        text = given.get(name)
        if text is None:
            return default
        value = milliseconds(text) if isinstance(text, str) else None
        low, high = limits
        if value is None:
            self.mistakes.append(f"{where}: {name}: {text!r} is not a duration such as 'PT1M'")
        elif value < low or (high is not None and value > high):
            upper = "" if high is None else f" and at most {high // 1000} s"
            self.mistakes.append(f"{where}: {name}: {text} is not at least {low // 1000} s{upper}")
        return default if value is None else value

    def _flag(self, given: dict[str, Any], where: str, name: str) -> bool:
        value = given.get(name, False)
        if not isinstance(value, bool):
            self.mistakes.append(f"{where}: {name}: {value!r} is not true or false")
        return value is True

    def _count(self, given: dict[str, Any], where: str) -> int:
        value = given.get("MaxDeliveryCount", 10)
        low, high = _DELIVERIES
        if type(value) is int and low <= value <= high:
            return value
        self.mistakes.append(
            f"{where}: MaxDeliveryCount: {value!r} is not a number from {low} to {high}"
        )
        return low

    def _only(self, given: dict[str, Any], where: str, known: set[str]) -> None:
        for name in given:
            if name not in known:
                expected = ", ".join(sorted(known))
                self.mistakes.append(f"{where}: {name}: not implemented here; known: {expected}")

    def _object(self, value: object, where: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.mistakes.append(f"{where}: {value!r} is not an object")
        return {}

    def _list(self, value: object, where: str) -> list[Any]:
        if isinstance(value, list):
            return value
        self.mistakes.append(f"{where}: {value!r} is not a list")
        return []

    def _unique(self, queues: list[QueueConfig]) -> None:
        seen: set[str] = set()
        for queue in queues:
            if queue.name.lower() in seen:
                self.mistakes.append(f"queue {queue.name!r}: declared twice (case does not count)")
            seen.add(queue.name.lower())
