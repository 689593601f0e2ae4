"""`python -m devstack.azurite`: install Azurite from its lock file, once."""

import sys

from devstack import azurite

try:
    azurite.install(azurite.find_node())
except azurite.NotInstallable as error:
    sys.exit(str(error))
