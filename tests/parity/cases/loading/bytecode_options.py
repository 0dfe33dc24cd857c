# /// parity
# rows = [40, 20]
# says = "options and variables that are about bytecode: -B, -O, a folder for it elsewhere, hashes that are always or never checked"
# run = [
#   "python {program}", "python {program}", "python -B {program}", "python -O {program}", "python -O {program}", "python -OO {program}",
#   "python --check-hash-based-pycs always {program}", "python --check-hash-based-pycs never {program}",
#   "python -X pycache_prefix={run}/elsewhere {program}", "python -X pycache_prefix={run}/elsewhere {program}",
#   "python -X pycache_prefix={run}/elsewhere --check-hash-based-pycs always {program}",
# ]
# [wheels."compiled-1.0"]
# "compiled/__init__.py" = "who = __debug__"
# "compiled/sub.py" = "def f():\n    'said'\n    assert False, 'asserted'\n"
# ///
import compiled.sub

attempt(compiled.sub.f)
show(compiled.who, compiled.sub.f.__doc__, sys.flags.optimize, sys.dont_write_bytecode)
found = compiled.sub.__cached__
show(found.replace(RUN, "<run>"), os.path.exists(found))
if sys.pycache_prefix:
    data = open(found, "rb").read()
    show(data[4:8] == bytes(4), int.from_bytes(data[8:12], "little") == int(os.stat(compiled.sub.__file__).st_mtime))
show(compiled.sub.f.__code__.co_filename)
