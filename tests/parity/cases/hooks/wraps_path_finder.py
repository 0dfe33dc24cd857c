# /// parity
# rows = [9]
# says = "a finder that asks PathFinder and instruments what it finds, in the place of PathFinder, just before it or first of all, instruments what is locked"
# expects = "[true, true, true]"
# catches = ["before"]
# ///
class Wrapper:
    """As typeguard's and jaxtyping's."""

    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Instrumenting(spec.loader.name, spec.loader.path)
        return spec


before = list(sys.meta_path)
at = [getattr(finder, "__name__", "") for finder in before].index("PathFinder")
for changed in ([*before[:at], Wrapper(), *before[at + 1:]], [*before[:at], Wrapper(), *before[at:]], [Wrapper(), *before]):
    sys.meta_path[:] = changed
    forget("regular", "regular.sub", "single")
    import regular.sub, single

    show([getattr(module, "instrumented", False) for module in (regular, regular.sub, single)])
