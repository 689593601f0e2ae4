"""HTTP triggers: find the function for a request, check its key, call it.

As in Azure, the host's own paths come first; then functions are tried in the alphabetical order of
their names, however specific their routes are (azure-functions-host issue 9876). The root of the
site is a function's if one has a route for it (`{*path}`), else a page that says that the app runs,
or nothing where AzureWebJobsDisableHomepage is true.

Unlike Azure, which answers 404 when only the method is wrong, this says 405 and which methods are
allowed; HEAD goes to functions that take GET; OPTIONS is answered when no function takes it.
"""

from dataclasses import dataclass

from devstack.host.functions import METHODS, HttpTrigger
from devstack.host.http_server import Request, Response
from devstack.host.invoker import Invoker
from devstack.host.keys import Keys
from devstack.host.outcomes import Call, Returned

_HOMEPAGE = b"the local Functions host is running"
_NO_ROUTE = b"no function has this route"


@dataclass(frozen=True)
class HttpFunction:
    """A function and its route."""

    name: str
    trigger: HttpTrigger

    def takes(self, method: str) -> bool:
        """Return whether the function wants requests of that method."""
        methods = self.trigger.methods or METHODS
        return method in methods or (method == "HEAD" and "GET" in methods)


class HttpListener:
    """The table of routes, in the order in which they are tried."""

    def __init__(
        self, functions: list[HttpFunction], invoker: Invoker, keys: Keys, *, homepage: bool
    ) -> None:
        self._functions = sorted(functions, key=lambda f: f.name.lower())
        self._invoker = invoker
        self._keys = keys
        self._home = Response(200, _HOMEPAGE) if homepage else Response(204)

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        matches = [
            (function, values)
            for function in self._functions
            if (values := function.trigger.route.match(request.path)) is not None
        ]
        for function, values in matches:
            if function.takes(request.method):
                return await self._call(function, values, request)
        if not matches:
            return self._home if request.path == "/" else Response(404, _NO_ROUTE)
        allowed = sorted({m for f, _ in matches for m in (*METHODS, "HEAD") if f.takes(m)})
        status = 204 if request.method == "OPTIONS" else 405
        return Response(status, headers=(("Allow", ", ".join(allowed)),))

    async def _call(
        self, function: HttpFunction, values: dict[str, str], request: Request
    ) -> Response:
        if not self._keys.admits(request, function.trigger.level):
            return Response(401, b"this function needs a key: header x-functions-key or ?code=")
        outcome = await self._invoker.invoke(http_call(function.name, values, request))
        if not isinstance(outcome, Returned):
            return Response(500, f"function {function.name} failed; see the host's log".encode())
        headers = tuple((str(n), str(v)) for n, v in outcome.response.get("headers", ()))
        return Response(int(outcome.response.get("status", 204)), outcome.body, headers)


def http_call(name: str, values: dict[str, str], request: Request) -> Call:
    """Return the call that hands over a request; empty values are left out, as in Azure."""
    source = {
        "type": "http",
        "method": request.method,
        "url": request.url,
        "headers": _filled(request.headers),
        "query": _filled(request.query),
        "params": _filled(values),
    }
    return Call(name, source, body=request.body)


def _filled(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
