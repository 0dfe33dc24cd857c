"""The comparison with a plain environment: the same wheels, the same probe, and the same answers demanded.

A case is one file below ``tests/parity/cases``, which is also the probe. Its header is a comment in the manner of
inline script metadata (PEP 723), with TOML in it. This is a whole case::

    # /// parity
    # rows = [21]
    # says = "the version of a distribution"
    # ///
    print(metadata.version("regular"))

Two environments of the same interpreter are made: a plain one, into which uv (or pip) copies the wheels, and one that
``multisite lock`` made of the same wheel files. The probe runs in both as a program of its own; all that it prints, on
stdout and stderr, must be equal once the few things that may differ have one form (``normalising.py``). Each case must
also fail in an environment with a deliberately broken finder (``broken.py``).

What a header can say (``header.py`` checks it; every problem is reported):

``rows``          rows of the table in docs/parity.md; required
``says``          one sentence: what is the same (or, for a limit, what is not); required
``state``         ``equal`` (default), ``mended`` (equal since something was done for it), or ``limit``
``reason``        why a limit cannot be equal, or what mended it; required for both
``differs``       a limit's lines that differ, as a unified diff has them: ``-`` plain, ``+`` here; exactly these
``cost``          ``offline`` (default), ``index`` (real distributions) or ``long`` (runs with --exhaustive only)
``python``        a version specifier: ``>=3.9``
``without``       a table: version of Python -> why the case is not run there
``wheels``        a table: ``"name-1.0"`` -> files of that wheel: path -> text. A path may begin with ``@dist-info/`` or
                  ``@data/SCHEME/``; ``@requires``, ``@tag``, ``@metadata`` and ``@executable`` are what
                  ``make_wheel`` takes
``made``          ``siblings``: native wheels that find each other, compiled by ``tests.siblings``, can be had as well
``needs``         programs on PATH, and shared libraries (``libEGL.so.1``), without which the case is left out
``requirements``  what is locked. Default: the first version of each of ``wheels``; without those, the first version of
                  each wheel of ``common.toml``, which can always be had
``installed``     made wheels that are really in site-packages as well, by uv, in both environments
``folders``       a table: folder beside the probe -> made wheels that are unpacked there
``files``         a table: path beside the probe, or in an environment as ``{site}/…`` or ``{venv}/…`` -> text
``environ``       a table: variables of the probe's environment. ``{run}`` and so on are filled in, see below
``flags``         options of the interpreter, before the probe;  ``arguments`` of the probe, after it
``run``           instead of those: commands, one after the other, in both environments. ``lock REQUIREMENT…`` changes
                  what both hold. Default: ``python {program}``, or ``sh -eu {program}`` for a shell probe
``multisite``     commands of the command line that are run in the multisite environment before (``view``, …)
``prelude``       false: the names of ``prelude.py`` are not put before a Python probe
``expects``       texts that the plain environment must say, so that the case sees what it is about
``fails``         true: a command of the plain environment is expected to fail (it must not otherwise)
``normalise``     a list of tables ``pattern``, ``with``, ``reason``: what else may differ in this case's output
``private``       true: environments of this case's own, for a probe that changes them. Implied by ``files`` in an
                  environment, and by ``lock`` among the commands
``keeps_store``   true: a store of its own as well, in which nothing outside ``__pycache__`` may have changed afterwards
``installer``     ``uv`` (default) or ``pip``: who fills the plain environment
``seed``          true: pip is really installed in both, of the wheels that ensurepip has
``system_site``   true: both see the interpreter's own site-packages
``catches``       broken finders that the case must fail against; default: any of them
``timeout``       seconds for one command, 120 unless told

In ``run``, ``arguments``, ``environ`` and ``files`` these are filled in, and probes find them in the environment as
``PARITY_RUN`` and so on: ``{run}`` the folder with the probe, in which it runs; ``{program}`` the probe; ``{venv}``;
``{site}`` its site-packages; ``{python}`` its interpreter; ``{interpreter}`` the one that it was made from;
``{wheels}`` the folder of made wheels, ``{store}`` (a folder that is not there, in the plain environment); ``{host}``
the interpreter that runs the tests, and ``{uv}``; ``{probes}`` the folder of probes that several cases run. The first
word of a command is looked for in the environment first.
A probe that is to work on the environment from outside is its own driver: ``run = ["{host} {program}"]``.

By hand: ``python -m tests.parity --help``.
"""
