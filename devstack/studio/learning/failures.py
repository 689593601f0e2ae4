"""What can be wrong with data, a model file or a graph.

    LearningFailure
    ├── BadTable      text that is not a table, or a table that lacks what is asked of it
    ├── BadParameter  a value that a module cannot use
    ├── BadModel      bytes that are not a model or a transformation of ours
    ├── BadGraph      modules or edges that cannot be run
    └── NotExecutable what Studio runs and this machine does not: R, Python, custom modules

The message is meant for the person who sent the data: it names the column, parameter or node.
"""


class LearningFailure(Exception):
    """Training or scoring cannot go on; the message says why and where."""


class BadTable(LearningFailure):
    """The rows or columns are not what the module needs."""


class BadParameter(LearningFailure):
    """A parameter has a value that cannot be used."""


class BadModel(LearningFailure):
    """The bytes are not a trained model or a transformation that this Studio wrote."""


class BadGraph(LearningFailure):
    """The graph names what does not exist, or has a cycle."""


class NotExecutable(LearningFailure):
    """The module exists, and its graphs are kept, but it is not executable locally."""

    def __init__(self, why: str) -> None:
        super().__init__(f"not executable locally: {why}")
