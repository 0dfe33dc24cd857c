import site

attempt(importlib.import_module, "reg")
sys.prefix = sys.exec_prefix = os.path.join(os.path.dirname(os.getcwd()), "venv")
site.PREFIXES[:] = [sys.prefix]
site.main()
attempt(where, "reg")
