"""Alembic: a migration environment is copied out of the package, a migration is made and run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

MODELS = """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Pet(Base):
    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[int] = mapped_column(ForeignKey("people.id"))
"""
TABLES = """\
import sqlalchemy
engine = sqlalchemy.create_engine("sqlite:///shop.db")
print(sorted(sqlalchemy.inspect(engine).get_table_names()), sqlalchemy.util.has_compiled_ext())
"""


def drive(side: Side) -> None:
    side.run("alembic", "--version")
    side.run("alembic", "list_templates")
    side.run("alembic", "init", "migrations")
    side.note("copied", side.tree("."))
    for name in ("alembic.ini", "migrations/env.py"):
        path = side.work / name
        text = path.read_text(encoding="utf-8").replace("driver://user:pass@localhost/dbname", "sqlite:///shop.db")
        text = text.replace("target_metadata = None", "import models\ntarget_metadata = models.Base.metadata")
        # Written in place: a template that was copied must be writable.
        path.write_text(text, encoding="utf-8")
    side.write({"models.py": MODELS, "tables.py": TABLES})
    side.run("alembic", "revision", "--autogenerate", "-m", "first", "--rev-id", "aaaa")
    for command in ("upgrade head", "current", "history", "check", "upgrade head --sql", "downgrade base"):
        side.run("alembic", *command.split())
    side.run("alembic", "upgrade", "head")
    side.run("python", "tables.py")
    side.note("migrations", side.tree("migrations"))


PROGRAM = Program(
    does="`alembic init`, `revision --autogenerate`, `upgrade`, `downgrade`, `check`; files that it copies, with modes",
    requirements=("alembic", "sqlalchemy"),
    drive=drive,
    pythons=("3.8", "3.12"),
    quick="3.12",
    varying=(Rule(pattern=r"20\d\d-\d\d-\d\d [\d:.]+", replacement="TIME", reason="the time"),),
)
