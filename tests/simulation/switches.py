"""All switches, by name."""

from __future__ import annotations

from tests.simulation.switches_experiment import EXPERIMENT_GUARDS
from tests.simulation.switches_holds import HOLDS
from tests.simulation.switches_messages import MESSAGES
from tests.simulation.switches_waves import WAVES
from tests.simulation.switches_zombies import ZOMBIE_GUARDS

SWITCHES = {
    switch.name: switch
    for switch in (*MESSAGES, *ZOMBIE_GUARDS, *WAVES, *HOLDS, *EXPERIMENT_GUARDS)
}
