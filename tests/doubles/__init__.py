"""Doubles of the ports: in memory, deterministic, without threads.

Each passes the same contract suite (tests/contract) as the adapter it stands for.
"""
