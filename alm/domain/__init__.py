"""Values and rules. Nothing here knows a port, a clock, the environment or Azure."""
