"""`python -m devstack.demo [main|experiment]`: start the stack, play a story, check its claims.

Exit code 0 only if every claim was borne out by reading the targets back.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

from rich.console import Console

from devstack.demo import experiment
from devstack.demo.models import prepare
from devstack.demo.operator import Operator, TookTooLong
from devstack.demo.progress import Progress
from devstack.demo.story import Story
from devstack.demo.studio import Studio
from devstack.stack import Stack, StackFailed, StackOptions

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack.demo", description=__doc__)
    parser.add_argument("story", nargs="?", choices=("main", "experiment"), default="main")
    parser.add_argument("--data", type=Path, default=ROOT / ".local" / "demo")
    parser.add_argument("--json", action="store_true", help="print one line of JSON at the end")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.data, ignore_errors=True)  # a demo begins with a first run
    console = Console(stderr=arguments.json)
    started = time.monotonic()
    try:
        story = _play(arguments.story, arguments.data, console)
    except StackFailed as error:
        console.print(f"[red]the local stack did not start:[/red] {error}")
        return 1
    seconds = time.monotonic() - started
    if arguments.json:
        claims = [claim.__dict__ for claim in story.claims]
        sys.stdout.write(json.dumps({"ok": story.all_hold, "seconds": seconds, "claims": claims}))
        sys.stdout.write("\n")
    _summarise(story, seconds, console, arguments.data)
    return 0 if story.all_hold else 1


def _play(name: str, data: Path, console: Console) -> Story:
    folder = data / "managed_models"
    environment = {"ALM_MANAGED_MODELS": str(folder), "ALM_REPLY_QUEUES": "alm-answers"}
    options = StackOptions(
        app=ROOT, data=data, with_samples=True, host=False, environment=environment
    )
    console.print("starting Azurite, the broker and local Studio")
    with Stack(options) as stack:
        studio, operator = Studio(stack.addresses), Operator(stack.addresses)
        story = _prepared(name, studio, operator, folder)
        stack.start("host")
        operator.addresses = stack.addresses
        with Progress(story, console):
            try:
                story.tell()
            except (TookTooLong, RuntimeError) as error:
                story.claim("-", "the story was told to its end", False, error)
        operator.close()
        return story


def _prepared(name: str, studio: Studio, operator: Operator, folder: Path) -> Story:
    if name == "experiment":
        experiment.prepare(studio, folder)
        return Story(operator, studio, {}, opening=experiment.OPENING, scenes=experiment.SCENES)
    return Story(operator, studio, prepare(studio, operator, folder))


def _summarise(story: Story, seconds: float, console: Console, data: Path) -> None:
    hold = sum(claim.holds for claim in story.claims)
    color = "green" if story.all_hold else "red"
    of = f"{hold} of {len(story.claims)} claims hold"
    console.print(
        f"\n[{color}]{of}[/{color}], each checked by asking Studio or the app ({seconds:.0f} s)"
    )
    if not story.all_hold:
        console.print(f"logs are in {data / 'logs'}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
