# /// parity
# rows = [9]
# says = "a finder that asks PathFinder and instruments what it finds instruments what is locked"
# expects = "[true, true, true]"
# catches = ["before"]
# ///
class Wrapper:
    """As typeguard's and jaxtyping's."""

    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = Instrumenting(spec.loader.name, spec.loader.path)
        return spec


at = [getattr(finder, "__name__", "") for finder in sys.meta_path].index("PathFinder")
sys.meta_path[at:at + 1] = [Wrapper()]
import regular.sub, single

show([getattr(module, "instrumented", False) for module in (regular, regular.sub, single)])
