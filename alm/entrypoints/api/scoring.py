"""Scoring calls: which endpoint answers one (`choose`), and the router that passes it on (`score`).

External logic that picks a version for each call is what the endpoints of a classic service are
made for; new services get the same here. Nothing is changed, and nothing is kept of the rows.
"""

from __future__ import annotations

from alm.bootstrap import App
from alm.domain.choosing import Choice, choose
from alm.domain.errors import NotFound, Unavailable
from alm.domain.ledger import Ledger
from alm.domain.managed_model import ManagedModel, Target
from alm.domain.run import Served
from alm.domain.transitions import is_champion
from alm.entrypoints.api.answers import ChoiceShown, Endpoint, Scored
from alm.entrypoints.api.asks import ChoiceAsked, RowsAsked
from alm.entrypoints.api.calls import Answer, Order, shown
from alm.stages.context import service_of


def show_choice(app: App, order: Order) -> Answer:
    """Which endpoint a scoring call would go to, and among which it was chosen."""
    model = app.ports.models.resolve(order.values["model"])
    ledger, _ = app.ports.ledgers.get(model.model)
    found = choices(model, ledger)
    chosen = choose([choice for choice, _, _ in found], **_wanted(order.asks(ChoiceAsked)))
    listed = [
        Endpoint(**choice.model_dump(), endpoint=served.service) for choice, _, served in found
    ]
    own = next(one for one in listed if one.target == chosen.target)
    return shown(200, ChoiceShown(**own.model_dump(), among=tuple(listed)))


def score(app: App, order: Order) -> Answer:
    """Score rows on the endpoint that is chosen; the answer says which one it was.

    Raises Refused if the rows cannot be scored, Unavailable or Unknown if the endpoint is away.
    """
    model = app.ports.models.resolve(order.values["model"])
    asked = order.asks(RowsAsked)
    ends = {"input": str(asked.input), "output": str(asked.output)}
    ledger, _ = app.ports.ledgers.get(model.model)
    found = choices(model, ledger)
    chosen = choose([choice for choice, _, _ in found], **_wanted(asked))
    target, served = next((t, s) for choice, t, s in found if choice == chosen)
    try:
        scores = service_of(app.ports, target, served).score(asked.rows, **ends)
    except NotFound as error:
        raise Unavailable(f"target {target.name!r}: {error}; the next sweep mends it") from error
    answers = [dict(zip(scores.columns, row, strict=True)) for row in scores.rows]
    where = {"target": target.name, "version": served.version, "endpoint": served.service}
    return shown(200, Scored(model=model.model, **where, rows=answers))


def choices(model: ManagedModel, ledger: Ledger) -> list[tuple[Choice, Target, Served]]:
    """Every endpoint that may serve: each target, and where versions stand beside each other the
    one that was in service before, for who asks for it.

    They are named by target, not by version: a key stays with its target when versions change.
    """
    found = []
    for name in model.served_names:
        served, before = ledger.serves.get(name), ledger.before.get(name)
        target = model.target(name, served)
        if target is None or served is None:
            continue
        aliases = ("champion",) if is_champion(ledger, served.version) else ()
        choice = Choice(target=name, version=served.version, aliases=aliases, weight=target.weight)
        found.append((choice, target, served))
        if target.deploy != "patch" and before is not None and before.service != served.service:
            previous = Choice(
                target=f"{name}/previous", version=before.version, aliases=("previous",), weight=0
            )
            found.append((previous, target, before))
    return found


def _wanted(asked: ChoiceAsked) -> dict[str, str]:
    return {"version": str(asked.version), "alias": str(asked.alias), "key": str(asked.key)}
