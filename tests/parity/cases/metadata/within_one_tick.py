# /// parity
# rows = [21]
# says = "metadata that come into a folder within one tick of its clock are seen when the standard library sees them: up to 3.9 at once, later when its listings are forgotten"
# requirements = ["single==1.0"]
# private = true
# environ.PYTHONPATH = "{run}/before"
# folders.before = []
# expects = "2.0"
# ///
import shutil
from pathlib import Path


def told():
    points = metadata.entry_points()
    points = [point for group in dict.values(points) for point in group] if isinstance(points, dict) else points
    show(sorted(point.name for point in points if point.name.startswith("from_")))
    for name in ("single", "ordinary", "extra", "more", "later"):
        attempt(metadata.version, name)
    show(sorted(found.metadata["Name"] for found in metadata.distributions() if found.metadata["Name"] in WRITTEN))


def write(folder, name, version):
    """Write metadata as if the folder's clock had stood still."""
    folder = Path(folder)
    before = folder.stat()
    for old in folder.glob(name + "-*.dist-info"):
        shutil.rmtree(str(old))
    info = folder / "{}-{}.dist-info".format(name, version)
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: {}\nVersion: {}\n".format(name, version))
    (info / "entry_points.txt").write_text("[group]\nfrom_{} = os\n".format(name))
    os.utime(str(folder), ns=(before.st_atime_ns, before.st_mtime_ns))
    WRITTEN.add(name)


def forget():
    """Have the standard library forget what it has listed, where it keeps that."""
    if hasattr(metadata, "FastPath") and hasattr(metadata.FastPath.__new__, "cache_clear"):
        metadata.FastPath.__new__.cache_clear()


WRITTEN = set()
ORDINARY = os.path.join(RUN, "before")
os.makedirs(ORDINARY, exist_ok=True)
told()
write(ORDINARY, "ordinary", "1.0")
write(SITE, "extra", "1.0")
told()
forget()
told()
write(ORDINARY, "more", "1.0")
write(SITE, "single", "2.0")
forget()
told()
write(ORDINARY, "later", "1.0")
sys.path_importer_cache.clear()
importlib.invalidate_caches()
told()
