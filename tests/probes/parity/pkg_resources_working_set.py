import warnings

warnings.simplefilter("ignore")
import pkg_resources

show(sorted([found.project_name, found.version, found.location] for found in pkg_resources.working_set))
show(pkg_resources.require("one")[0].version, pkg_resources.get_distribution("real").version)
show([point.name for point in pkg_resources.iter_entry_points("group")])
show(pkg_resources.resource_string("one", "text.txt").decode(), pkg_resources.resource_listdir("one", ""))
attempt(pkg_resources.get_distribution, "missing")
show([entry for entry in sys.path if "venv" in entry])
