"""scikit-learn and skops: imported when the first model is needed, so that Studio starts at once.

By one thread at a time: two that import them together can meet a half-made module.
"""

from __future__ import annotations

import importlib
import threading

_NAMES = ("sklearn.linear_model", "sklearn.ensemble", "sklearn.neural_network", "skops.io")
_lock = threading.Lock()
_loaded = threading.Event()


def load() -> None:
    """Import them if that was not done yet; after this, every thread may."""
    if _loaded.is_set():
        return
    with _lock:
        for name in _NAMES:
            importlib.import_module(name)
        _loaded.set()
