"""`python -m alm`: the command line."""

from alm.entrypoints.cli.main import main

main()
