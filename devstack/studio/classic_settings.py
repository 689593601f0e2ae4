"""The settings of a classic endpoint, read from what a caller sends."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from devstack.studio.errors import bad_argument, invalid_operation
from devstack.studio.records import Endpoint

# MaxConcurrentCalls: what Low forces, what High has by default, and the most there can be.
CALLS_LOW, CALLS_DEFAULT, CALLS_MAX = 4, 20, 200
DESCRIPTION_CHARACTERS_MAX = 2000


@dataclass(frozen=True)
class EndpointSettings:
    """What PUT and PATCH can set besides models. The names are those of the record."""

    description: str = ""
    throttle_level: str = "High"
    max_concurrent_calls: int = CALLS_DEFAULT
    diagnostics: str = "None"
    prevent_update: bool = False

    def changes(self) -> dict[str, Any]:
        """The values by the names of the record."""
        return asdict(self)


def read_settings(document: dict[str, Any], existing: Endpoint | None) -> EndpointSettings:
    """The settings after a request: what it gives, else what the endpoint has; raises BadArgument.

    ThrottleLevel Low forces MaxConcurrentCalls to 4. A new endpoint is Low when nothing is said.
    """
    description = _given(document, "Description", existing.description if existing else "")
    if not isinstance(description, str) or len(description) > DESCRIPTION_CHARACTERS_MAX:
        message = f"Description must be text of at most {DESCRIPTION_CHARACTERS_MAX} characters."
        raise bad_argument("BadParameterValue", message, "Description")
    throttle = _one_of(
        document, "ThrottleLevel", ("Low", "High"), existing.throttle_level if existing else "Low"
    )
    calls = existing.max_concurrent_calls if existing else CALLS_DEFAULT
    if existing and existing.throttle_level == "Low" and throttle == "High":
        calls = CALLS_DEFAULT
    calls = _calls(_given(document, "MaxConcurrentCalls", calls))
    return EndpointSettings(
        description=description,
        throttle_level=throttle,
        max_concurrent_calls=CALLS_LOW if throttle == "Low" else calls,
        diagnostics=_one_of(
            document,
            "DiagnosticsTraceLevel",
            ("None", "Error", "All"),
            existing.diagnostics if existing else "None",
        ),
        prevent_update=flag(
            _given(document, "PreventUpdate", existing.prevent_update if existing else False),
            "PreventUpdate",
        ),
    )


@dataclass(frozen=True)
class EndpointLimits:
    """What the endpoints of a service may be, by the type of its workspace."""

    endpoints_max: int = 10_000
    is_free: bool = False

    def usual(self) -> EndpointSettings:
        """The settings of an endpoint that nobody asked settings for."""
        if self.is_free:
            return EndpointSettings(throttle_level="Low", max_concurrent_calls=CALLS_LOW)
        return EndpointSettings()

    def check(self, settings: EndpointSettings) -> None:
        """Refuse settings that the workspace cannot have; raises BadArgument."""
        if self.is_free and settings.throttle_level != "Low":
            message = "In a free workspace ThrottleLevel is Low."
            raise bad_argument("BadParameterValue", message, "ThrottleLevel")

    def check_room(self, count: int) -> None:
        """Refuse one endpoint more than there can be, of `count` that there are."""
        if count >= self.endpoints_max:
            where = " in a free workspace" if self.is_free else ""
            message = f"A web service has at most {self.endpoints_max} endpoints{where}."
            raise invalid_operation("BadParameterValue", message)


def limits_of(workspace_type: str) -> EndpointLimits:
    """The limits in a workspace of a type."""
    return EndpointLimits(3, is_free=True) if workspace_type == "Free" else EndpointLimits()


def flag(value: Any, name: str) -> bool:
    """True or false, also as text in any case; raises BadArgument."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise bad_argument("BadParameterValue", f"{name} must be true or false.", name)


def _given(document: dict[str, Any], name: str, otherwise: Any) -> Any:
    value = document.get(name)
    return otherwise if value is None else value


def _one_of(document: dict[str, Any], name: str, allowed: tuple[str, ...], otherwise: str) -> str:
    value = _given(document, name, otherwise)
    if value not in allowed:
        message = f"{name} must be one of {', '.join(allowed)}, not {value!r}."
        raise bad_argument("BadParameterValue", message, name)
    return str(value)


def _calls(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or int(text) < 1:
        message = f"MaxConcurrentCalls must be a whole number from 1 to {CALLS_MAX}, not {value!r}."
        raise bad_argument("WebServiceConcurrentRequestRequirementInvalid", message)
    if int(text) > CALLS_MAX:
        message = f"MaxConcurrentCalls is at most {CALLS_MAX}, not {value}."
        raise bad_argument("WebServiceTooManyConcurrentRequestRequirement", message)
    return int(text)
