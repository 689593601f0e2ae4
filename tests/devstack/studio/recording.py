"""Records what goes over the wire to Resource Manager and holds it against the specification.

recording = Recording(studio)
...                         # a client of others at work
assert recording.mistakes == []
"""

from __future__ import annotations

from io import BytesIO

from devstack.studio.errors import StudioError
from devstack.studio.studio import Studio
from devstack.studio.web import Request, Response
from tests.contract.studio.arm_spec import check_answered, check_sent


class Recording:
    """Stands before a Studio's front while it is entered.

    calls: every call, as `METHOD path status`. seen: the documents that were checked. mistakes:
    what is not as the specification says, of the client or of Studio.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio, self._front = studio, studio.front
        self.calls: list[str] = []
        self.seen: list[str] = []
        self.mistakes: list[str] = []

    def __enter__(self) -> Recording:
        self._studio.front = self  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        self._studio.front = self._front

    def answer(self, request: Request) -> Response:
        """Pass a call on, whatever comes of it."""
        if "/providers/microsoft.machinelearning" not in request.path.lower():
            return self._front.answer(request)
        target, content = f"{request.raw_path}?{request.raw_query}", request.body()
        request.stream, request.unread = BytesIO(content), len(content)
        self._note(check_sent(request.method, target, content or None))
        try:
            response = self._front.answer(request)
        except StudioError as error:
            refused = Response(error.status, error.document())
            self._note_answer(request, target, refused)
            raise
        self._note_answer(request, target, response)
        return response

    def _note_answer(self, request: Request, target: str, response: Response) -> None:
        self.calls.append(f"{request.method} {request.path} {response.status}")
        self._note(check_answered(request.method, target, response.status, response.body()))

    def _note(self, found: tuple[str, list[str]]) -> None:
        what, mistakes = found
        self.seen += [what] if what else []
        self.mistakes += mistakes
