"""Make the screenshots of the documentation from the running demo, in headless Chromium.

Needs ``make demo`` to have run before, and Debian's packages ``chromium`` and ``chromium-driver``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
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
#: Seconds that a page may take to show what is waited for.
_PATIENCE = 40


def main() -> int:
    """Take every picture."""
    processes = Processes(FOLDER)
    if processes.find("api-server") is None:
        print("The demo does not run: call `make demo` first.", file=sys.stderr)
        return 1
    server = AirflowServer(FOLDER, processes)
    server.log_in()
    run = server.first_run(MIGRATE)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = f"{server.url}/dags/{MIGRATE}/runs/{quote(run, safe='')}"
        browser.get(f"{page}/plugin/opencast-report")
        shown(browser, "//iframe")
        take(browser, "report")
        browser.get(f"{page}/tasks/migrate_mediapackage/mapped")
        shown(browser, "//table")
        take(browser, "mapped")
        browser.get(f"{server.url}/dags/{MIGRATE}")
        shown(browser, "//button[contains(., 'Trigger')]").click()
        shown(browser, "//*[contains(text(), 'Airflow connection of the Opencast to read from')]")
        take(browser, "trigger")
        browser.get(f"{server.url}/connections")
        shown(browser, "//*[contains(text(), 'opencast_target')]")
        take(browser, "connections")
    return 0


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


def take(browser: webdriver.Chrome, name: str) -> None:
    """Write a picture, after the page's transitions."""
    time.sleep(2)
    path = IMAGES / f"{name}.png"
    browser.save_screenshot(str(path))
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
