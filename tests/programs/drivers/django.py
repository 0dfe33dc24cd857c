"""Django: a project is made, checked, migrated, its static files are collected; the server restarts itself."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.process import free_port
from tests.programs.program import Known, Program

if TYPE_CHECKING:
    from tests.programs.side import Side

URLS = """\
import json, os
from django.contrib import admin
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.utils import autoreload
from shop import greeting


def watched(request):
    reloader = autoreload.get_reloader()
    return JsonResponse({
        "reloader": type(reloader).__name__,
        "files": sorted({str(file) for file in autoreload.iter_all_python_module_files()}),
        "stat": sorted({str(file) for file in reloader.watched_files(include_globs=True)}),
        "folders": sorted(map(str, autoreload.sys_path_directories())),
    })


urlpatterns = [
    path("admin/", admin.site.urls),
    path("watched", watched),
    path("pid", lambda request: HttpResponse(str(os.getpid()))),
    path("", lambda request: HttpResponse(greeting.TEXT)),
]
"""


def drive(side: Side) -> None:
    side.run("django-admin", "startproject", "shop", ".")
    side.note("project", side.tree("."))
    settings = side.work / "shop" / "settings.py"
    settings.write_text(
        settings.read_text(encoding="utf-8") + "\nSTATIC_ROOT = BASE_DIR / 'static'\n", encoding="utf-8"
    )
    side.write({"shop/urls.py": URLS, "shop/greeting.py": "TEXT = 'one'\n"})
    side.run("python", "manage.py", "startapp", "sales")
    for command in ("check", "migrate", "showmigrations", "collectstatic --noinput", "collectstatic --noinput"):
        side.run("python", "manage.py", *command.split())
    side.note("static", side.tree("static", content=False))
    side.run("python", "manage.py", "makemessages", "--help", quiet=True)
    side.run("python", "manage.py", "shell", "-c", "import django.apps; print(django.apps.__file__)")
    side.run("python", "manage.py", "test")
    _reloads(side)


def _reloads(side: Side) -> None:
    port = free_port()
    place = f"http://127.0.0.1:{port}"
    with side.serve("python", "manage.py", "runserver", f"127.0.0.1:{port}") as server:
        side.note("page", server.get(place))
        side.note("admin", server.get(f"{place}/admin/login/"))
        watched = server.json(f"{place}/watched")
        side.note("reloader", watched["reloader"])
        for kind in ("files", "stat", "folders"):
            side.note_paths(f"watched {kind}", watched[kind])
        pid = server.get(f"{place}/pid")
        server.changed(f"{place}/pid", pid, lambda: side.write({"shop/greeting.py": "TEXT = 'another text'\n"}))
        server.says("changed, reloading.")
        side.note("page after a change", server.get(place))
        side.stopped(server, signal.SIGINT)


PROGRAM = Program(
    does="`startproject`, `startapp`, `check`, `migrate`, `collectstatic` twice, `test`, and `runserver` with its"
    " reloader: the files that it watches, and a restart after a change",
    requirements=("django",),
    drive=drive,
    pythons=("3.8", "3.12"),
    quick="3.12",
    varying=(
        Rule(pattern=r"django-insecure-[^']+", replacement="SECRET", reason="made at random"),
        Rule(pattern=r"in \d+\.\d+s", replacement="in TIME", reason="how long the tests took"),
        Rule(pattern=r'(csrfmiddlewaretoken" value=")\w+', replacement=r"\1TOKEN", reason="made at random"),
    ),
    known=(
        Known(
            pattern=r"<venv>/\.multisite/table",
            reason="the environment's table is watched as well: a new lock restarts the server",
        ),
    ),
)
