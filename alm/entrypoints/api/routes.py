"""The map of the API: method, path, who may, what does it, what it answers, what it takes.

The OpenAPI document is made from it (`openapi.py`), and `docs/api.md` is held against it.
"""

from __future__ import annotations

from functools import partial

from alm.bootstrap import App
from alm.domain.versions import InService
from alm.entrypoints.api import answers, asks, orders, scoring, views
from alm.entrypoints.api.calls import Answer, Order, Route

__all__ = ["ROUTES", "Route"]

SCORE_BYTES_MAX = 4 << 20  # rows, where an order has a few words


def show_openapi(app: App, order: Order) -> Answer:
    """This API, as an OpenAPI 3.1 document."""
    from alm.entrypoints.api.openapi import document  # most processes are never asked for it

    return Answer(200, document(ROUTES))


get = partial(Route, "GET")
order = partial(Route, "POST", answers=answers.Accepted, statuses=(202,), changes=True)
decide = partial(order, statuses=(202, 200))

ROUTES = (
    get("models", "reader", views.list_models, list[answers.ModelRow], asks.ModelsAsked),
    get("models/{model}", "reader", views.show_model, answers.ModelShown),
    get("models/{model}/versions", "reader", views.list_versions, list[answers.Version]),
    get("models/{model}/targets", "reader", views.list_targets, list[answers.TargetRow],
        asks.TargetsAsked),
    get("models/{model}/orders/{order}", "reader", orders.show_order, answers.OrderShown),
    order("models/{model}/start", "operator", orders.start_run),
    order("models/{model}/publish", "operator", orders.publish, takes=asks.FileAsked),
    order("models/{model}/rollback", "operator", orders.roll_back, takes=asks.VersionAsked),
    order("models/{model}/verify", "operator", orders.verify),
    order("models/{model}/harvest", "operator", orders.harvest, takes=asks.NodeAsked),
    order("models/{model}/redeploy", "operator", orders.redeploy, takes=asks.CommitAsked),
    get("models/{model}/served", "reader", views.list_served, list[InService] | InService,
        asks.ServedAsked),
    get("models/{model}/choose", "reader", scoring.show_choice, answers.ChoiceShown,
        asks.ChoiceAsked),
    Route("POST", "score/{model}", "reader", scoring.score, answers.Scored, asks.RowsAsked,
          body_bytes_max=SCORE_BYTES_MAX),
    get("runs", "reader", views.list_runs, list[answers.RunRecord], asks.RunsAsked),
    get("runs/{run}", "reader", views.show_run, answers.RunShown),
    decide("runs/{run}/approve", "approver", orders.approve, takes=asks.DigestAsked),
    decide("runs/{run}/refuse", "approver", orders.refuse, takes=asks.DigestAsked),
    decide("runs/{run}/cancel", "operator", orders.cancel),
    get("inbox", "reader", views.list_inbox, list[answers.InboxEntry], asks.InboxAsked),
    get("inbox/{item}", "reader", views.show_inbox, answers.InboxEntry),
    order("inbox/{item}/redrive", "operator", orders.redrive, answers=answers.Redriven,
          closing=partial(orders.take_out, how="redriven")),
    order("inbox/{item}/discard", "operator", orders.discard, answers=answers.Discarded,
          statuses=(200,), closing=partial(orders.take_out, how="discarded")),
    get("pipelines", "reader", views.list_pipelines, dict[str, list[answers.Stage]]),
    get("openapi.json", "reader", show_openapi, dict[str, object]),
)  # fmt: skip
