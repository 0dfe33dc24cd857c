# /// parity
# rows = [7]
# says = "a real folder without __init__.py in site-packages and a locked package of the same name are one"
# files."{site}/regular/late.py" = "who = 'late'"
# files."{site}/regular/deep/later.py" = "who = 'later'"
# expects = "<site>/regular/late.py"
# ///
import regular.deep.later, regular.late, regular.sub

show(where("regular"), where("regular.late"), where("regular.deep"))
show([item.name for item in pkgutil.walk_packages(regular.__path__)])
