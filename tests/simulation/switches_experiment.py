"""Switches: what keeps the ten Studio steps from running, deploying or losing something twice."""

from __future__ import annotations

from tests.simulation.switch import NEXT_STEPS, PIPELINES, STEPS, UPKEEP, ZOMBIES, Switch
from tests.simulation.variants import Edit

FOLDER = "alm/stages/experiment"
BEFORE, BENCH, DEPLOY = f"{FOLDER}/before.py", f"{FOLDER}/workbench.py", f"{FOLDER}/deploy.py"
RUNNING, UNDO = f"{FOLDER}/running.py", f"{FOLDER}/undo.py"

EXPERIMENT_GUARDS = (
    Switch(
        "an experiment is looked at before it is run",
        "1",
        "a crash after the run began, and it is run a second time",
        ("taught",),
        (Edit(RUNNING, "    if not _was_started(experiment, last):\n", "    if True:\n"),),
    ),
    Switch(
        "the run that undoes is looked for",
        "1",
        "a crash after it began, and it is run a second time",
        ("taught, good, then bad",),
        (
            Edit(
                UNDO,
                '    if not is_kept or experiment.state == "InDraft" or experiment.run == last:\n',
                "    if True:\n",
            ),
        ),
    ),
    Switch(
        "outputs are taken from the run that was ours",
        "0",
        "somebody runs the experiment meanwhile: a model that nobody judged is promoted",
        (
            "taught, somebody runs it before its model is registered",
            "taught, somebody runs the predictive experiment",
        ),
        (Edit(BENCH, "    if experiment.run != context.state.studio.ran:\n", "    if False:\n"),),
    ),
    Switch(
        "intent before the predictive experiment is changed",
        "0",
        "it changes without a record of what it, and the service, is to be given back",
        ("taught",),
        (Edit(PIPELINES, "        declare=equip.declare,\n", ""),),
    ),
    Switch(
        "a deployment is proved by its content",
        "0",
        "it was answered and changed nothing: the old model passes for the new one",
        ("taught, the second deployment changes nothing",),
        (
            Edit(
                DEPLOY,
                "    if not holds(reading, served, context.ports.blobs):\n",
                "    if False:\n",
            ),
        ),
    ),
    Switch(
        "a first deployment is looked for before it is begun again",
        "1",
        "a crash after it began, and there are two web services",
        ("taught",),
        (Edit(DEPLOY, "    if begun:\n        return Wait", "    if False:\n        return Wait"),),
    ),
    Switch(
        "a step that comes again knows it",
        "1",
        "it takes itself for the first: two web services",
        ("taught",),
        (
            Edit(
                STEPS,
                "repeated=repeated or sent_again(context))",
                "repeated=False)",
            ),
        ),
    ),
    Switch(
        "stages that change the workspace look first",
        "0",
        "a run that was cancelled, and that has ended, goes on running experiments",
        ("taught, cancel before copy_training", "taught, cancel before run_predictive"),
        (
            Edit(
                STEPS,
                "    if step.ledger is None or stage.look:\n",
                "    if step.ledger is None:\n",
            ),
        ),
    ),
    Switch(
        "a deployment is on record before it is begun",
        "0",
        "whoever undoes the run does not know of it: the service appears when all is over",
        ("taught, cancel before deployed",),
        (Edit(PIPELINES, "        declare=deploy.declare,\n", "        look=True,\n"),),
    ),
    Switch(
        "a service that is being made is waited for",
        "0",
        "there is nothing to take away yet: the service appears when all is over",
        ("taught, cancel before deployed",),
        (Edit(UNDO, "deploy.first_is_awaited(context, experiment)", "False"),),
    ),
    Switch(
        "a service that has appeared is not deployed again",
        "1",
        "the service that was looked for is deployed again, and that outlives its deletion",
        ("taught, cancel before deployed",),
        (Edit(DEPLOY, "return found if begun else None", "return None"),),
    ),
    Switch(
        "what cannot be looked at stays unknown",
        "0",
        "a first service could not be taken away, and the reconcile takes it for none",
        ("taught, bad, and nobody takes it away",),
        (Edit(UPKEEP, "    wrong += _unseen(model, ledger)\n", ""),),
    ),
    Switch(
        "what could not be taken away is not what was there",
        "0",
        "the next run gives back the bad model of the run before",
        ("taught, bad, and nobody takes it away",),
        (Edit(BEFORE, "ABSENT if DEPLOYED in context.ledger.unknown else _adopted", "_adopted"),),
    ),
    Switch(
        "undoing that died ends the run",
        "0",
        "it is undone, dies at its end, is undone, dies ... without end",
        ("taught, poison in undone",),
        (Edit(NEXT_STEPS, '    *("undone", "lost"),\n', ""),),
    ),
    Switch(
        "what is undone is deployed only as it was kept",
        "2-3",
        "a zombie runs the new model meanwhile, and undoing deploys it",
        ("taught, good, then bad",),
        (
            Edit(
                UNDO,
                "    if not before.is_as_kept(context, experiment):\n        return Displaced",
                "    if False:\n        return Displaced",
            ),
        ),
        likes=ZOMBIES,
    ),
    Switch(
        "two chains undo a run once",
        "0",
        "the experiment is run a second time to give back what it is already",
        ("taught, cancel while it is undone", "taught, cancel before deployed of the second"),
        (Edit(UNDO, "    if before.is_as_kept(context, experiment):\n", "    if False:\n"),),
    ),
)
"""Without each of these something breaks in the pipelines `experiment` and `reinstate`."""
