"""The command line: `main.cli`. A client of the API, but for doctor, validate, init and Studio."""
