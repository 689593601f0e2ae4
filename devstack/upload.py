"""`python -m devstack upload FILE CONTAINER/NAME`: put a file into the stack's storage.

What `az storage blob upload` does in Azure, without having to install it.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from devstack.kept_addresses import DATA, NoStack, kept_addresses


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", type=Path, help="the file")
    parser.add_argument("blob", help="container and name, such as datasets/churn/day1.csv")
    parser.add_argument("--data", type=Path, default=DATA, help="data folder of the stack")


def run(arguments: argparse.Namespace) -> int:
    """Upload it, over what is there; the container is made if it is missing."""
    from azure.core.exceptions import AzureError, ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    container, _, name = arguments.blob.partition("/")
    try:
        storage = kept_addresses(arguments.data)["storage_connection_string"]
        with BlobServiceClient.from_connection_string(storage, retry_total=1) as service:
            client = service.get_container_client(container)
            with contextlib.suppress(ResourceExistsError):  # it nearly always does
                client.create_container()
            client.upload_blob(name, arguments.file.read_bytes(), overwrite=True)
    except (NoStack, OSError, AzureError) as error:
        print(f"{arguments.blob} was not uploaded: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"uploaded {arguments.file} to {arguments.blob}")  # noqa: T201
    return 0
