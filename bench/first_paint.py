"""`python -m bench.first_paint [--models 10000]`: when Chromium shows the page.

The real app in the local host, over Azurite that holds the overview of many managed models. Medians
from the start of the navigation: to the first byte, to the first contentful paint, to the end of
loading. After a sweep: the overview is another one than at the look before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

import yaml

from alm.entrypoints.overview import OVERVIEW
from bench.first_screen import LOOKS, PLACES, family, overview
from devstack.demo.operator import Operator
from devstack.stack import Stack, StackOptions
from tests.browser.chromium import running
from tests.browser.person import Person, Place

ROOT = Path(__file__).resolve().parents[1]
TIMES = """() => {
    const [whole] = performance.getEntriesByType("navigation");
    const painted = performance.getEntriesByName("first-contentful-paint")[0];
    return [whole.responseStart, painted.startTime, whole.loadEventEnd];
}"""
PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length"


def main() -> int:
    """Measure and print one line for each place."""
    parser = argparse.ArgumentParser(prog="python -m bench.first_paint", description=__doc__)
    parser.add_argument("--models", type=int, default=10_000)
    count = parser.parse_args().models
    with tempfile.TemporaryDirectory() as folder:
        declared = Path(folder) / "managed_models"
        declared.mkdir()
        (declared / "shops.yaml").write_text(yaml.safe_dump(family(count)))
        environment = {"ALM_MANAGED_MODELS": str(declared)}
        options = StackOptions(app=ROOT, data=Path(folder) / "stack", environment=environment)
        with Stack(options) as stack:
            _look(stack, count)
    return 0


def _look(stack: Stack, count: int) -> None:
    operator = Operator(stack.addresses)
    keys = {"reader": str(stack.addresses["api_keys"]["reader"])}
    container, _, name = OVERVIEW.partition("/")
    head = "first byte, first paint, loaded"
    sys.stdout.write(f"{count} managed models; ms to {head}: after a sweep / in between\n")
    with running() as browser:
        person = Person(browser, Place(str(stack.addresses["functions_url"]).rstrip("/"), keys))
        person.sign_in("reader")
        for place in PLACES:
            anew, again = [], []
            for _ in range(LOOKS):
                operator.upload(container, name, overview(count))
                anew.append(_times(person, place))
                again.append(_times(person, place))
            sys.stdout.write(f"{place:<30}{_told(anew)}   /{_told(again)}\n")
        faults = person.leave()
    operator.close()
    sys.stdout.writelines(f"{fault}\n" for fault in faults)


def _times(person: Person, place: str) -> list[float]:
    person.open(place)
    person.page.wait_for_function(PAINTED)
    found: list[float] = person.page.evaluate(TIMES)
    return found


def _told(taken: list[list[float]]) -> str:
    return "".join(f"{median(times):7.0f}" for times in zip(*taken, strict=True))


if __name__ == "__main__":
    sys.exit(main())
