"""Time spans as host.json writes them: `hh:mm:ss`, `d.hh:mm:ss`, with or without fractions."""

import re

_SPAN = re.compile(
    r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2}(?:\.\d+)?)"
)


def parse_seconds(text: str) -> float:
    """Return the seconds of a time span. Raises ValueError."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time span; write hh:mm:ss")
    days, hours, minutes = (int(match[name] or 0) for name in ("days", "hours", "minutes"))
    seconds = float(match["seconds"])
    if hours > 23 or minutes > 59 or seconds >= 60:
        raise ValueError(f"{text!r} is not a time span; hours to 23, minutes and seconds to 59")
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
