"""Make the screenshots of the documentation from the running demo, in headless Chromium.

    python -m scripts.screenshots [NAME ...]

Needs ``make demo`` to have run before, and Debian's packages ``chromium`` and ``chromium-driver``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import quote

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from scripts.airflow_server import ROOT, AirflowServer
from scripts.demo import FOLDER, MIGRATE
from scripts.processes import Processes

IMAGES = ROOT / "docs" / "images"
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)
BY_MONTH = "opencast_migrate_by_creation_month"
#: Seconds that a page may take to show what is waited for.
_PATIENCE = 40


def main(names: list[str]) -> int:
    """Take every picture, or those that are named."""
    processes = Processes(FOLDER)
    if processes.find("api-server") is None:
        print("The demo does not run: call `make demo` first.", file=sys.stderr)
        return 1
    server = AirflowServer(FOLDER, processes)
    server.log_in()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, show in PICTURES.items():
            if not names or name in names:
                show(browser, server)
                take(browser, name)
    return 0


def report(browser: webdriver.Chrome, server: AirflowServer) -> None:
    """Show the report of the demo's run."""
    browser.get(f"{_run_page(server)}/plugin/opencast-report")
    shown(browser, "//iframe")


def mapped(browser: webdriver.Chrome, server: AirflowServer) -> None:
    """Show the mapped tasks of the demo's run."""
    browser.get(f"{_run_page(server)}/tasks/migrate_mediapackage/mapped")
    shown(browser, "//table")


def trigger(browser: webdriver.Chrome, server: AirflowServer) -> None:
    """Show the trigger form."""
    browser.get(f"{server.url}/dags/{MIGRATE}")
    shown(browser, "//button[contains(., 'Trigger')]").click()
    shown(browser, "//*[contains(text(), 'Airflow connection of the Opencast to read from')]")


def backfill(browser: webdriver.Chrome, server: AirflowServer) -> None:
    """Show the dialog for a back-fill, filled in."""
    browser.get(f"{server.url}/dags/{BY_MONTH}")
    shown(browser, "//button[contains(., 'Trigger')]").click()
    fill_backfill(browser, "2015/01/01", "2024/12/31")


def connections(browser: webdriver.Chrome, server: AirflowServer) -> None:
    """Show the list of connections."""
    browser.get(f"{server.url}/connections")
    shown(browser, "//*[contains(text(), 'opencast_target')]")


PICTURES = {
    "report": report,
    "mapped": mapped,
    "trigger": trigger,
    "backfill": backfill,
    "connections": connections,
}


def fill_backfill(browser: webdriver.Chrome, begin: str, end: str) -> None:
    """Choose a back-fill in the dialog of the button Trigger, newest first.

    :param begin: such as ``2015/01/01``.
    """
    shown(browser, "//*[@role='dialog']//*[normalize-space(text())='Backfill']").click()
    for place, day in ((1, begin), (2, end)):
        shown(browser, f"(//*[@data-testid='datetime-input'])[{place}]").click()
        date = visible(browser, "//input[@placeholder='YYYY/MM/DD']")
        date.send_keys(day, Keys.TAB)
        visible(browser, "//input[@placeholder='HH:mm']").send_keys("00:00", Keys.TAB)
        # A click beside the calendar closes it; Escape would close the whole dialog.
        shown(browser, "//*[normalize-space(text())='Date Range']").click()
        time.sleep(1)
    shown(browser, "//*[@role='dialog']//*[normalize-space(text())='Run Backwards']").click()


def _run_page(server: AirflowServer) -> str:
    return f"{server.url}/dags/{MIGRATE}/runs/{quote(server.first_run(MIGRATE), safe='')}"


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """Open a browser that ends with the block."""
    options = webdriver.ChromeOptions()
    for argument in _ARGUMENTS:
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield browser
    finally:
        browser.quit()


def shown(browser: webdriver.Chrome, xpath: str) -> WebElement:
    """Wait until an element is there, and return it."""
    return WebDriverWait(browser, _PATIENCE).until(lambda driver: driver.find_element(By.XPATH, xpath))


def visible(browser: webdriver.Chrome, xpath: str) -> WebElement:
    """Wait until one of the elements can be seen, and return it."""

    def found(driver: webdriver.Chrome) -> WebElement | Literal[False]:
        for element in driver.find_elements(By.XPATH, xpath):
            if element.is_displayed():
                return element
        return False

    return WebDriverWait(browser, _PATIENCE).until(found)


def take(browser: webdriver.Chrome, name: str) -> None:
    """Write a picture, after the page's transitions."""
    time.sleep(2)
    path = IMAGES / f"{name}.png"
    browser.save_screenshot(str(path))
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
