# /// parity
# rows = [19, 6]
# says = "a folder that a locked distribution's .pth file added to sys.path, in a process in which a real one without it replaces the distribution: it stays"
# state = "limit"
# reason = "in a plain environment the installer takes the folder away; here it is in the store, and the process has it on its path already"
# private = true
# differs = ['''-["ModuleNotFoundError", "No module named 'extra_module'"]''', '+["fine", ["<site>/extra/extra_module.py", []]]']
# [wheels."lined-1.0"]
# "lined.py" = "who = '1.0'"
# "lined.pth" = "extra"
# "extra/extra_module.py" = ""
# [wheels."lined-2.0"]
# "lined.py" = "who = '2.0'"
# ///
import subprocess

command = [os.environ["PARITY_UV"], "pip", "install", "--quiet", "--no-deps", "--link-mode", "copy", "--python", os.environ["PARITY_PYTHON"]]
subprocess.run([*command, "lined==2.0"], check=True)
importlib.invalidate_caches()
import lined

show(lined.who)
attempt(where, "extra_module")
