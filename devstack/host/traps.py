"""Declarations that index well and then fail, or lose data, in production: refused by name.

Everything here is about what the decorators say; what only shows at a call (a return value without
a binding) fails the call, as in Azure.
"""

from typing import Any

_TRIGGERS = ("blobTrigger", "serviceBusTrigger", "timerTrigger", "httpTrigger")
_BINARY = "write data_type=func.DataType.BINARY"


def find(description: dict[str, Any], bindings: tuple[dict[str, Any], ...]) -> list[str]:
    """Return what is wrong with one function, each with its remedy."""
    triggers = [binding for binding in bindings if binding["type"].endswith("Trigger")]
    if not triggers:
        return ["it has no trigger"]
    trigger = triggers[0]
    if trigger["type"] not in _TRIGGERS:
        return [
            f"trigger type {trigger['type']!r} is not provided locally "
            f"(only {', '.join(_TRIGGERS)})"
        ]
    mistakes = [
        f"binding {binding['name']!r} of type {binding['type']!r} is not provided locally; "
        "use the SDK inside the function"
        for binding in bindings
        if binding is not trigger and not _is_http_return(binding, trigger)
    ]
    if description["retry"]:
        mistakes.append(
            "a retry policy is not provided locally, and Azure ignores it for blob and "
            "Service Bus triggers; take the decorator away"
        )
    for parameter in description["bare"]:
        mistakes.append(
            f"parameter {parameter!r} is annotated str or bytes; annotate it with the type of "
            "its trigger (func.ServiceBusMessage, func.InputStream, ...)"
        )
    return mistakes + _of_trigger(description, trigger)


def _is_http_return(binding: dict[str, Any], trigger: dict[str, Any]) -> bool:
    return (
        trigger["type"] == "httpTrigger" and binding["type"] == "http" and _is_out(binding["name"])
    )


def _is_out(name: str) -> bool:
    return name == "$return"


def _of_trigger(description: dict[str, Any], trigger: dict[str, Any]) -> list[str]:
    match trigger["type"]:
        case "blobTrigger":
            return _of_blob(description, trigger)
        case "serviceBusTrigger":
            return _of_service_bus(trigger)
        case _:
            return []


def _of_blob(description: dict[str, Any], trigger: dict[str, Any]) -> list[str]:
    mistakes = []
    name = trigger["name"]
    if trigger.get("source") != "EventGrid":
        mistakes.append(
            f"blob source {trigger.get('source', 'LogsAndContainerScan')!r} may miss blobs and "
            "does not exist on Flex Consumption; write source=func.BlobSource.EVENT_GRID"
        )
    if name not in description["deferred"] and trigger.get("dataType") != "BINARY":
        mistakes.append(
            f"parameter {name!r}: without data_type Azure reads the blob as UTF-8 text and "
            f"destroys every other byte; {_BINARY} or bind a BlobClient"
        )
    return mistakes


def _of_service_bus(trigger: dict[str, Any]) -> list[str]:
    mistakes = []
    name = trigger["name"]
    if "topicName" in trigger:
        mistakes.append(f"topic {trigger['topicName']!r}: only queues are provided locally")
    if trigger.get("cardinality") == "MANY":
        mistakes.append(
            f"parameter {name!r}: batches are not provided locally, and in Azure they mix up "
            "correlation ids and renew no locks; write cardinality=func.Cardinality.ONE"
        )
    if trigger.get("dataType") != "BINARY":
        mistakes.append(
            f"parameter {name!r}: without data_type the fields of a JSON body overwrite the "
            f"message's own properties (MessageId, CorrelationId, ...) in Azure; {_BINARY}"
        )
    return mistakes
