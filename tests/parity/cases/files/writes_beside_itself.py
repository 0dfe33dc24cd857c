# /// parity
# rows = [20]
# says = "a program that writes a cache into the __pycache__ beside its module finds it at the second run"
# keeps_store = true
# run = ["python {program}", "python {program}"]
# expects = "[true]"
# ///
import regular

folder = os.path.join(os.path.dirname(regular.__file__), "__pycache__")
path = os.path.join(folder, "own.cache")
show(os.path.exists(path))
os.makedirs(folder, exist_ok=True)
with open(path, "w") as stream:
    stream.write("kept")
