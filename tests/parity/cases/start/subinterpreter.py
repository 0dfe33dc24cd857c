# /// parity
# rows = [38]
# says = "a subinterpreter finds what is locked"
# expects = "regular.sub 1.0"
# ///
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
other = interpreters.create()
failed = interpreters.run_string(
    other, "import regular.sub, sys; from importlib import metadata; print(regular.sub.who, metadata.version('regular'), flush=True)"
)
show(str(failed))
