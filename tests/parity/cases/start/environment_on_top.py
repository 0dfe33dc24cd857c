# /// parity
# rows = [38]
# says = "an environment that venv makes with this one's interpreter has nothing of it"
# expects = "No module named 'regular'"
# ///
import regular, subprocess

target = os.path.join(RUN, "top")
subprocess.run([sys.executable, "-m", "venv", "--without-pip", target], check=True)
code = "import sys, importlib.metadata as m; print(len(list(m.distributions())), 'multisite' in str(sys.meta_path)); import regular"
done = subprocess.run([target + "/bin/python", "-c", code], stderr=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)
show(done.returncode, done.stdout, done.stderr.splitlines()[-1])
done = subprocess.run([target + "/bin/python", "-c", "import sys; print(sys.path[-1])"], stdout=subprocess.PIPE, universal_newlines=True)
show(done.stdout)
