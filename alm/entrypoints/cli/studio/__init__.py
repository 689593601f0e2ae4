"""The command line for everything that people do with Studio by hand, one file per noun."""

from __future__ import annotations

import typer

from alm.entrypoints.cli.studio import (
    datasets,
    definitions,
    endpoints,
    experiment_copies,
    experiment_edits,
    experiment_files,
    experiment_runs,
    experiments,
    modules,
    node_outputs,
    plans,
    repositories,
    trained_models,
    training_services,
    transforms,
    web_service_tests,
    web_services,
    workspaces,
)
from alm.entrypoints.cli.studio.connection import Connect, connect

NOUNS = (
    workspaces.app,
    datasets.app,
    trained_models.app,
    transforms.app,
    modules.app,
    experiments.app,
    node_outputs.app,
    training_services.app,
    web_services.app,
    endpoints.app,
    definitions.app,
    plans.app,
    repositories.app,
)
MORE = (experiment_copies, experiment_edits, experiment_files, experiment_runs, web_service_tests)
"""Files that add commands to a noun of another file."""


def add_to(cli: typer.Typer, connect: Connect = connect) -> None:
    """Add the nouns to the command line. connect: what their commands are connected to."""
    for app in NOUNS:
        cli.add_typer(app, context_settings={"obj": connect}, rich_help_panel="Studio")
