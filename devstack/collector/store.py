"""What was received, in memory: the newest spans and log records, the last value of each series."""

import json
import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

from devstack.collector.decoding import Value

SPANS_MAX = 50_000  # about 50 MB; the oldest are forgotten
RECORDS_MAX = 50_000
SERIES_MAX = 5_000


class Store:
    """Takes from many threads and tells to many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: deque[Value] = deque(maxlen=SPANS_MAX)
        self._records: deque[Value] = deque(maxlen=RECORDS_MAX)
        self._series: dict[str, Value] = {}

    def put_spans(self, spans: Iterable[Value]) -> None:
        """Keep spans."""
        with self._lock:
            self._spans.extend(spans)

    def put_records(self, records: Iterable[Value]) -> None:
        """Keep log records."""
        with self._lock:
            self._records.extend(records)

    def put_points(self, points: Iterable[Value]) -> None:
        """Keep the last value of each series: a metric with its attributes."""
        with self._lock:
            for point in points:
                key = json.dumps([point["name"], point["attributes"]], sort_keys=True)
                if key in self._series or len(self._series) < SERIES_MAX:
                    self._series[key] = point

    def spans(self, trace: str = "") -> list[Value]:
        """The spans of a trace, or all, by the time they began."""
        with self._lock:
            found = [span for span in self._spans if not trace or span["trace"] == trace]
        return sorted(found, key=lambda span: span["began"])

    def records(self, trace: str = "") -> list[Value]:
        """The log records of a trace, or all, in time."""
        with self._lock:
            found = [one for one in self._records if not trace or one["trace"] == trace]
        return sorted(found, key=lambda record: record["at"])

    def points(self) -> list[Value]:
        """The last value of each series, by name."""
        with self._lock:
            return sorted(self._series.values(), key=lambda point: str(point["name"]))

    def traces(self) -> list[dict[str, Any]]:
        """Each trace in a line: where and when it began, how many spans it has; newest last."""
        found: dict[str, dict[str, Any]] = {}
        for span in self.spans():
            about = {"trace": span["trace"], "name": span["name"], "began": span["began"]}
            summary = found.setdefault(span["trace"], {**about, "spans": 0, "models": []})
            summary["spans"] += 1
            model = span["attributes"].get("alm.model")
            if model and model not in summary["models"]:
                summary["models"].append(model)
        return list(found.values())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._spans.clear()
            self._records.clear()
            self._series.clear()
