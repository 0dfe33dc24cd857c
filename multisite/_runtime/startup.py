"""The ``.pth`` files of locked distributions: each runs as it does in a plain site-packages folder."""

import os
import sys


def run(site):
    """Process the ``.pth`` files of the locked distributions as ``site.addsitedir`` does, in the order of their names.

    A distribution that is really installed brings its own files, so those of the locked one are left out.
    """
    table = site.table
    replaced = site.replaced(table)
    for name, index, text in table.start_up:
        if index not in replaced:
            addpackage(site.path, name, text, table.root(index, replaced))


def addpackage(sitedir, name, text, root):
    """Process one ``.pth`` file: execute its ``import`` lines, add the folders that it names to ``sys.path``.

    The local names are those of ``site.addpackage``: ``*-nspkg.pth`` files read ``sitedir`` from the calling frame.
    Folders are relative to *root*, where the distribution lies.
    """
    fullname = os.path.join(root, name)
    around = vars(sys.modules.get("site", os))
    for n, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        try:
            if line.startswith(("import ", "import\t")):
                exec(line, around, dict(locals()))
                continue
            _add_folder(root, line.rstrip())
        except Exception:  # somebody's start-up code may raise anything; site.addpackage tells and goes on, too
            _report(n, fullname)
            break


def _add_folder(root, line):
    folder = os.path.abspath(os.path.join(root, line))
    known = {os.path.normcase(os.path.abspath(entry)) for entry in sys.path if isinstance(entry, str)}
    if os.path.normcase(folder) not in known and os.path.exists(folder):
        sys.path.append(folder)


def _report(n, fullname):
    """Say on stderr what ``site.addpackage`` says."""
    import traceback

    print("Error processing line {:d} of {}:\n".format(n, fullname), file=sys.stderr)
    for record in traceback.format_exception(*sys.exc_info()):
        for line in record.splitlines():
            print("  " + line, file=sys.stderr)
    print("\nRemainder of file ignored", file=sys.stderr)
