# /// parity
# rows = [33]
# says = "after going back to an older release its files are newer than copies that were made of the later release: pip's have the time of the installation, those of the store the time when they were unpacked"
# state = "limit"
# reason = "an entry is shared by all environments and its files never change; a time of each environment's own would need a copy of each file"
# run = [
#   "python {program} first",
#   "lock aged==2.0", "python {program} second",
#   "lock aged==1.0", "python {program} third",
# ]
# installer = "pip"
# differs = ['-["third", true, "aged 1.0"]', '+["third", false, "aged 2.0"]']
# [wheels]
# "aged-1.0" = {"aged.py" = "who = 'aged 1.0'"}
# "aged-2.0" = {"aged.py" = "who = 'aged 2.0'"}
# ///
import aged, shutil, time

# As collectstatic does: what is newer than the copy is copied.
source, target = aged.__file__, os.path.join(RUN, "copy.py")
newer = not os.path.exists(target) or os.stat(source).st_mtime > os.stat(target).st_mtime
if newer or sys.argv[1] == "second":  # unpacked for the first time by any of the environments of a store
    shutil.copyfile(source, target)
with open(target) as stream:
    exec(stream.read())
show(sys.argv[1], newer if sys.argv[1] == "third" else None, who)
time.sleep(0.02)
