"""One stack for all examples."""

from tests.docs.conftest import playground

__all__ = ["playground"]
