mine = [entry for entry in sys.path if "venv" in entry]
show([[item.name, item.ispkg] for item in pkgutil.iter_modules(mine)])
show([item.name for item in pkgutil.walk_packages(mine)])
show(pkgutil.get_importer(site_packages).find_spec("six").origin, pkgutil.get_data("pk", "text.txt").decode())
show(pkgutil.extend_path(["own"], "pk"))
if sys.version_info >= (3, 9):
    show(pkgutil.resolve_name("reg.sub:who"))
