"""Local collector: receives OTLP over HTTP, keeps it in memory, shows it.

It is there for tests and for a look at one's own traces: bounded, forgetful, without authentication
and without any other way out than its own JSON and `python -m devstack.collector`.
"""
