"""Write the reference: `python -m alm.entrypoints.published.reference [folder]`.

Tables of what declarations, settings, messages, pipelines and errors are made of, from the classes
and tables that the app runs with. A test compares `docs/reference/` with what this writes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from alm import pipelines
from alm.domain import errors
from alm.domain.managed_model import ManagedModel
from alm.domain.requests import MAY, MEANS, NEEDS, Request
from alm.entrypoints.published import reference_words as words
from alm.entrypoints.published.declaration_words import WORDS
from alm.entrypoints.published.reference_tables import Schema, fields, first, page, table
from alm.pipelines import End, NextWave, Stage
from alm.settings import Settings

FOLDER = Path("docs/reference")
QUEUES = Path(__file__).resolve().parents[3] / "infra/servicebus.json"


def pages() -> dict[str, str]:
    """The text of each page, by file name."""
    made: dict[str, Callable[[], list[str]]] = {
        "declarations.md": _declarations,
        "settings.md": _settings,
        "pipelines.md": _pipelines,
        "messages.md": _messages,
        "error-classes.md": _errors,
    }
    return {name: "\n".join(make()) + "\n" for name, make in made.items()}


def write(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


# -- declarations --------------------------------------------------------------------------------


def _declarations() -> list[str]:
    schema = ManagedModel.model_json_schema()
    parts: dict[str, Schema] = {"ManagedModel": schema, **schema["$defs"]}
    about = (
        "One YAML file per managed model or family. [churn.yaml](../../managed_models/churn.yaml) "
        "and [shops.yaml](../../managed_models/shops.yaml) show all of it with comments; "
        "`alm validate` tells every mistake with its line; "
        "[the schema](../schemas/managed-model.json) helps editors."
    )
    lines = page("Declarations", about)
    for name in _reached("ManagedModel", parts):
        lines += [f"## {name}", "", first(str(parts[name].get("description", ""))), ""]
        lines += fields(parts[name], WORDS[name])
    return lines + _family()


def _family() -> list[str]:
    """What a family has besides; it is read by hand, so it is told by hand."""
    rows = [
        ("`family`", "text", "", "its name, instead of `model`; members are `{family}--{slug}`"),
        (
            "`members`",
            "`captures`, `{list: …}`, `{file: …, key: …}`",
            "`captures`",
            "who belongs to it: whatever the dataset pattern captures, a list, or a CSV or YAML "
            "file next to the declaration",
        ),
    ]
    about = (
        "One declaration for many managed models. Everywhere in it `{name}` stands for a capture "
        "of the dataset pattern or a column of the members, `{model}` for the member's id, "
        "`{family}` for the family; `{{` and `}}` are plain braces."
    )
    return ["## Family", "", about, "", *table(("field", "type", "default", "means"), rows)]


def _reached(name: str, parts: Mapping[str, Schema]) -> list[str]:
    """The part, then those that it names, each once, in the order in which they are met."""
    found = [name]
    for at in found:
        text = json.dumps(parts[at]["properties"])
        places = {part: text.find(f'"#/$defs/{part}"') for part in parts}
        met = sorted((place, part) for part, place in places.items() if place >= 0)
        found += [part for _, part in met if part not in found]
    return found


# -- settings ------------------------------------------------------------------------------------


def _settings() -> list[str]:
    schema = Settings.model_json_schema()
    about = (
        "Environment variables of the app. "
        "[local.settings.sample.json](../../local.settings.sample.json) has all of them with safe "
        "values. Mistakes are told by name when the app starts."
    )
    lines = page("Settings", about) + fields(schema, words.SETTINGS)
    about = 'For example `{"url": "https://github.com/team/models", "token": "env:GIT_TOKEN"}`.'
    lines += ["## Repository", "", f"The object in `ALM_GIT`. {about}", ""]
    lines += fields(schema["$defs"]["Repository"], words.REPOSITORY)
    lines += ["## Author", "", *fields(schema["$defs"]["Author"], words.AUTHOR)]
    lines += ["## Read by the platform, or by name", "", *_named(words.OTHERS)]
    about = "`. .local/up/client.env` sets them for the local stack."
    return [*lines, "## Of the command line", "", about, "", *_named(words.COMMAND_LINE)]


def _named(meanings: Mapping[str, str]) -> list[str]:
    rows = ((f"`{name}`", meaning) for name, meaning in meanings.items())
    return table(("setting", "means"), rows)


# -- pipelines -----------------------------------------------------------------------------------


def _pipelines() -> list[str]:
    about = (
        "The stages of each pipeline, in order, from `alm/pipelines.py`. `done` leads to the stage "
        "under `then`; a failure to the one under `failed`. `roll_back` and what follows it are "
        "only reached after something was changed."
    )
    lines = page("Pipelines and stages", about)
    for name, stages in pipelines.PIPELINES.items():
        rows = [
            (f"`{s.name}`", _does(s), s.call, _lead(s.then), _lead(s.failed), _cares(s))
            for s in stages
        ]
        heads = ("stage", "does", "calls", "then", "failed", "first")
        lines += [f"## {name}", "", *table(heads, rows)]
    return [*lines, *_outcomes()]


def _does(stage: Stage) -> str:
    return first(stage.visit.__doc__ or "")


def _lead(lead: pipelines.Lead) -> str:
    match lead:
        case End(result=result):
            return f"ends `{result}`"
        case NextWave():
            return "next wave, or ends `ok`"
    return f"`{lead}`"


def _cares(stage: Stage) -> str:
    if stage.declare is not None:
        return "puts on record what it will change"
    return "reads the ledger" if stage.look else ""


def _outcomes() -> list[str]:
    outcomes = table(("outcome", "means"), ((f"`{n}`", m) for n, m in words.OUTCOMES.items()))
    results = table(("result", "means"), ((f"`{n}`", m) for n, m in words.RESULTS.items()))
    return ["## Outcomes of a visit", "", *outcomes, "## Results of a run", "", *results]


# -- messages ------------------------------------------------------------------------------------


def _messages() -> list[str]:
    about = (
        "What other systems send and get. Schemas: [request](../schemas/request.json), "
        "[event](../schemas/event.json). The messages of `alm-steps` are the app's own."
    )
    lines = [*page("Messages and queues", about), "## Queues", "", *_queues()]
    lines += ["## Requests: `alm-requests`", "", *_kinds()]
    meanings = {**MEANS, **words.REQUEST}
    return [*lines, *fields(Request.model_json_schema(by_alias=True), meanings), *_answers()]


def _queues() -> list[str]:
    namespace = json.loads(QUEUES.read_text(encoding="utf-8"))["UserConfig"]["Namespaces"][0]
    rows = []
    for queue in namespace["Queues"]:
        facts = queue["Properties"]
        sessions = "one per managed model" if facts["RequiresSession"] else ""
        rows.append((f"`{queue['Name']}`", sessions, str(facts["MaxDeliveryCount"])))
    return table(("queue", "sessions", "deliveries"), rows)


def _kinds() -> list[str]:
    rows = []
    for kind, means in words.KINDS.items():
        needs = NEEDS.get(kind, ())
        named = [] if "model" in needs else ["`model` or `family`"]
        named += [f"`{name}`" for name in needs]
        named += [f"`{name}` if wanted" for name in MAY.get(kind, ())]
        rows.append((f"`{kind}`", means, ", ".join(named)))
    return table(("kind", "asks for", "names"), rows)


def _answers() -> list[str]:
    rows = [
        ("`accepted`", "at once", "`model`; one for each member of a family"),
        ("`refused`", "at once, instead", "`why`"),
        ("`ended`", "when its run has ended", "`model`, `run`, `result`, `why`"),
    ]
    about = (
        "To the queue that `reply_to` names, with the request's correlation id. Every answer has "
        "`request` (the request's id) and `event`."
    )
    return ["## Answers", "", about, "", *table(("event", "when", "says"), rows)]


# -- errors --------------------------------------------------------------------------------------


def _errors() -> list[str]:
    tree = (errors.__doc__ or "").split("\n\n")[1]
    about = (
        "What can go wrong, one class per decision of whoever meets it. Answers of the API: "
        "[errors](../errors.md); what to do: [runbook](../runbook.md)."
    )
    drawn = [line.removeprefix("    ") for line in tree.splitlines()]
    return [*page("Error classes", about), "```text", *drawn, "```"]


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:2]))
