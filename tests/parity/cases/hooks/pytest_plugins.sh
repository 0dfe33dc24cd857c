# /// parity
# rows = [10, 20]
# says = "pytest rewrites assertions in locked plugins, also in one that is a single module, and keeps what it rewrote"
# requirements = ["pytest", "package_plugin==1.0", "module_plugin==1.0"]
# cost = "index"
# keeps_store = true
# expects = "assert 1 == 2"
# normalise = [
#   {pattern = '(?m)^\.\./\S*/site-packages/', with = "<site>/", reason = "pytest shows paths from the folder in which it runs"},
#   {pattern = ' in \d+\.\d+s', with = "", reason = "how long it took"},
# ]
# [files]
# "tests/test_it.py" = """
# def test_package(): __import__('package_plugin.helper').helper.check(1, 2)
# def test_module(): __import__('module_plugin').check(1, 2)
# def test_kept():
#     import glob, os, package_plugin, module_plugin
#     folders = [os.path.dirname(package_plugin.__file__), os.path.dirname(module_plugin.__file__)]
#     assert all(glob.glob(os.path.join(folder, '__pycache__', '*plugin*pytest*')) or
#                glob.glob(os.path.join(folder, '__pycache__', '*pytest*')) for folder in folders)
# """
# [wheels."package_plugin-1.0"]
# "package_plugin/__init__.py" = ""
# "package_plugin/helper.py" = "def check(a, b): assert a == b"
# "@dist-info/entry_points.txt" = "[pytest11]\npackage = package_plugin.helper\n"
# [wheels."module_plugin-1.0"]
# "module_plugin.py" = "def check(a, b): assert a == b"
# "@dist-info/entry_points.txt" = "[pytest11]\nmodule = module_plugin\n"
# ///
for run in first second; do
    python -m pytest -p no:cacheprovider -q --tb=short tests || true
done
