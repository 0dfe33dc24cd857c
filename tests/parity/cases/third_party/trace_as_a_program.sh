# /// parity
# rows = [31]
# says = "python -m trace, told to ignore the folders of the environment, leaves out locked modules, and names them as modules"
# state = "mended"
# reason = "its ignored folders and its names of modules go by the folders of the file; it is told the plain ones before its program begins"
# wheels."traced-1.0" = {"traced/__init__.py" = "", "traced/deep.py" = "def it():\n    return 1\n"}
# files."program_itself.py" = "from traced.deep import it\nit()\n"
# expects = ["traced.deep.cover", "program_itself.cover", "usage: trace.py"]
# ///
# The steps of the import itself are others, and so are the files of who takes them.
ours() { grep -E 'traced|itself|deep' | grep -v frozen; }
python -m trace --listfuncs program_itself.py | ours
python -m trace --trackcalls program_itself.py | ours
python -m trace --count --summary --missing --coverdir=covered program_itself.py | ours
ls covered | grep -v _multisite
python -m trace --count --ignore-dir="$PARITY_VENV" --coverdir=alone program_itself.py
ls alone
python -m trace --help | head -3
python -c "
import runpy, sys
sys.argv[1:] = ['--help']
runpy.run_module('trace', run_name='another', alter_sys=True)
print(sorted(runpy.run_module('trace')))
import trace
print(sorted(vars(trace.__loader__)), sorted(vars(trace.__spec__.loader)))
"
