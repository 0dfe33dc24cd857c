# /// parity
# rows = [21]
# says = "after import setuptools, which appends its _vendor folder to sys.path, the versions of locked distributions stay"
# requirements = ["setuptools", "packaging==24.0", "platformdirs<4.3", "importlib_metadata<8.1", "zipp<3.19"]
# python = ">=3.8"
# cost = "index"
# flags = ["-W", "ignore"]
# expects = "24.0"
# ///
import setuptools, pkgutil
try:
    import pkg_resources
except ImportError:
    pass
show([os.path.basename(entry) for entry in sys.path if entry.endswith("_vendor")])
import packaging, platformdirs

show([metadata.version(name) for name in ("packaging", "platformdirs", "importlib_metadata", "zipp")])
show(where("packaging")[0], where("platformdirs")[0], packaging.__version__)
show_metadata()
