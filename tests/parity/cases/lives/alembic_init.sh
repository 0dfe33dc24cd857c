# /// parity
# rows = [34]
# says = "what alembic init copies out of its package is as writable as from a plain environment"
# requirements = ["alembic"]
# cost = "index"
# keeps_store = true
# expects = "-rw-r--r-- migrations/env.py"
# ///
umask 022
alembic init migrations >/dev/null
find . -path ./home -prune -o -type f -printf '%M %P\n' | grep -v pycache | sort -k 2
echo "# mine" >> migrations/env.py && echo "# mine" >> migrations/script.py.mako && tail -n 1 migrations/env.py
alembic revision -m first --rev-id 1 >/dev/null 2>&1 && ls migrations/versions | grep -v pycache
