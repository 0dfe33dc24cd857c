# /// parity
# rows = [9]
# says = "importlib.util.LazyLoader loads a locked module when it is first used"
# expects = "_LazyModule"
# ///
spec = importlib.util.find_spec("regular")
spec.loader = importlib.util.LazyLoader(spec.loader)
module = importlib.util.module_from_spec(spec)
sys.modules["regular"] = module
spec.loader.exec_module(module)
show(type(module).__name__, module.who, where("regular.sub"))
