"""Scrapy: a project is made from a template, and a spider crawls a server of the standard library."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from tests.programs.process import free_port
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

SPIDER = """\
import scrapy


class Pages(scrapy.Spider):
    name = "pages"

    def __init__(self, start, **words):
        super().__init__(**words)
        self.start_urls = [start]

    def parse(self, response):
        yield {"title": response.css("title::text").get(), "x": response.xpath("count(//a)").get()}
        yield from response.follow_all(css="a", callback=self.parse)
"""
PAGES = {
    "site/index.html": "<title>one</title><a href=two.html>two</a><a href=three.html>three</a>",
    "site/two.html": "<title>two</title><a href=index.html>back</a>",
    "site/three.html": "<title>three</title>",
}


def drive(side: Side) -> None:
    side.run("scrapy", "version", "-v")
    side.run("scrapy", "startproject", "crawl", ".")
    side.note("project", side.tree("."))
    side.run("scrapy", "genspider", "other", "example.org")
    side.write({**PAGES, "crawl/spiders/pages.py": SPIDER})
    side.run("scrapy", "list")
    port = free_port()
    with side.serve("python", "-m", "http.server", "--directory", "site", "--bind", "127.0.0.1", str(port)) as server:
        side.note("page", server.get(f"http://127.0.0.1:{port}/two.html"))
        words = ["-a", f"start=http://127.0.0.1:{port}/index.html", "-O", "found.json", "-s", "ROBOTSTXT_OBEY=False"]
        fast = ["-s", "DOWNLOAD_DELAY=0"]
        side.run("scrapy", "crawl", "pages", *words, *fast, quiet=True, silent=True)
        found = json.loads((side.work / "found.json").read_text(encoding="utf-8"))
        side.note("found", sorted(found, key=lambda item: str(item["title"])))
        side.stopped(server, signal.SIGTERM)


PROGRAM = Program(
    does="`scrapy startproject` and `genspider`, and a spider that crawls `python -m http.server`",
    requirements=("scrapy",),
    drive=drive,
    pythons=("3.11",),
)
