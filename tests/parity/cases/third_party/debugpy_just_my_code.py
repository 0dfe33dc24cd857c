# /// parity
# rows = [31]
# says = "debugpy's just-my-code: which files are the project's, with and without project folders, and the rules by path"
# state = "mended"
# reason = "it compares with the folders of sysconfig and site; when its filter is loaded, it is told the plain paths"
# requirements = ["debugpy", "six"]
# cost = "index"
# environ.PYDEVD_DISABLE_FILE_VALIDATION = "1"
# flags = ["-W", "ignore"]
# expects = '["six", false]'
# normalise = [{pattern = "(?m)^.*Debugger warning.*(\\n.*frozen.*|\\n.*to python.*|\\n.*Debugging will.*)*\\n?", with = "", reason = "it warns of frozen modules, with times"}]
# ///
import debugpy._vendored.force_pydevd
import six
from _pydevd_bundle.pydevd_filtering import ExcludeFilter, FilesFiltering

filtering = FilesFiltering()
for roots in None, [RUN], [RUN, os.path.dirname(VENV)]:
    if roots:
        filtering.set_project_roots(roots)
    for module in six, json, sys.modules["__main__"], debugpy:
        show(module.__name__, filtering.in_project_roots(module.__file__))
filtering.set_exclude_filters([ExcludeFilter(VENV + "/**", True, True)])
show(filtering.exclude_by_filter(six.__file__, "six"), filtering.exclude_by_filter(sys.modules["__main__"].__file__, "__main__"))
