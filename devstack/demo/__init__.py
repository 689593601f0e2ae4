"""The main job on real data, on this machine: what `make demo` runs, and what scenario tests use.

Everything is done from outside, as a team would: uploads, queue messages, the app's API, and
Studio's own endpoints to see what they really serve. Nothing is imported from the app.
"""
