# /// parity
# rows = [28]
# says = "tools that read the folder and run nothing of it (uv pip list, or importlib.metadata of another interpreter) see every distribution, once that is asked for"
# state = "mended"
# reason = "multisite sync --site-metadata copies the metadata into site-packages; the finder knows the copies and tells of each distribution once"
# multisite = ["sync --site-metadata"]
# run = ["{uv} --no-config pip list --python {python} --format json", "{uv} --no-config pip freeze --python {python}", "{host} -I {program}", "python {program}", "python -c 'import regular; print(regular.__name__)'"]
# prelude = false
# expects = ["regular", "Name: regular"]
# ///
import importlib.metadata, os, sys

site = os.environ["PARITY_SITE"]
for found in sorted(importlib.metadata.distributions(path=[site]), key=lambda one: one.metadata["Name"]):
    print(found.metadata["Name"], found.version, found.requires, sorted(str(point) for point in found.entry_points))
    print("Name:", *(line for line in (found.read_text("METADATA") or "").splitlines() if line.startswith("Name: ")))
