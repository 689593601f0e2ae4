"""A small app that writes down what its functions were given, one line of JSON each."""

import asyncio
import json
import os
import time

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob

app = func.FunctionApp()
BINARY = func.DataType.BINARY


def record(function: str, **facts: object) -> None:
    line = json.dumps({"function": function, "pid": os.getpid(), "at": time.time(), **facts})
    descriptor = os.open(os.environ["SAMPLE_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode() + b"\n")
    os.close(descriptor)


@app.blob_trigger(
    arg_name="client",
    path="uploads/{folder}/{name}",
    connection="ALM_STORAGE",
    source=func.BlobSource.EVENT_GRID,
)
def on_upload(client: blob.BlobClient) -> None:
    record("on_upload", name=client.blob_name, container=client.container_name)
    if "bad" in client.blob_name:
        raise ValueError("this blob is bad")


@app.blob_trigger(
    arg_name="document",
    path="documents/{name}.bin",
    connection="ALM_STORAGE",
    source=func.BlobSource.EVENT_GRID,
    data_type=BINARY,
)
def on_document(document: func.InputStream) -> None:
    content = document.read()
    record(
        "on_document",
        name=document.name,
        length=document.length,
        content=list(content[:8]),
        metadata=document.metadata,
    )


@app.service_bus_queue_trigger(
    arg_name="message",
    connection="ALM_SERVICEBUS",
    queue_name="%SAMPLE_STEPS%",
    is_sessions_enabled=True,
    data_type=BINARY,
)
def on_step(message: func.ServiceBusMessage) -> None:
    act_on("on_step", message)


@app.service_bus_queue_trigger(
    arg_name="message", connection="ALM_SERVICEBUS", queue_name="requests", data_type=BINARY
)
def on_request(message: func.ServiceBusMessage) -> None:
    act_on("on_request", message)


@app.service_bus_queue_trigger(
    arg_name="message",
    connection="ALM_SERVICEBUS",
    queue_name="requests/$DeadLetterQueue",
    data_type=BINARY,
)
def on_dead_request(message: func.ServiceBusMessage) -> None:
    record(
        "on_dead_request",
        body=message.get_body().decode(),
        properties=message.application_properties,
    )


@app.service_bus_queue_trigger(
    arg_name="message", connection="ALM_SERVICEBUS", queue_name="short", data_type=BINARY
)
def on_short(message: func.ServiceBusMessage) -> None:
    act_on("on_short", message)


def act_on(function: str, message: func.ServiceBusMessage) -> None:
    body = json.loads(message.get_body())
    record(
        function,
        body=body,
        id=message.message_id,
        session=message.session_id,
        subject=message.subject,
        correlation_id=message.correlation_id,
        delivery_count=message.delivery_count,
        properties=message.application_properties,
        enqueued=str(message.enqueued_time_utc),
    )
    if "raise" in body:
        raise ValueError(body["raise"])
    if message.delivery_count == 1 and "die" in body:
        os.kill(os.getpid(), 9)
    if message.delivery_count == 1 and "sleep" in body:
        time.sleep(body["sleep"])
        record(f"{function}_woke", id=message.message_id)


@app.timer_trigger(arg_name="timer", schedule="0 0 3 * * *")
def nightly(timer: func.TimerRequest) -> None:
    record("nightly", past_due=timer.past_due, status=timer.schedule_status)


@app.route("hello/{name:alpha}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
def hello(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    facts = {
        "name": req.route_params["name"],
        "query": dict(req.params),
        "body": req.get_body().decode(),
        "method": req.method,
        "url": req.url,
        "header": req.headers.get("X-Test"),
        "function": context.function_name,
        "invocation": context.invocation_id,
    }
    return func.HttpResponse(
        json.dumps(facts), mimetype="application/json", headers={"X-Answer": "yes"}
    )


@app.route("hello/again", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def later(req: func.HttpRequest) -> str:
    return "a literal route that comes too late"


@app.route("hello/world", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def a_literal(req: func.HttpRequest) -> str:
    return "the literal route"


@app.route("secret", auth_level=func.AuthLevel.FUNCTION)
def secret(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=201)


@app.route("size/{*path}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def size(req: func.HttpRequest) -> func.HttpResponse:
    body = req.get_body()
    return func.HttpResponse(body if "echo" in req.params else f"{len(body)}")


@app.route("slow", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(float(req.params["seconds"]))
    return func.HttpResponse("slept")


@app.route("broken", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("out of order")


@app.route("worker", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def worker(req: func.HttpRequest) -> str:
    return str(os.getpid())
