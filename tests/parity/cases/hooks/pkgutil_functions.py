# /// parity
# rows = [11]
# says = "pkgutil lists, finds and reads what is locked beside what is really there"
# files."{site}/real.py" = ""
# expects = "regular.sub"
# catches = ["before", "after"]
# ///
mine = [entry for entry in sys.path if "site-packages" in entry]
show(sorted([item.name, item.ispkg] for item in pkgutil.iter_modules(mine)))
show(sorted(item.name for item in pkgutil.walk_packages(mine)))
show(sorted(item.name for item in pkgutil.iter_modules() if item.name in ("real", "single", "regular")))
show([item.name for item in pkgutil.iter_modules(mine, "prefix.") if "s" in item.name])
show(pkgutil.get_importer(SITE).find_spec("single").origin, pkgutil.get_data("regular", "data/text.txt").decode())
show(pkgutil.extend_path(["own"], "regular"), pkgutil.extend_path(["own"], "spread"))
if sys.version_info >= (3, 9):
    show(pkgutil.resolve_name("regular.sub:who"))
