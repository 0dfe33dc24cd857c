spec = importlib.util.find_spec("reg")
spec.loader = importlib.util.LazyLoader(spec.loader)
module = importlib.util.module_from_spec(spec)
sys.modules["reg"] = module
spec.loader.exec_module(module)
show(type(module).__name__, module.who, where("reg.sub"))
