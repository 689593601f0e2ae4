"""`python -m devstack PART`: the stand-ins for the cloud, each on its own or all together."""

import argparse
import importlib
import sys

from devstack import lifeline

_PARTS = {
    "studio": (
        "devstack.studio.cli",
        "local Studio: training, scoring, endpoints, ARM web services",
        "python -m devstack studio --port 0 --data .local/studio --with-samples --json",
    ),
    "servicebus": (
        "devstack.servicebus.cli",
        "local Service Bus: queues, sessions, dead letters, for the unmodified SDK",
        "python -m devstack servicebus --port 5672 --data D --config infra/servicebus.json",
    ),
    "collector": (
        "devstack.collector.cli",
        "local collector: receives OpenTelemetry, shows traces, metrics and logs",
        "python -m devstack collector --port 4318",
    ),
    "host": (
        "devstack.host.cli",
        "local Functions host: runs function_app.py and host.json of a folder",
        "python -m devstack host --app . --port 7071 --settings local.settings.json",
    ),
    "up": (
        "devstack.up",
        "all of it, and Azurite: addresses in one table, everything ends together",
        "python -m devstack up --app . --data .local/up --with-samples",
    ),
}


def _help() -> str:
    lines = ["usage: python -m devstack {" + ",".join(_PARTS) + "} [options]", ""]
    for name, (_, what, example) in _PARTS.items():
        lines += [f"  {name:<11} {what}", f"  {'':<11} e.g. {example}", ""]
    return "\n".join([*lines, "python -m devstack PART --help lists the options of a part."])


def main(words: list[str]) -> int:
    """Run one part; return its exit code."""
    lifeline.follow_parent()
    if not words or words[0] in ("-h", "--help"):
        print(_help())
        return 0 if words else 2
    if words[0] not in _PARTS:
        print(f"there is no part {words[0]!r}\n\n{_help()}", file=sys.stderr)
        return 2
    module_name, what, example = _PARTS[words[0]]
    module = importlib.import_module(module_name)
    parser = argparse.ArgumentParser(
        prog=f"python -m devstack {words[0]}", description=what, epilog=f"example: {example}"
    )
    module.add_arguments(parser)
    code: int = module.run(parser.parse_args(words[1:]))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
