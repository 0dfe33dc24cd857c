try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
other = interpreters.create()
sys.stdout.flush()
failed = interpreters.run_string(
    other, "import reg.sub, sys; from importlib import metadata; print(reg.sub.who, metadata.version('reg'), flush=True)"
)
show(str(failed))
