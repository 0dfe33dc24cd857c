import reg.sub

sys.path.remove(site_packages)
forget("reg", "reg.sub")
attempt(importlib.import_module, "reg")
attempt(importlib.util.find_spec, "reg")
attempt(metadata.version, "reg")
show_metadata()
sys.path.append(site_packages)
attempt(where, "reg")
attempt(metadata.version, "reg")
