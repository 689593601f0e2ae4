"""Where the world comes in: events become messages, people get an API and a command line."""
