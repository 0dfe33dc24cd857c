# /// parity
# rows = [19]
# says = "coverage's .pth file measures processes that the measured program starts"
# requirements = ["coverage"]
# cost = "index"
# expects = "child.py"
# files."child.py" = "import regular_missing_or_not, sys"
# files."main.py" = "import subprocess, sys; subprocess.run([sys.executable, 'child.py'])"
# files.".coveragerc" = "[run]\nsource = .\nparallel = true\npatch = subprocess\n"
# python = ">=3.10"
# normalise = [{pattern = "(?m)^! .*\n?", with = "", reason = "the child's traceback names the tracer's files"}]
# ///
echo "x = 1" > child.py
coverage run main.py
coverage combine -q
coverage report
