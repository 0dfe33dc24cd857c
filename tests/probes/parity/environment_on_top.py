import subprocess

target = os.path.join(around, "top")
subprocess.run([sys.executable, "-m", "venv", "--without-pip", target], check=True)
done = subprocess.run([target + "/bin/python", "-c", "import reg"], stderr=subprocess.PIPE, universal_newlines=True)
show(done.returncode, done.stderr.splitlines()[-1])
