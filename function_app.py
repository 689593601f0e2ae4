"""The map of the app: what starts a run, the chain, upkeep, people. Bindings only; see alm/."""

from __future__ import annotations

import os
from functools import lru_cache
from types import ModuleType

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob

from alm import bootstrap, settings
from alm.bootstrap import App
from alm.entrypoints import dead_letters, events, intake, timers
from alm.entrypoints.intake import Received

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
BUS, STORAGE = "ALM_SERVICEBUS", "ALM_STORAGE"  # settings that say where they are
BYTES = func.DataType.BINARY  # as text the host would rewrite a body, or its metadata from it
DEAD = "/$DeadLetterQueue"
EVENTS = func.BlobSource.EVENT_GRID
ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]  # what the API does not have, it says itself


@lru_cache(maxsize=1)
def the_app() -> App:
    """Built at the first event, not at import; one per process."""
    return bootstrap.build(settings.read(os.environ), os.environ)


def received(message: func.ServiceBusMessage, queue: str) -> Received:
    properties = message.application_properties or {}
    return Received(
        body=message.get_body(),
        message_id=message.message_id or "",
        queue=queue,
        session=message.session_id or "",
        correlation_id=message.correlation_id or "",
        reply_to=message.reply_to or "",
        deliveries=message.delivery_count or 1,
        reason=str(properties.get("DeadLetterReason", "")),
        traceparent=str(properties.get("traceparent") or properties.get("Diagnostic-Id", "")),
    )


# What starts a run -----------------------------------------------------------------------------


@app.blob_trigger("landed", "datasets/{name}", STORAGE, source=EVENTS)
def on_dataset(landed: blob.BlobClient) -> None:
    intake.on_blob(the_app(), "datasets", landed.blob_name)


@app.blob_trigger("landed", "trained-models/{name}", STORAGE, source=EVENTS)
def on_trained_model(landed: blob.BlobClient) -> None:
    intake.on_blob(the_app(), "trained-models", landed.blob_name)


@app.service_bus_queue_trigger("message", BUS, "alm-requests", data_type=BYTES)
def on_request(message: func.ServiceBusMessage) -> None:
    intake.on_request(the_app(), received(message, "alm-requests"))


@app.timer_trigger("tick", "0 * * * * *")
def on_schedule(tick: func.TimerRequest) -> None:
    timers.on_schedule(the_app())


# The chain: one message, one stage. Pipelines, stage by stage, with the call each makes:
# retrain: start > await > restart > harvest > rehearse > score > evaluate > promote > patch >
#     settle > smoke > roll_back > restored
# experiment: upload > copy_training > set_dataset > run_training > await_training > take_output >
#     evaluate > register > promote > copy_predictive > set_model > run_predictive >
#     await_predictive > deploy > deployed > smoke > roll_back > undo_run > undo_await >
#     undo_deploy > undo_deployed > undone > lost
# publish: harvest > rehearse > score > evaluate > promote > patch > settle > smoke > roll_back >
#     restored
# harvest: take_node > promote
# redeploy: read_definitions > patch > settle > smoke > roll_back > restored
# roll_back: patch > settle > smoke > roll_back > restored
# reinstate: read_experiment > copy_predictive > set_model > run_predictive > await_predictive >
#     deploy > deployed > smoke > roll_back > undo_run > undo_await > undo_deploy > undo_deployed
#     > undone > lost
# verify: verify > smoke
# calls: start: BES start job; await: BES GET job; restart: BES submit job; harvest: GET
#     .iLearner; rehearse: PATCH staging; score: RRS execute on staging; evaluate: the gate;
#     promote: PUT version; patch: PATCH endpoint or WSD; settle: GET endpoint or WSD; smoke: RRS
#     execute, BES jobs; roll_back: PATCH back; restored: GET endpoint or WSD; upload: POST
#     dataset; copy_training: POST experiment or package; set_dataset: POST experiment (save);
#     run_training: POST experiment (run); await_training: GET experiment; take_output: GET node
#     outputs; register: POST trained model; copy_predictive: POST experiment or package;
#     set_model: POST experiment (save); run_predictive: POST experiment (run); await_predictive:
#     GET experiment; deploy: POST web service, or PUT WSD; deployed: GET deployment; take_node:
#     GET node output; read_definitions: GET files of the repository; read_experiment: GET files
#     of the repository; verify: GET endpoint or WSD


@app.service_bus_queue_trigger(
    "message", BUS, "alm-steps", data_type=BYTES, is_sessions_enabled=True
)
def on_step(message: func.ServiceBusMessage) -> None:
    intake.on_step(the_app(), received(message, "alm-steps"))


# Upkeep ----------------------------------------------------------------------------------------


@app.timer_trigger("tick", "30 * * * * *")
def on_sweep(tick: func.TimerRequest) -> None:
    timers.on_sweep(the_app())


@app.service_bus_queue_trigger("message", BUS, "alm-steps" + DEAD, data_type=BYTES)
def on_dead_letter(message: func.ServiceBusMessage) -> None:
    dead_letters.on_dead_letter(the_app(), received(message, "alm-steps"))


@app.service_bus_queue_trigger("message", BUS, "alm-requests" + DEAD, data_type=BYTES)
def on_request_dead_letter(message: func.ServiceBusMessage) -> None:
    dead_letters.on_dead_letter(the_app(), received(message, "alm-requests"))


@app.service_bus_queue_trigger("message", BUS, "alm-events", data_type=BYTES)
def on_event(message: func.ServiceBusMessage) -> None:
    events.on_event(the_app(), received(message, "alm-events"))


@app.service_bus_queue_trigger("message", BUS, "alm-events" + DEAD, data_type=BYTES)
def on_event_dead_letter(message: func.ServiceBusMessage) -> None:
    dead_letters.on_dead_letter(the_app(), received(message, "alm-events"))


# People ----------------------------------------------------------------------------------------


def answered(req: func.HttpRequest, path: str, people: ModuleType) -> func.HttpResponse:
    headers = {name.lower(): value for name, value in req.headers.items()}
    call = people.Call(req.method, path, headers, dict(req.params), req.get_body())
    try:
        answer = people.respond(the_app(), call)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with us, the caller is answered
        answer = people.failed(call, error)
    return func.HttpResponse(
        answer.text,
        status_code=answer.status,
        headers=answer.headers,
        mimetype=answer.media_type,
    )


@app.route("api/{*path}", methods=ANY)  # Azure tries functions by name: `api` before `page`
def api(req: func.HttpRequest) -> func.HttpResponse:
    from alm.entrypoints.api import responding as people  # at the first call: most workers get none

    return answered(req, req.route_params.get("path", ""), people)


@app.route("{*path}", methods=["GET", "POST"])
def page(req: func.HttpRequest) -> func.HttpResponse:
    from alm.entrypoints import page as people

    return answered(req, req.route_params.get("path", ""), people)
