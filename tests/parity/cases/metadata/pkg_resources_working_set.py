# /// parity
# rows = [12, 11]
# says = "pkg_resources' working set, entry points, and resources"
# requirements = ["setuptools<70", "regular==1.0", "single==1.0"]
# cost = "index"
# installed = ["tool==1.0"]
# flags = ["-W", "ignore"]
# expects = '["tool", "1.0", "<site>"]'
# ///
import pkg_resources

show(sorted([found.project_name, found.version, found.location] for found in pkg_resources.working_set))
show(pkg_resources.require("single")[0].version, pkg_resources.get_distribution("tool").version)
show([point.name for point in pkg_resources.iter_entry_points("group")])
show(pkg_resources.resource_string("regular", "data/text.txt").decode(), sorted(set(pkg_resources.resource_listdir("regular", "")) - {"__pycache__"}))
show(pkg_resources.resource_filename("regular", "data/text.txt"), pkg_resources.resource_exists("regular", "missing"))
attempt(pkg_resources.get_distribution, "missing")
show(sorted(found.project_name for found in pkg_resources.find_distributions(SITE)))
show([entry for entry in sys.path if "site-packages" in entry])
