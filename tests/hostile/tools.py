"""What is tried with tools from the package index, each in an environment of its own."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet

from tests.hostile.attack import Attack
from tests.hostile.table import BOTH, CLEARED, REFUSED, SHOWN

__all__ = ["TOOLS"]

_NEWER = SpecifierSet(">=3.10")
_HATCH = """printf '[envs.default]\\npath = ".venv"\\nskip-install=true\\ndependencies = ["alpha==1.0"]' >hatch.toml"""
_POETRY_SOURCE = """printf '[[tool.poetry.source]]\\nname = "made"\\nurl = "%s"\\n' $UV_INDEX_URL >> pyproject.toml"""
_FOLDER = "run from outside, it reads the folder (unless --site-metadata shows what is locked)"
# Tools that look at the environment which they run in.
_CHILL = "PYTHONPATH=$(echo $TOOLS/pip-chill/lib/*/site-packages) python $TOOLS/pip-chill/bin/pip-chill"
_REMOVER = "python -W ignore $TOOLS/pip-autoremove/bin/pip_autoremove.py"
_AUTOREMOVE = f"PYTHONPATH=$(echo $TOOLS/pip-autoremove/lib/*/site-packages) {_REMOVER}"
_QUIET = ">said 2>&1 || cat said"

TOOLS = (
    Attack(
        id="poetry-install",
        commands=(_POETRY_SOURCE, f"poetry install -n {_QUIET}"),
        really=BOTH,
        tools=("poetry",),
        python=_NEWER,
    ),
    Attack(
        id="poetry-add",
        commands=(_POETRY_SOURCE, f"poetry add -n gamma {_QUIET}"),
        really=("alpha", "beta", "gamma"),
        tools=("poetry",),
        python=_NEWER,
    ),
    Attack(
        id="pdm-list",
        commands=(f"pdm use -f $VENV {_QUIET}", "pdm list --freeze"),
        differs=("-alpha==1.0", "-beta==1.0"),
        reason=_FOLDER,
        tools=("pdm hishel<1 unearth<0.18",),
        python=_NEWER,
    ),
    Attack(
        id="pipenv-install",
        commands=(f"PIPENV_PYPI_MIRROR=$UV_INDEX_URL pipenv install gamma {_QUIET}",),
        really=("alpha", "gamma"),
        tools=("pipenv",),
        python=_NEWER,
    ),
    Attack(
        id="pip-sync",
        commands=("pip-sync -q --python-executable $VENV/bin/python r.txt",),
        tools=("pip-tools",),
        python=_NEWER,
    ),
    Attack(
        id="pip-sync-other",
        commands=("echo gamma==1.0 > other.txt", "pip-sync -q --python-executable $VENV/bin/python other.txt"),
        differs=("-alpha 2.0", "+alpha 1.0"),
        reason="pip-sync takes out what is not named, and pip what gamma needs anew; what is locked stays",
        really=("gamma",),
        tools=("pip-tools",),
        python=_NEWER,
    ),
    Attack(
        id="pipdeptree",
        commands=("pipdeptree --python $VENV/bin/python -p alpha",),
        differs=(
            "-alpha==1.0",
            "-└── beta [required: Any, installed: 1.0]",
            "+! No packages matched using the following patterns: alpha",
        ),
        reason=_FOLDER,
        tools=("pipdeptree",),
        looks=True,
    ),
    Attack(
        id="pip-audit-shown",
        commands=("pip-audit --path $SITE --dry-run",),
        prepared=SHOWN,
        tools=("pip-audit",),
        looks=True,
    ),
    Attack(
        id="pip-audit",
        commands=("pip-audit --path $SITE --dry-run",),
        differs=(
            "-! INFO:pip_audit._audit:Dry run: would have audited 3 packages",
            "+! INFO:pip_audit._audit:Dry run: would have audited 1 packages",
        ),
        reason=_FOLDER,
        tools=("pip-audit",),
        looks=True,
    ),
    Attack(
        id="hatch-run",
        commands=(_HATCH, f"hatch run alpha-says {_QUIET}; tail -1 said"),
        tools=("hatch",),
        python=_NEWER,
    ),
    Attack(
        id="pdm-sync",
        commands=(
            f"pdm use -f $VENV {_QUIET}",
            f"PDM_PYPI_URL=$UV_INDEX_URL pdm lock {_QUIET}",
            f"PDM_PYPI_URL=$UV_INDEX_URL pdm sync {_QUIET}",
        ),
        really=BOTH,
        tools=("pdm hishel<1 unearth<0.18",),
        python=_NEWER,
    ),
    Attack(
        id="pip-chill",
        commands=(
            f"{_CHILL} --no-chill",
            f"{_CHILL} -v",
        ),
        tools=("pip-chill setuptools<81",),
        looks=True,
    ),
    Attack(
        id="pip-autoremove",
        commands=(
            f"{_AUTOREMOVE} --list",
            f"{_AUTOREMOVE} -y alpha",
        ),
        differs=(
            *REFUSED,
            *(line.replace("alpha", "beta") for line in REFUSED),
            "-alpha none",
            "-beta none",
            "+alpha 1.0",
            "+beta 1.0",
        ),
        reason="pip, which it calls, does not uninstall what lies outside of the environment",
        tools=("pip-autoremove setuptools<81",),
    ),
    Attack(
        id="pip-newest",
        commands=(
            "$TOOLS/pip/bin/pip --python $VENV/bin/python list",
            "$TOOLS/pip/bin/pip --python $VENV/bin/python uninstall -y alpha",
            "$TOOLS/pip/bin/pip --python $VENV/bin/python install --quiet --upgrade alpha",
        ),
        differs=REFUSED,
        reason="pip does not uninstall what lies outside of the environment",
        really=("alpha",),
        tools=("pip",),
        python=_NEWER,
    ),
    Attack(
        id="virtualenv-over-it",
        commands=("virtualenv -q --no-download -p $BASE $VENV", "alpha-says"),
        tools=("virtualenv",),
        python=_NEWER,
    ),
    Attack(
        id="virtualenv-clear",
        commands=("virtualenv -q --clear --no-download -p $BASE $VENV",),
        tools=("virtualenv",),
        python=_NEWER,
        doctor=CLEARED,
        cleared=True,
    ),
    Attack(
        id="virtualenv-clone",
        commands=("virtualenv-clone $VENV other", "other/bin/alpha-says", "other/bin/python -m pip list"),
        tools=("virtualenv-clone",),
    ),
    Attack(
        id="ruff-format",
        commands=("ruff format -q --no-cache --isolated --no-respect-gitignore $VENV/lib",),
        tools=("ruff",),
    ),
    Attack(
        id="black",
        commands=("black -q --exclude '/pip/' --include '.*[.]py$' $VENV",),
        doctor=("bootstrap-changed",),
        tools=("black",),
    ),
)
