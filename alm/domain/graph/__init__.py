"""Graphs of experiments: what they refer to, how they hang together, edits, preparation, diff."""
