"""What can stop the host, or one call of a function.

ConfigError      settings, host.json or decorators cannot be used; lists every mistake
IndexingError    the worker could not import or index `function_app.py`
StorageError     blob or queue storage answered with an error, or not at all
"""


class ConfigError(Exception):
    """The app cannot be hosted as it is; `mistakes` lists all that is wrong with it."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class IndexingError(Exception):
    """`function_app.py` could not be imported or indexed; `details` is the traceback."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class StorageError(Exception):
    """Storage answered `status` (0: not at all)."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
