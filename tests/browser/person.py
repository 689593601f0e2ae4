"""Somebody at a browser of their own, and everything that must never happen in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Response

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 740}
SECONDS_MAX = 15
_STATUS = re.compile(r"the server responded with a status of (\d+)")


@dataclass(frozen=True)
class Place:
    """Where a page is served, and the keys that it takes."""

    url: str
    keys: Mapping[str, str]


class Person:
    """One context of a browser with one page.

    faults: what the page did that it must not do: an error on the console (what the page's own
    policy blocks is one), an exception, a dialog, an answer 5xx. `expect` allows a status.
    """

    def __init__(self, browser: Browser, place: Place, **options: Any) -> None:
        self.place = place
        self.faults: list[str] = []
        self._expected: set[int] = set()
        self.context: BrowserContext = browser.new_context(
            base_url=place.url, **{"viewport": WIDE, **options}
        )
        self.context.set_default_timeout(SECONDS_MAX * 1000)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        self.page.on("dialog", self._asked)
        self.page.on("response", self._answered)

    def sign_in(self, role: str, *, to: str = "/") -> None:
        """Type the key of a role into the form."""
        self.open(f"/sign-in?next={to}")
        self.page.get_by_label("API key").fill(self.place.keys[role])
        self.page.get_by_role("button", name="Sign in").click()

    def open(self, path: str) -> Response:
        """Open a page of ours; its answer."""
        answer = self.page.goto(path)
        assert answer is not None
        return answer

    def follow(self, name: str, *, exact: bool = False) -> None:
        """Follow the first link of that name."""
        self.page.get_by_role("link", name=name, exact=exact).first.click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def main(self) -> str:
        """What there is to read, frame aside."""
        return self.page.locator("main").inner_text()

    def expect(self, status: int) -> None:
        """From now on, pages may be answered with this status, which Chromium notes as an error."""
        self._expected.add(status)

    def leave(self) -> list[str]:
        """Close the browser; the faults that were seen."""
        self.context.close()
        return self.faults

    def _said(self, message: ConsoleMessage) -> None:
        status = _STATUS.search(message.text)
        if status and int(status[1]) in self._expected:
            return
        if message.type in ("error", "warning"):
            self.faults.append(f"console at {self.page.url}: {message.text}")

    def _asked(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog at {self.page.url}: {dialog.message}")
        dialog.dismiss()

    def _answered(self, response: Response) -> None:
        if response.status >= 500 and response.status not in self._expected:
            self.faults.append(f"{response.url} answered {response.status}")
