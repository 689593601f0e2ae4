"""Options: parameters as text, read as what a module needs; each mistake names its parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from devstack.studio.learning.failures import BadParameter

Setting = bool | int | float | str
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Option:
    """One parameter of a learner: the argument it becomes, its default, its limits.

    `also` are other names that it is given by; `swept` is the parameter that holds its values in a
    parameter sweep, `sweep` the values of that one when it is empty.
    """

    argument: str
    default: Setting
    also: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    swept: str = ""
    sweep: str = ""

    def read(self, parameters: Mapping[str, str], name: str) -> Setting:
        """What is given for this option under its name or another; raises BadParameter."""
        given = [key for key in (name, *self.also) if parameters.get(key)]
        key = given[0] if given else name
        if isinstance(self.default, bool):
            return boolean_parameter(parameters, key, default=self.default)
        if isinstance(self.default, str):
            if self.choices:
                return choice_parameter(parameters, key, self.choices, default=self.default)
            return parameters.get(key) or self.default
        return self.within(key, number_parameter(parameters, key, self.default))

    def within(self, name: str, value: int | float) -> int | float:
        """The value itself; raises BadParameter when it is outside the limits."""
        if self.least is not None and value < self.least:
            raise BadParameter(f"parameter {name!r} must be at least {self.least:g}, not {value}")
        if self.most is not None and value > self.most:
            raise BadParameter(f"parameter {name!r} must be at most {self.most:g}, not {value}")
        return value


def number_parameter(parameters: Mapping[str, str], name: str, default: int | float) -> int | float:
    """The number given for a parameter, of the type of its default; raises BadParameter."""
    given = parameters.get(name)
    if given is None or given == "":
        return default
    kind = "a whole number" if isinstance(default, int) else "a number"
    try:
        value = type(default)(given)
    except ValueError as error:
        raise BadParameter(f"parameter {name!r} must be {kind}, not {given[:100]!r}") from error
    if not isfinite(value):
        raise BadParameter(f"parameter {name!r} must be {kind}, not {given!r}")
    return value


def share_parameter(parameters: Mapping[str, str], name: str, default: float) -> float:
    """A number from 0 to 1; raises BadParameter."""
    return float(Option(name, default, least=0, most=1).read(parameters, name))


def boolean_parameter(parameters: Mapping[str, str], name: str, *, default: bool) -> bool:
    """True or False, in any case; raises BadParameter."""
    given = parameters.get(name)
    if given is None or given == "":
        return default
    if given.lower() not in BOOLEANS:
        raise BadParameter(f"parameter {name!r} must be True or False, not {given[:100]!r}")
    return BOOLEANS[given.lower()]


def choice_parameter(
    parameters: Mapping[str, str], name: str, choices: Sequence[str], *, default: str
) -> str:
    """One of the choices; case, spaces and hyphens do not matter. Raises BadParameter.

    A name in an experiment is written now as its screen says ("Split Rows"), now as one word.
    """
    given = parameters.get(name)
    if given is None or given == "":
        return default
    known = {_plain(choice): choice for choice in choices}
    if _plain(given) not in known:
        names = ", ".join(repr(choice) for choice in choices)
        raise BadParameter(f"parameter {name!r} must be one of {names}, not {given[:100]!r}")
    return known[_plain(given)]


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())
