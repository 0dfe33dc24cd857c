"""Tools that judge a file by its folder, and what is done for them when they are loaded.

Coverage, debuggers, profilers and the like ask whether a file lies below ``sysconfig.get_path("purelib")`` or
``sys.prefix``; the files of locked distributions lie in the store. ``HABITS`` says which function or value of such a
tool that is about. It does not matter where the tool comes from: locked, really installed, or from elsewhere on the
path. What a release has not got, or has in another shape, is left alone; then the tool says what it says of any file
outside of the environment, and ``site.unknown`` has its name.
"""

import sys

from . import TOOLS, habits

# module -> (name, habit, what the habit needs to know) for each name that there may be; ``Class.name`` in a class.
HABITS = {
    "PyInstaller.depend.bindepend": [
        ("_get_paths_for_parent_directory_preservation", habits.returns_folders),
    ],
    "_pydevd_bundle.pydevd_filtering": [
        ("FilesFiltering.in_project_roots", habits.asked, 1),
        ("FilesFiltering.exclude_by_filter", habits.asked, 1),
    ],
    "_pytest.assertion.rewrite": [("AssertionRewritingHook.exec_module", habits.executes)],
    "astroid.interpreter._import.spec": [("ImportlibFinder.find_module", habits.lists_path)],
    "astroid.modutils": [("modpath_from_file_with_callback", habits.named_by_path)],
    "cherrypy.process.plugins": [("Autoreloader.sysfiles", habits.watches)],
    "coverage.inorout": [("_add_third_party_paths", habits.fills), ("add_third_party_paths", habits.fills)],
    "ddtrace.appsec._patch_utils": [("rel_path", habits.asked, 0)],
    "ddtrace.internal.packages": [
        ("_root_module", habits.topmost, "_effective_root"),
        ("_relative_to_known_root", habits.asked, 0),
        ("_package_file_mapping", habits.by_file),
        ("_scans_sys_path", habits.declines),
    ],
    "django.utils.autoreload": [("iter_all_python_module_files", habits.watches)],
    "flask.helpers": [("find_package", habits.installed_in), ("find_package", habits.absent)],
    "flask.sansio.scaffold": [("find_package", habits.installed_in)],
    "flask.scaffold": [("find_package", habits.installed_in)],
    "gunicorn.reloader": [("ReloaderBase.get_files", habits.watches), ("Reloader.get_files", habits.watches)],
    "hupper.worker": [("WatchSysModules.in_system_paths", habits.asked, 1)],
    "hypothesis.internal.scrutineer": [("SITE_PACKAGES_DIRS", habits.holds, "Path"), ("ModuleLocation", habits.absent)],
    "importlib.metadata": [("MetadataPathFinder", habits.finds_metadata)],
    "importlib_metadata": [("MetadataPathFinder", habits.finds_metadata)],
    "logfire._internal.stack_info": [("NON_USER_CODE_PREFIXES", habits.holds)],
    "loguru._better_exceptions": [("ExceptionFormatter._is_file_mine", habits.asked, 1)],
    "pip._internal.metadata.base": [
        ("BaseEnvironment.iter_installed_distributions", habits.lists_local),
        ("BaseDistribution.local", habits.may_remove),
    ],
    "pyinstrument.session": [
        ("Session.current_sys_prefixes", habits.returns),
        ("Session.shorten_path", habits.asked, 1),
    ],
    "tornado.autoreload": [("watch", habits.takes_extra_file)],
    "trace": [("_Ignore.names", habits.asked, 1), ("_fullmodname", habits.asked, 0)],
    "werkzeug._reloader": [
        ("_iter_module_paths", habits.lists_modules),
        ("_iter_module_files", habits.lists_modules),
        ("ReloaderLoop.__init__", habits.keeps_extra_files),
    ],
    "werkzeug.debug.tbtools": [("sysconfig", habits.uses_sysconfig)],
}


def watched(finder, fullname, path, target):
    """Find the module *fullname* of a tool as the finders after *finder* do, and act when it has been loaded.

    The spec and the loader are theirs, but for the loader's next ``exec_module``.
    """
    if path is None:
        finder.site.claim()
    at = next((at for at, other in enumerate(sys.meta_path) if other is finder), -1)
    for other in sys.meta_path[at + 1 :]:
        spec = other.find_spec(fullname, path, target) if hasattr(other, "find_spec") else None
        if spec is not None:
            _follow(spec.loader, fullname, finder.site)
            return spec
    return None


def _follow(loader, fullname, site):
    """Have ``loaded()`` called once *loader* has executed its module, where it is the loader of that one alone."""
    own = getattr(loader, "__dict__", {})
    if own.get("name") != fullname or "exec_module" in own or not hasattr(loader, "exec_module"):
        return  # that of an archive has many modules
    execute = loader.exec_module

    def exec_module(module):
        own.pop("exec_module", None)
        own.pop("get_code", None)
        execute(module)
        loaded(site, module)

    def get_code(name):
        own.pop("get_code", None)
        if sys._getframe(1).f_globals.get("__name__") != "runpy":
            return loader.get_code(name)
        own.pop("exec_module", None)
        from .programs import adapted

        return adapted(loader, name, lambda module: loaded(site, module, name))

    loader.exec_module = exec_module
    if hasattr(loader, "get_code"):
        loader.get_code = get_code


def loaded(site, module, name=None):
    """Do for *module*, which was executed just now, what its habits need. It may run by another name than its own."""
    name = name or getattr(module, "__name__", None)
    if name in TOOLS:
        places = habits.Places(site)
        known = [_act(module, places, *habit) for habit in HABITS[name]]
        if not any(known):
            site.unknown.append(name)


def _act(module, places, name, habit, *more):
    owner, _, attribute = name.rpartition(".")
    owner = getattr(module, owner, None) if owner else module
    if owner is None or (attribute not in vars(owner) and habit is not habits.absent):
        return False
    try:
        return habit(places, owner, attribute, *more)
    # This runs while a program imports something: like the start itself it never ends that, whatever is damaged here
    # or unforeseen in a release, and says so.
    except Exception as error:
        from .messages import say

        say("{} is not told where locked distributions are".format(module.__name__), places.site.folder, repr(error))
        return True
