"""Where choices come from: a stored schedule, or chance.

A schedule is a list of (place, choice): at the place-th choice of the world take that one; at all
others take 0, which is always: nothing goes wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Protocol

Schedule = tuple[tuple[int, int], ...]

RARE = ("ghost", "order", "job fails")
"""Faults that only random schedules try: there are too many of them at every place."""


class Picks(Protocol):
    def pick(self, place: int, options: tuple[str, ...]) -> int:
        """Choose one of the options of the place-th choice."""
        ...


class Replay:
    """Follow a schedule, and write down what else could have been chosen from `log_from` on."""

    def __init__(self, schedule: Iterable[tuple[int, int]] = (), log_from: int = 1 << 60) -> None:
        self._choices = dict(schedule)
        self._log_from = log_from
        self.last = max(self._choices, default=-1)
        self.log: list[tuple[int, tuple[str, ...]]] = []

    def pick(self, place: int, options: tuple[str, ...]) -> int:
        if place >= self._log_from:
            self.log.append((place, options))
        choice = self._choices.get(place, 0)
        return choice if choice < len(options) else 0


class Chance:
    """Choose a fault with a small probability, a bounded number of times; keeps what it chose."""

    def __init__(
        self,
        random: Random,
        *,
        probability: float,
        faults_max: int,
        likes: Callable[[str], bool] = lambda _option: True,
    ) -> None:
        self._random, self._probability, self._left = random, probability, faults_max
        self._likes = likes
        self.made: list[tuple[int, int]] = []

    def pick(self, place: int, options: tuple[str, ...]) -> int:
        if self._left <= 0 or self._random.random() >= self._probability:
            return 0
        liked = [choice for choice in range(1, len(options)) if self._likes(options[choice])]
        if not liked:
            return 0
        self._left -= 1
        choice = self._random.choice(liked)
        self.made.append((place, choice))
        return choice
