"""`python -m alm`: the command line."""

from alm.entrypoints.cli import main

main()
