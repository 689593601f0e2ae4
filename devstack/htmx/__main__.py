"""`python -m devstack.htmx`: put htmx beside the page's stylesheet, from its lock file."""

import sys

from devstack import htmx, npm

try:
    htmx.install(npm.find_node())
except npm.NotInstallable as error:
    sys.exit(str(error))
