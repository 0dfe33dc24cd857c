class Wrapper:
    """As typeguard's and jaxtyping's: asks PathFinder and instruments what it finds."""

    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = Instrumenting(spec.loader.name, spec.loader.path)
        return spec


sys.meta_path.insert(0, Wrapper())
import reg.sub, six

show(reg.instrumented, reg.sub.instrumented, six.instrumented)
