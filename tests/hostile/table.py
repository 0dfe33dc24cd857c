"""What is tried without a package index: pip as it comes with each Python, uv, venv and programs of the system."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet

from tests.hostile.attack import Attack

__all__ = ["ATTACKS", "BOTH", "CLEARED", "GONE", "REFUSED", "SHOWN"]

_NOT_PIPS = "pip does not uninstall what lies outside of the environment; the lockfile says what is locked"
UNSEEN = "uv reads the folder and runs no Python, so it does not see what is locked (unless --site-metadata shows it)"
_STILL_LOCKED = "what is locked is there until another lockfile says that it is not"

SHOWN = (("sync", "--site-metadata"),)
_NOT_UNINSTALLED = (
    "-    Uninstalling alpha-1.0:",
    "-      Successfully uninstalled alpha-1.0",
    "+    Not uninstalling alpha at <site>, outside environment <venv>",
    "+    Can't uninstall 'alpha'. No files were found to uninstall.",
)
REFUSED = (
    "-Uninstalling alpha-1.0:",
    "-  Successfully uninstalled alpha-1.0",
    "+Not uninstalling alpha at <site>, outside environment <venv>",
    "+Can't uninstall 'alpha'. No files were found to uninstall.",
)
_INSTALLED_BY_UV = (
    "-! Checked 2 packages in <time>",
    "+! Prepared 2 packages in <time>",
    "+! Installed 2 packages in <time>",
    "+! + alpha==1.0",
    "+! + beta==1.0",
)
BOTH = ("alpha", "beta")
GONE = ("data-missing", "script-missing")
CLEARED = ("lockfile-invalid", "state-damaged")
_PROGRAM = "python -c 'import alpha; print(alpha.version)'"
_INSPECT = """pip inspect | python -c "
import json, sys
for found in sorted(json.load(sys.stdin)['installed'], key=lambda found: found['metadata']['name']):
    print(found['metadata']['name'], found['metadata']['version'], found.get('requested'), found.get('direct_url'))
" """

LOOKING = (
    Attack(
        id="pip-list",
        commands=(
            "pip list",
            "pip list --format=json",
            "pip list --not-required",
            "pip list --user",
            "pip list --outdated",
            "pip list --editable",
            "pip list --path $SITE",
        ),
        looks=True,
    ),
    Attack(id="pip-list-local", commands=("pip list --local", "pip freeze --local"), looks=True),
    Attack(
        id="pip-list-verbose",
        commands=("pip list -v",),
        differs=(
            "-alpha 1.0 <site> pip",
            "-beta 1.0 <site> pip",
            "+alpha 1.0 <site> multisite",
            "+beta 1.0 <site> multisite",
        ),
        reason="who installed it is a fact of this installation",
        looks=True,
        thorough=True,
    ),
    Attack(id="pip-show", commands=("pip show -f alpha beta",), looks=True),
    Attack(
        id="pip-freeze",
        commands=("pip freeze", "pip freeze --all", "pip freeze --user", "pip freeze --path $SITE"),
        looks=True,
    ),
    Attack(id="pip-check", commands=("pip check",), looks=True, thorough=True),
    Attack(id="pip-inspect", commands=(_INSPECT,), looks=True, thorough=True),
    Attack(id="pip-install-there", commands=("pip install alpha beta==1.0",), looks=True, thorough=True),
    Attack(
        id="pip-requirements",
        commands=(
            "uv pip compile --quiet --generate-hashes --no-header r.txt -o locked.txt",
            "pip install --require-hashes -r locked.txt",
        ),
        looks=True,
        thorough=True,
    ),
    Attack(
        id="uv-pip-looks",
        commands=("uv pip list", "uv pip show alpha", "uv pip check 2>&1 | grep -v Checked", "uv pip tree"),
        differs=(
            "-alpha 1.0",
            "-beta 1.0",
            "-Name: alpha",
            "-Version: 1.0",
            "-Location: <site>",
            "-Requires: beta",
            "-Required-by:",
            "+! warning: Package(s) not found for: alpha",
            "+(exit 1)",
            "-alpha v1.0",
            "-└── beta v1.0",
        ),
        reason=UNSEEN,
        looks=True,
    ),
    Attack(
        id="uv-pip-looks-shown",
        commands=("uv pip list", "uv pip freeze", "uv pip show alpha", "uv pip check", "uv pip tree"),
        prepared=SHOWN,
        looks=True,
    ),
    Attack(id="uv-venv", commands=("uv venv --python $BASE",), looks=True, thorough=True),
)

PIP = (
    Attack(
        id="pip-upgrade",
        commands=("pip install --quiet --upgrade alpha", "pip list", "pip freeze", "pip check", "alpha-new"),
        really=("alpha",),
    ),
    Attack(
        id="pip-upgrade-uninstall",
        commands=("pip install --quiet --upgrade alpha", "pip uninstall -y alpha", "pip list"),
        differs=("+alpha 1.0", "-alpha none", "+alpha 1.0"),
        reason=_STILL_LOCKED,
        doctor=GONE,
    ),
    Attack(
        id="pip-downgrade",
        commands=("pip install --no-deps alpha==0.9", "pip list"),
        differs=_NOT_UNINSTALLED,
        reason=_NOT_PIPS,
        really=("alpha",),
        thorough=True,
    ),
    Attack(
        id="pip-force-reinstall",
        commands=("pip install --quiet --force-reinstall alpha==1.0", "pip uninstall -q -y alpha beta", "pip list"),
        differs=("+alpha 1.0", "+beta 1.0", "-alpha none", "-beta none", "+alpha 1.0", "+beta 1.0"),
        reason=_STILL_LOCKED,
        doctor=GONE,
        thorough=True,
    ),
    Attack(
        id="pip-ignore-installed",
        commands=("pip install --ignore-installed alpha==1.0",),
        really=BOTH,
        thorough=True,
    ),
    Attack(
        id="pip-install-on-top",
        commands=("pip install --quiet gamma", "pip check", "pip list"),
        really=("gamma",),
        thorough=True,
    ),
    Attack(
        id="pip-target",
        commands=(
            "pip install --quiet --target elsewhere alpha",
            "pip install --quiet --target $SITE --upgrade --no-deps beta",
        ),
        really=("beta",),
        thorough=True,
    ),
    Attack(
        id="pip-cache",
        commands=(
            "pip cache list",
            "pip cache purge",
            "pip download -q -d got gamma",
            "pip wheel -q -w made gamma",
            "ls got made",
        ),
        thorough=True,
    ),
    Attack(
        id="pip-from-outside",
        commands=(
            "$BASE -m venv --without-pip other",
            "other/bin/python $SITE/pip --python $VENV list",
            "other/bin/python $SITE/pip --python $VENV install --upgrade --quiet alpha",
        ),
        really=("alpha",),
        python=SpecifierSet(">=3.11"),
        thorough=True,
    ),
    Attack(
        id="pip-uninstall-locked",
        commands=("pip uninstall -y alpha", "pip list"),
        differs=(*REFUSED, "+alpha 1.0", "-alpha none", "+alpha 1.0"),
        reason=_NOT_PIPS,
    ),
    Attack(
        id="pip-uninstall-shown",
        commands=("pip uninstall -y alpha", "pip list"),
        prepared=SHOWN,
        differs=(*REFUSED, "+alpha 1.0", "-alpha none", "+alpha 1.0"),
        reason=_NOT_PIPS,
    ),
    Attack(
        id="pip-upgrade-shown",
        commands=("pip install --quiet --upgrade alpha", "pip list", "pip uninstall -q -y alpha", "pip list"),
        prepared=SHOWN,
        differs=("+alpha 1.0", "-alpha none", "+alpha 1.0"),
        reason=_STILL_LOCKED,
        doctor=GONE,
        thorough=True,
    ),
    Attack(
        id="pip-editable",
        commands=("pip install --quiet --no-build-isolation -e delta", "pip list", "pip uninstall -q -y delta"),
        python=SpecifierSet("<3.12"),
        thorough=True,
    ),
    Attack(
        id="setup-py-develop",
        # It writes the programs of what delta requires as well, here as in a plain environment.
        commands=("cd delta && python setup.py --quiet develop >said 2>&1", "pip list"),
        doctor=("script-changed",),
        after_sync=("script-changed",),
        python=SpecifierSet("<3.12"),
        thorough=True,
    ),
    Attack(
        id="setup-py-install",
        # As above.
        commands=("cd delta && python setup.py --quiet install >said 2>&1", "pip list"),
        really=("delta",),
        doctor=("script-changed",),
        after_sync=("script-changed",),
        python=SpecifierSet("<3.12"),
        thorough=True,
    ),
)

UV = (
    Attack(
        id="uv-pip-install",
        commands=("uv pip install alpha",),
        differs=(
            "-! Checked 1 package in <time>",
            "+! Resolved 2 packages in <time>",
            "+! Prepared 2 packages in <time>",
            "+! Installed 2 packages in <time>",
            "+! + alpha==2.0",
            "+! + beta==1.0",
            "-alpha 1.0",
            "+alpha 2.0",
        ),
        reason=UNSEEN,
        really=BOTH,
    ),
    Attack(
        id="uv-pip-reinstall",
        commands=("uv pip install --reinstall gamma",),
        differs=(
            "-! Uninstalled 2 packages in <time>",
            "-! - alpha==1.0",
            "-! ~ beta==1.0",
            "+! + beta==1.0",
        ),
        reason=UNSEEN,
        really=("alpha", "beta", "gamma"),
        thorough=True,
    ),
    Attack(
        id="uv-pip-upgrade-uninstall",
        commands=("uv pip install --quiet --upgrade alpha", "alpha-new", "uv pip uninstall alpha"),
        differs=("-alpha none", "+alpha 1.0"),
        reason=_STILL_LOCKED,
        really=("beta",),
        doctor=GONE,
        thorough=True,
    ),
    Attack(
        id="uv-pip-uninstall-locked",
        commands=("uv pip uninstall alpha beta",),
        differs=(
            "-! Uninstalled 2 packages in <time>",
            "-! - alpha==1.0",
            "-! - beta==1.0",
            "+! warning: Skipping alpha as it is not installed",
            "+! warning: Skipping beta as it is not installed",
            "+! warning: No packages to uninstall",
            "-alpha none",
            "-beta none",
            "+alpha 1.0",
            "+beta 1.0",
        ),
        reason=UNSEEN,
    ),
    Attack(
        id="uv-pip-uninstall-shown",
        commands=("uv pip uninstall alpha beta",),
        prepared=SHOWN,
        differs=("-alpha none", "-beta none", "+alpha 1.0", "+beta 1.0"),
        reason="uv takes out the metadata that show what is locked, and believes that this was all",
        doctor=("data-missing",),
    ),
    Attack(
        id="uv-pip-install-shown",
        commands=("uv pip install alpha", "uv pip install --upgrade alpha", "uv pip uninstall alpha"),
        prepared=SHOWN,
        differs=("-alpha none", "+alpha 1.0"),
        reason=_STILL_LOCKED,
        doctor=GONE,
        thorough=True,
    ),
    Attack(
        id="uv-pip-sync",
        commands=("uv pip sync r.txt",),
        differs=_INSTALLED_BY_UV,
        reason=UNSEEN,
        really=BOTH,
        thorough=True,
    ),
    Attack(
        id="uv-pip-sync-shown",
        commands=("uv pip sync r.txt",),
        prepared=SHOWN,
        thorough=True,
    ),
    Attack(
        id="uv-pip-sync-other",
        commands=(
            "echo gamma | uv pip compile --quiet --no-header - -o other.txt",
            "uv pip sync --quiet other.txt",
        ),
        really=("alpha", "beta", "gamma"),
        thorough=True,
    ),
    Attack(
        id="uv-sync",
        commands=("uv sync",),
        differs=_INSTALLED_BY_UV,
        reason=UNSEEN,
        really=BOTH,
    ),
    Attack(
        id="uv-sync-named",
        commands=("UV_PROJECT_ENVIRONMENT=$VENV uv sync",),
        differs=_INSTALLED_BY_UV,
        reason=UNSEEN,
        really=BOTH,
        thorough=True,
    ),
    Attack(id="uv-sync-shown", commands=("uv sync", "uv pip list"), prepared=SHOWN, thorough=True),
    Attack(
        id="uv-run",
        commands=(f"uv run {_PROGRAM}",),
        differs=("+! Installed 2 packages in <time>",),
        reason=UNSEEN,
        really=BOTH,
    ),
    Attack(id="uv-run-shown", commands=(f"uv run {_PROGRAM}",), prepared=SHOWN, thorough=True),
    Attack(id="uv-run-no-sync", commands=(f"uv run --no-sync {_PROGRAM}",), thorough=True),
    Attack(
        id="uv-run-active",
        commands=(f"mkdir p; cp pyproject.toml p; cd p; uv run --active {_PROGRAM}",),
        differs=("+! Installed 2 packages in <time>",),
        reason=UNSEEN,
        really=BOTH,
        thorough=True,
    ),
    Attack(
        id="uv-add",
        commands=("uv add --quiet gamma",),
        really=("alpha", "beta", "gamma"),
        thorough=True,
    ),
    Attack(id="uv-venv-over-it", commands=("uv venv --allow-existing --python $BASE", "alpha-says")),
    Attack(
        id="uv-venv-clear",
        commands=("uv venv --clear --python $BASE",),
        doctor=CLEARED,
        cleared=True,
        thorough=True,
    ),
)

VENV = (
    Attack(id="venv-over-it", commands=("$BASE -m venv --without-pip $VENV",), thorough=True),
    Attack(id="venv-upgrade", commands=("$BASE -m venv --without-pip --upgrade $VENV", "alpha-says")),
    Attack(
        id="venv-upgrade-deps",
        commands=("$BASE -m venv --upgrade-deps $VENV", "alpha-says"),
        python=SpecifierSet(">=3.9"),
        thorough=True,
    ),
    Attack(
        id="venv-clear",
        commands=("$BASE -m venv --without-pip --clear $VENV",),
        doctor=CLEARED,
        cleared=True,
    ),
    Attack(id="ensurepip-again", commands=("python -m ensurepip --upgrade | grep -v Looking",), thorough=True),
)

SYSTEM = (
    Attack(id="compileall", commands=("python -m compileall -q -x /pip/ $VENV",), thorough=True),
    Attack(
        id="compileall-in-place",
        commands=(
            'python -m compileall -qf "$(python -c "import alpha; print(alpha.__path__[0])")"',
            'python -m py_compile "$(python -c "import beta; print(beta.__file__)")"',
            "python -OO -c 'import alpha, beta'",
        ),
    ),
    Attack(
        id="compileall-beside-the-source",
        commands=('python -m compileall -qb "$(python -c "import beta; print(beta.__path__[0])")"',),
        gains=("site-packages/beta/__init__.pyc",),
        doctor=("entry-damaged",),
        after_sync=("entry-damaged",),
        reason="it is told to write into the package's own folder, and that is in the store",
        thorough=True,
    ),
    Attack(
        id="writes-beside-itself",
        commands=("python -c 'import beta; beta.remember()'",),
        gains=("site-packages/beta/remembered.txt",),
        reason="the package writes into its own folder, and that is in the store",
    ),
    Attack(
        id="writes-below-the-prefix",
        commands=("echo changed >> $VENV/share/alpha/alpha.txt", "echo '# changed' >> $VENV/bin/alpha-says"),
        doctor=("script-changed",),
        after_sync=("script-changed",),
    ),
    Attack(
        id="sed",
        commands=(
            "find $VENV -name '*.py' -exec sed -i '/\\\\$/!s/$/ /' {} +",
            "find $VENV/share -type f -exec sed -i s/1/2/ {} +",
        ),
        doctor=("bootstrap-changed",),
    ),
    Attack(
        id="2to3",
        commands=(
            "find $VENV -name '*.py' ! -path '*/pip/*' ! -path '*/setuptools/*' ! -path '*/pkg_resources/*' >files",
            "xargs $BASE -m lib2to3 -w -n <files >said 2>&1 || true",
        ),
        doctor=("bootstrap-changed",),
        python=SpecifierSet("<3.13"),
        thorough=True,
    ),
    Attack(id="find-delete", commands=("cp -a $VENV other", "find -L other -mindepth 1 -delete; rm -rf other")),
    Attack(id="rm", commands=("rm -rf $VENV",), doctor=("environment-unusable",), cleared=True),
    Attack(id="rm-contents", commands=("rm -rf $SITE/*",), doctor=("bootstrap-missing",)),
    Attack(id="chmod", commands=("chmod -R a-w $VENV", "chmod -R u+w,a+rX $VENV")),
    Attack(
        id="chmod-through-links",
        commands=("find -L $VENV -type f -path \"$VENV/*\" ! -path '*/bin/*' -exec chmod a+x {} +",),
        thorough=True,
    ),
    Attack(id="chown", commands=("chown -RL $(id -u):$(id -g) $SITE $VENV/share",), thorough=True),
    Attack(
        id="git-clean",
        commands=("git init -q . && git add r.txt", "git clean -qxfd"),
        programs=("git",),
        doctor=("environment-unusable",),
        cleared=True,
        thorough=True,
    ),
    Attack(
        id="rsync-delete",
        commands=("mkdir empty && rsync -a --delete empty/ $VENV/",),
        programs=("rsync",),
        doctor=("environment-unusable",),
        cleared=True,
        thorough=True,
    ),
    Attack(
        id="tar-and-back",
        commands=("tar cf all.tar -C $VENV . && rm -rf $VENV && mkdir $VENV && tar xf all.tar -C $VENV",),
        thorough=True,
    ),
    Attack(
        id="copy",
        commands=("cp -a $VENV other", "other/bin/python -m pip uninstall -q -y alpha", "rm -rf other"),
        thorough=True,
    ),
)

ATTACKS = (*LOOKING, *PIP, *UV, *VENV, *SYSTEM)
