"""The program: puts config, telemetry, domain, transport and actors together into a daemon."""
