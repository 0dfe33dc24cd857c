# /// parity
# rows = [34]
# says = "what sphinx-quickstart writes is as writable as from a plain environment"
# requirements = ["sphinx"]
# cost = "index"
# keeps_store = true
# expects = "conf.py"
# ///
umask 022
sphinx-quickstart -q --sep -p project -a me -v 1 -l en docs >/dev/null 2>&1 || sphinx-quickstart -q -p project -a me -v 1 -l en docs >/dev/null
find docs -type f -printf '%M %p\n' | sort -k 2
find docs -name conf.py -exec sh -c 'echo "# mine" >> {} && tail -n 1 {}' \;
