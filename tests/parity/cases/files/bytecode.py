# /// parity
# rows = [20]
# says = "bytecode is written beside the module at the first run, for each optimization level, and the store stays what it was"
# keeps_store = true
# run = [
#   "python {program}", "python {program}",
#   "python -O {program}", "python -O {program}",
#   "python -OO {program}", "python -OO {program}",
# ]
# expects = "regular.sub 1.0"
# ///
import os.path

known = importlib.util.find_spec("regular.sub").cached
before = os.path.exists(known)
import regular.sub

show(regular.__cached__, regular.sub.__spec__.cached, regular.sub.who, before, os.path.exists(known))
